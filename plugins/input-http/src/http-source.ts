// The source: each subscription is one attempt at one URL. The engine decides when to make the next attempt. The source
// chooses its URL, and reports when that attempt can be made at once.
import { TargetRotation } from '@millrace/engine/plugin'
import type { NodeContext, PacketTimeout, Received, Source, TargetOrder } from '@millrace/engine/plugin'
import { Observable } from 'rxjs'
import type { Subscriber } from 'rxjs'
import { HttpAttempt } from './http-attempt.js'
import type { AttemptSettings } from './http-attempt.js'
import { HttpCounters } from './http-counters.js'
import { httpError } from './http-errors.js'
import type { HttpErrorCode } from './http-errors.js'
import type { Upstream } from './upstream.js'

type AttemptOptions = 'clock' | 'timeouts' | 'secureContext' | 'insecure' | 'lenient' | 'redirects' | 'isInternal'

export interface HttpSourceSettings extends Pick<AttemptSettings, AttemptOptions> {
  readonly upstreams: readonly Upstream[]
  readonly order: TargetOrder
  readonly context: NodeContext
  /** Numbers in [0, 1). */
  readonly random: () => number
}

const MAX_WARNINGS = 64

export class HttpSource implements Source<Received> {
  readonly chunks: Observable<Received>
  readonly packetTimeout: PacketTimeout
  readonly #settings: HttpSourceSettings
  readonly #rotation: TargetRotation
  readonly #counters = new HttpCounters()
  readonly #attempts = new Set<HttpAttempt>()
  /** What was warned of: it is said once, since every attempt would repeat it. */
  readonly #warned = new Set<string>()
  /** The attempt that the engine has subscribed to. */
  #current: { readonly upstream: Upstream; readonly attempt: HttpAttempt; leave(): void } | undefined
  /** Of the newest attempt. */
  #target: string | undefined
  #isConnected = false

  constructor(settings: HttpSourceSettings) {
    this.#settings = settings
    this.#rotation = new TargetRotation(settings.upstreams.length, settings.order, settings.random)
    this.#counters.register(settings.context)
    settings.context.details(() =>
      this.#target === undefined ? {} : { target: this.#target, connected: this.#isConnected },
    )
    this.chunks = new Observable((subscriber) => this.#attempt(subscriber))
    const current = (): HttpAttempt | undefined => this.#current?.attempt
    this.packetTimeout = {
      get ms() {
        return settings.timeouts().read
      },
      giveUp: (why) => current()?.giveUp(why),
    }
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

  pause(): Disposable | undefined {
    return this.#current?.attempt.pause()
  }

  /** Every socket has closed when this resolves. */
  async [Symbol.asyncDispose](): Promise<void> {
    const attempts = [...this.#attempts]
    for (const attempt of attempts) attempt.cancel()
    await Promise.all(attempts.map((attempt) => attempt.closed()))
  }

  #attempt(subscriber: Subscriber<Received>): () => void {
    const { upstreams, context, clock } = this.#settings
    const upstream = upstreams[this.#rotation.next()]
    if (upstream === undefined) throw new TypeError('the input has no URL')
    this.#target = upstream.name
    this.#isConnected = false
    let isAccepted = false
    let firstByteMs: number | undefined
    const attempt = new HttpAttempt({
      ...this.#settings,
      upstream,
      guard: (run) => context.guard(run),
      onResponse: (status) => this.#counters.countResponse(status),
      onAccepted: (url) => {
        this.#counters.countAccepted()
        context.log.info({ url }, 'the upstream responded')
        context.ready()
        isAccepted = this.#isConnected = true
      },
      onWarning: (text) => this.#warn(upstream, text),
      onBytes: (bytes) => {
        firstByteMs ??= clock.nowMs()
        subscriber.next(bytes)
      },
      onFailure: (code, detail, cause) => {
        this.#isConnected = false
        this.#counters.countFailure(code, isAccepted)
        const streamedMs = firstByteMs === undefined ? 0 : clock.nowMs() - firstByteMs
        subscriber.error(this.#failure(upstream, { code, detail, cause, streamedMs }))
      },
    })
    const leave = (): void => {
      attempt.cancel()
      this.#isConnected = false
      const more = { target: upstream.name, retryAfterMs: 0 }
      subscriber.error(httpError('HTTP_NEXT', `${upstream.name}: left by the command next`, more))
    }
    const current = { upstream, attempt, leave }
    this.#current = current
    this.#attempts.add(attempt)
    attempt.start()
    return () => {
      if (this.#current === current) {
        this.#current = undefined
        this.#isConnected = false
      }
      attempt.cancel()
      void attempt.closed().then(() => this.#attempts.delete(attempt))
    }
  }

  #warn({ name }: Upstream, text: string): void {
    if (this.#warned.has(text) || this.#warned.size >= MAX_WARNINGS) return
    this.#warned.add(text)
    this.#settings.context.log.warn({ url: name }, text)
  }

  /** The error that makes the engine retry: at once while a URL is left in this round, otherwise after its back-off. */
  #failure({ name }: Upstream, { code, detail, cause, streamedMs }: Failure): Error {
    const more = { target: name, ...(cause === undefined ? {} : { cause }), ...this.#rotation.failed(streamedMs) }
    return httpError(code, detail, more)
  }
}

interface Failure {
  readonly code: HttpErrorCode
  readonly detail: string
  readonly cause: unknown
  /** Since the first byte that was passed on. */
  readonly streamedMs: number
}
