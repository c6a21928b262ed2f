// The input that connects: each subscription is one attempt at one sender. The engine decides when to make the next
// attempt; the source chooses the sender, and reports when that attempt can be made at once.
import { TargetRotation } from '@millrace/engine/plugin'
import type {
  Clock,
  EngineError,
  NodeContext,
  PacketTimeout,
  Received,
  Sockets,
  Source,
  TargetOrder,
  TlsTarget,
} from '@millrace/engine/plugin'
import { Observable } from 'rxjs'
import type { Subscriber } from 'rxjs'
import { TcpAttempt } from './tcp-attempt.js'
import { TcpCounters } from './tcp-counters.js'
import { tcpError, type TcpErrorCode } from './tcp-errors.js'

export interface TcpSourceSettings {
  /** `host:port`. */
  readonly targets: readonly string[]
  readonly order: TargetOrder
  readonly timeouts: () => { readonly connect: number; readonly read: number }
  readonly tls: TlsTarget | undefined
  readonly keepAliveMs: number
  readonly context: NodeContext
  readonly clock: Clock
  readonly sockets: Pick<Sockets, 'connect'>
  /** Numbers in [0, 1). */
  readonly random: () => number
}

export class TcpSource implements Source<Received> {
  readonly chunks: Observable<Received>
  readonly packetTimeout: PacketTimeout
  readonly #settings: TcpSourceSettings
  readonly #rotation: TargetRotation
  readonly #counters: TcpCounters
  readonly #attempts = new Set<TcpAttempt>()
  #current: TcpAttempt | undefined
  /** Of the newest attempt. */
  #target: string | undefined
  #isConnected = false

  constructor(settings: TcpSourceSettings) {
    const { targets, order, random, context } = settings
    this.#settings = settings
    this.#rotation = new TargetRotation(targets.length, order, random)
    this.#counters = new TcpCounters(context)
    context.details(() => (this.#target === undefined ? {} : { target: this.#target, connected: this.#isConnected }))
    this.chunks = new Observable((subscriber) => this.#attempt(subscriber))
    const current = (): TcpAttempt | undefined => this.#current
    this.packetTimeout = {
      get ms() {
        return settings.timeouts().read
      },
      giveUp: (why) => current()?.giveUp(why),
    }
  }

  pause(): Disposable | undefined {
    return this.#current?.pause()
  }

  /** Every socket has closed when this resolves. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(Array.from(this.#attempts, (attempt) => attempt.close()))
  }

  #attempt(subscriber: Subscriber<Received>): () => void {
    const { targets, context, clock, sockets, timeouts, tls, keepAliveMs } = this.#settings
    const target = targets[this.#rotation.next()] ?? ''
    this.#target = target
    this.#isConnected = false
    let connectedMs: number | undefined
    const attempt = new TcpAttempt({
      target,
      tls,
      keepAliveMs,
      timeouts,
      clock,
      sockets,
      onConnected: () => {
        connectedMs = clock.nowMs()
        this.#isConnected = true
        this.#counters.connects++
        context.log.info({ target }, 'connected')
        context.ready()
      },
      onBytes: (bytes) => subscriber.next(bytes),
      onFailure: (error) => {
        this.#isConnected = false
        this.#counters.countFailure(error.code)
        const streamedMs = connectedMs === undefined ? 0 : clock.nowMs() - connectedMs
        subscriber.error(this.#failure(target, error, streamedMs))
      },
    })
    this.#current = attempt
    this.#attempts.add(attempt)
    attempt.start()
    return () => {
      if (this.#current === attempt) this.#isConnected = false
      void attempt.close().then(() => this.#attempts.delete(attempt))
    }
  }

  /** The error that makes the engine retry: at once while a sender is left in this round, otherwise after its back-off. */
  #failure(target: string, { code, message, cause }: EngineError, streamedMs: number): Error {
    const more = { target, ...(cause === undefined ? {} : { cause }), ...this.#rotation.failed(streamedMs) }
    return tcpError(code as TcpErrorCode, `${target}: ${message}`, more)
  }
}
