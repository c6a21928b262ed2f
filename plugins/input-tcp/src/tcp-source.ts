// The input that connects: each subscription is one attempt at one sender. The engine decides when to make the next
// attempt; the source chooses the sender, and reports when that attempt can be made at once.
import { TargetRotation } from '@millrace/engine/plugin'
import type { Clock, EngineError, NodeContext, Received, Source, TargetOrder } from '@millrace/engine/plugin'
import { Observable } from 'rxjs'
import type { Subscriber } from 'rxjs'
import type { DialTls } from './dial.js'
import { TcpAttempt } from './tcp-attempt.js'
import { TcpCounters } from './tcp-counters.js'
import { tcpError, type TcpErrorCode } from './tcp-errors.js'

export interface TcpSourceSettings {
  /** `host:port`. */
  readonly targets: readonly string[]
  readonly order: TargetOrder
  readonly timeouts: () => { readonly connect: number; readonly read: number }
  readonly tls: DialTls | undefined
  readonly keepAliveMs: number
  readonly context: NodeContext
  readonly clock: Clock
  /** Numbers in [0, 1). */
  readonly random: () => number
}

/** A sender that streamed for this long was good: its end begins a new round. */
const GOOD_MS = 5_000

export class TcpSource implements Source<Received> {
  readonly chunks: Observable<Received>
  readonly #settings: TcpSourceSettings
  readonly #rotation: TargetRotation
  readonly #counters: TcpCounters
  readonly #attempts = new Set<TcpAttempt>()

  constructor(settings: TcpSourceSettings) {
    const { targets, order, random, context } = settings
    this.#settings = settings
    this.#rotation = new TargetRotation(targets.length, order, random)
    this.#counters = new TcpCounters(context)
    this.chunks = new Observable((subscriber) => this.#attempt(subscriber))
  }

  /** Every socket has closed when this resolves. */
  async [Symbol.asyncDispose](): Promise<void> {
    const attempts = [...this.#attempts]
    for (const attempt of attempts) attempt.cancel()
    await Promise.all(attempts.map((attempt) => attempt.closed))
  }

  #attempt(subscriber: Subscriber<Received>): () => void {
    const { targets, context, clock, timeouts, tls, keepAliveMs } = this.#settings
    const target = targets[this.#rotation.next()] ?? ''
    let connectedMs: number | undefined
    const attempt = new TcpAttempt({
      target,
      tls,
      keepAliveMs,
      timeouts,
      clock,
      guard: (run) => context.guard(run),
      onConnected: () => {
        connectedMs = clock.nowMs()
        this.#counters.connects++
        context.log.info({ target }, 'connected')
        context.ready()
      },
      onBytes: (bytes) => subscriber.next(bytes),
      onFailure: (error) => {
        this.#counters.countFailure(error.code)
        const streamedMs = connectedMs === undefined ? 0 : clock.nowMs() - connectedMs
        subscriber.error(this.#failure(target, error, streamedMs))
      },
    })
    this.#attempts.add(attempt)
    void attempt.closed.then(() => this.#attempts.delete(attempt))
    return () => attempt.cancel()
  }

  /** The error that makes the engine retry: at once while a sender is left in this round, otherwise after its back-off. */
  #failure(target: string, { code, message, cause }: EngineError, streamedMs: number): Error {
    if (streamedMs >= GOOD_MS) this.#rotation.restart()
    const details = { target, ...(cause === undefined ? {} : { cause }) }
    const more = this.#rotation.hasMore ? { ...details, retryAfterMs: 0 } : details
    return tcpError(code as TcpErrorCode, `${target}: ${message}`, more)
  }
}
