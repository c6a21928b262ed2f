// The source: each subscription is one attempt at one URL. The engine decides when there is another; the source knows at
// which URL, and says so when the next one can be asked at once.
import type { SecureContext } from 'node:tls'
import type { Clock, NodeContext, Received, Source } from '@millrace/engine/plugin'
import { Observable } from 'rxjs'
import type { Subscriber } from 'rxjs'
import { HttpAttempt } from './http-attempt.js'
import { HttpCounters } from './http-counters.js'
import { httpError } from './http-errors.js'
import type { HttpErrorCode } from './http-errors.js'
import type { Upstream } from './upstream.js'
import { UrlRound } from './url-round.js'
import type { UrlOrder } from './url-round.js'

export interface HttpSourceSettings {
  readonly upstreams: readonly Upstream[]
  readonly order: UrlOrder
  readonly timeouts: () => { readonly connect: number; readonly read: number }
  readonly secureContext: SecureContext | undefined
  readonly insecure: boolean
  readonly context: NodeContext
  readonly clock: Clock
  /** Numbers in [0, 1). */
  readonly random: () => number
}

/** An upstream that streamed for so long was good: its end begins a new round. */
const GOOD_MS = 5_000

export class HttpSource implements Source<Received> {
  readonly chunks: Observable<Received>
  readonly #settings: HttpSourceSettings
  readonly #round: UrlRound
  readonly #counters = new HttpCounters()
  readonly #attempts = new Set<HttpAttempt>()

  constructor(settings: HttpSourceSettings) {
    this.#settings = settings
    this.#round = new UrlRound(settings.upstreams.length, settings.order, settings.random)
    this.#counters.show(settings.context)
    this.chunks = new Observable((subscriber) => this.#attempt(subscriber))
  }

  /** Every socket is gone when this resolves. */
  async [Symbol.asyncDispose](): Promise<void> {
    const attempts = [...this.#attempts]
    for (const attempt of attempts) attempt.cancel()
    await Promise.all(attempts.map((attempt) => attempt.closed()))
  }

  #attempt(subscriber: Subscriber<Received>): () => void {
    const { upstreams, context, clock, timeouts, secureContext, insecure } = this.#settings
    const upstream = upstreams[this.#round.next()]
    if (upstream === undefined) throw new TypeError('an input without a URL')
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
        context.log.info({ url }, 'the upstream answers')
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
    this.#attempts.add(attempt)
    attempt.start()
    return () => {
      attempt.cancel()
      void attempt.closed().then(() => this.#attempts.delete(attempt))
    }
  }

  /** The error that makes the engine go on: at once while a URL is left in this round, else with its back-off. */
  #failure({ name }: Upstream, { code, detail, cause, streamedMs }: Failure): Error {
    if (streamedMs >= GOOD_MS) this.#round.restart()
    const more = { target: name, ...(cause === undefined ? {} : { cause }) }
    return httpError(code, detail, this.#round.hasMore ? { ...more, retryAfterMs: 0 } : more)
  }
}

interface Failure {
  readonly code: HttpErrorCode
  readonly detail: string
  readonly cause: unknown
  /** Since the first byte that was passed on. */
  readonly streamedMs: number
}
