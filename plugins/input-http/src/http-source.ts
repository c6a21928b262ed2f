// The source: each subscription is one attempt at one URL. The engine decides when to make the next attempt. The source
// chooses its URL, and reports when that attempt can be made at once.
import type { SecureContext } from 'node:tls'
import { TargetRotation } from '@millrace/engine/plugin'
import type { Clock, NodeContext, Received, Source, TargetOrder } from '@millrace/engine/plugin'
import { Observable } from 'rxjs'
import type { Subscriber } from 'rxjs'
import { HttpAttempt } from './http-attempt.js'
import { HttpCounters } from './http-counters.js'
import { httpError } from './http-errors.js'
import type { HttpErrorCode } from './http-errors.js'
import type { Upstream } from './upstream.js'

export interface HttpSourceSettings {
  readonly upstreams: readonly Upstream[]
  readonly order: TargetOrder
  readonly timeouts: () => { readonly connect: number; readonly read: number }
  readonly secureContext: SecureContext | undefined
  readonly insecure: boolean
  readonly context: NodeContext
  readonly clock: Clock
  /** Numbers in [0, 1). */
  readonly random: () => number
}

/** An upstream that streamed for this long was good: its end begins a new round. */
const GOOD_MS = 5_000

export class HttpSource implements Source<Received> {
  readonly chunks: Observable<Received>
  readonly #settings: HttpSourceSettings
  readonly #rotation: TargetRotation
  readonly #counters = new HttpCounters()
  readonly #attempts = new Set<HttpAttempt>()
  /** The attempt that the engine has subscribed to. */
  #current: { readonly upstream: Upstream; leave(): void } | undefined

  constructor(settings: HttpSourceSettings) {
    this.#settings = settings
    this.#rotation = new TargetRotation(settings.upstreams.length, settings.order, settings.random)
    this.#counters.register(settings.context)
    this.chunks = new Observable((subscriber) => this.#attempt(subscriber))
  }

  /**
   * Leaves the URL it is connected to; the engine begins the attempt at the next one at once. Throws HTTP_NOT_CONNECTED while
   * there is no attempt.
   */
  next(): { readonly from: string; readonly to: string } {
    const { upstreams } = this.#settings
    const from = this.#current
    if (from === undefined) throw httpError('HTTP_NOT_CONNECTED', 'the input is waiting to connect again')
    const to = upstreams[this.#rotation.upcoming]?.name ?? from.upstream.name
    from.leave()
    return { from: from.upstream.name, to }
  }

  /** Every socket has closed when this resolves. */
  async [Symbol.asyncDispose](): Promise<void> {
    const attempts = [...this.#attempts]
    for (const attempt of attempts) attempt.cancel()
    await Promise.all(attempts.map((attempt) => attempt.closed()))
  }

  #attempt(subscriber: Subscriber<Received>): () => void {
    const { upstreams, context, clock, timeouts, secureContext, insecure } = this.#settings
    const upstream = upstreams[this.#rotation.next()]
    if (upstream === undefined) throw new TypeError('the input has no URL')
    let isAccepted = false
    let firstByteMs: number | undefined
    const attempt = new HttpAttempt({
      upstream,
      clock,
      guard: (run) => context.guard(run),
      timeouts,
      secureContext,
      insecure,
      onResponse: (status) => this.#counters.countResponse(status),
      onAccepted: (url) => {
        this.#counters.countAccepted()
        context.log.info({ url }, 'the upstream responded')
        context.ready()
        isAccepted = true
      },
      onBytes: (bytes) => {
        firstByteMs ??= clock.nowMs()
        subscriber.next(bytes)
      },
      onFailure: (code, detail, cause) => {
        this.#counters.countFailure(code, isAccepted)
        const streamedMs = firstByteMs === undefined ? 0 : clock.nowMs() - firstByteMs
        subscriber.error(this.#failure(upstream, { code, detail, cause, streamedMs }))
      },
    })
    const leave = (): void => {
      attempt.cancel()
      const more = { target: upstream.name, retryAfterMs: 0 }
      subscriber.error(httpError('HTTP_NEXT', `${upstream.name}: left by the command next`, more))
    }
    const current = { upstream, leave }
    this.#current = current
    this.#attempts.add(attempt)
    attempt.start()
    return () => {
      if (this.#current === current) this.#current = undefined
      attempt.cancel()
      void attempt.closed().then(() => this.#attempts.delete(attempt))
    }
  }

  /** The error that makes the engine retry: at once while a URL is left in this round, otherwise after its back-off. */
  #failure({ name }: Upstream, { code, detail, cause, streamedMs }: Failure): Error {
    if (streamedMs >= GOOD_MS) this.#rotation.restart()
    const more = { target: name, ...(cause === undefined ? {} : { cause }) }
    return httpError(code, detail, this.#rotation.hasMore ? { ...more, retryAfterMs: 0 } : more)
  }
}

interface Failure {
  readonly code: HttpErrorCode
  readonly detail: string
  readonly cause: unknown
  /** Since the first byte that was passed on. */
  readonly streamedMs: number
}
