// The output that calls: one connection, made again whenever it is lost. It stays open while the stream pauses.
import type {
  Clock,
  Delivery,
  Inlet,
  NodeContext,
  Options,
  Output,
  Sockets,
  StreamWindow,
} from '@millrace/engine/plugin'
import { KeptConnection } from '@millrace/engine/plugin'
import { shownTarget } from '@millrace/srt'
import { callTargetOf, ConnectionTotals, SocketsPort, SrtSocket } from '@millrace/srt/node'
import type { EndReason, SrtConnection } from '@millrace/srt/node'
import type { Subscription } from 'rxjs'
import { SrtBroadcast } from './srt-broadcast.js'
import { showConnections } from './srt-output-metrics.js'
import { pushWindowOf } from './srt-output-options.js'
import type { SrtOutputOptions } from './srt-output-options.js'
import { SrtReceiver } from './srt-receiver.js'

const DEFAULT_CONNECT_TIMEOUT_MS = 3000
const DEFAULT_IDLE_MS = 5000
const DEFAULT_HOLD_MS = 30_000
const DEFAULT_LATENCY_MS = 120
const CALL_STEP_MS = 20

export interface SrtPushParts {
  readonly options$: Options<SrtOutputOptions>
  readonly context: NodeContext
  readonly clock: Clock
  readonly delivery: Delivery
  readonly sockets: Sockets
  /** Numbers in [0, 1). */
  readonly random: () => number
}

export class SrtPush implements Output {
  readonly #parts: SrtPushParts
  readonly #window: StreamWindow
  readonly #broadcast: SrtBroadcast
  readonly #totals = new ConnectionTotals()
  readonly #kept: KeptConnection<string>
  readonly #changes: Subscription
  #connection: SrtConnection | undefined
  #calls = 0
  #failures = 0
  #skips = 0

  constructor(parts: SrtPushParts) {
    this.#parts = parts
    const { context, clock, delivery, options$, random } = parts
    this.#window = delivery.window(pushWindowOf(options$.value.latency ?? DEFAULT_LATENCY_MS))
    this.#broadcast = new SrtBroadcast({
      ...{ clock, window: this.#window },
      onSent: (_, bytes) => context.sent(bytes),
      onSkip: () => this.#skips++,
      onChunk: () => this.#kept.noteStream(),
      keepsUntaken: true,
    })
    showConnections(context, this.#totals, this.#broadcast, this.#window)
    context.readMetric('srt_calls_total', () => this.#calls)
    context.readMetric('srt_call_failures_total', () => this.#failures)
    context.readMetric('srt_skips_total', () => this.#skips)
    this.#kept = new KeptConnection({
      ...{ clock, context, random, waitsForStream: false },
      target: () => this.#target,
      holdMs: () => options$.value.holdFor ?? DEFAULT_HOLD_MS,
      connect: (signal, connected) => this.#connect(signal, connected),
      failed: (why) => this.#note(why),
    })
    let called = connectionOf(options$.value)
    this.#changes = options$.subscribe((options) => {
      const wanted = connectionOf(options)
      if (wanted !== called) this.#kept.callAnew()
      called = wanted
    })
  }

  accept(inlets: readonly Inlet[]): Subscription {
    return this.#broadcast.accept(inlets)
  }

  /**
   * The receiver has what was sent, as far as it acknowledges it. One that is being called gets the stream since its latest
   * key frame.
   */
  async drained(): Promise<void> {
    if (this.#connection === undefined && this.#kept.isCalling) await this.#untilCalled()
    await this.#broadcast.sent()
    await this.#connection?.close()
    this.#kept.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#changes.unsubscribe()
    this.#kept.stop()
    this.#broadcast[Symbol.dispose]()
    await this.#kept[Symbol.asyncDispose]()
  }

  async #untilCalled(): Promise<void> {
    const { clock, options$ } = this.#parts
    const { connectTimeout: mostMs = DEFAULT_CONNECT_TIMEOUT_MS } = options$.value
    this.#broadcast.keepForNext()
    for (const startMs = clock.nowMs(); clock.nowMs() - startMs < mostMs;) {
      if (this.#connection !== undefined || !this.#kept.isCalling) return
      await new Promise<void>((resolve) => clock.after(CALL_STEP_MS, resolve))
    }
  }

  get #target(): string {
    return shownTarget(this.#parts.options$.value.address ?? '')
  }

  /** Resolves with the reason for which there is no connection, or none any more. */
  async #connect(signal: AbortSignal, connected: () => void): Promise<string> {
    const { options$, context, clock, sockets } = this.#parts
    let socket: SrtSocket | undefined
    try {
      const port = await SocketsPort.open(sockets, callTargetOf(options$.value).host)
      socket = SrtSocket.over(port, {
        nowMs: () => clock.nowMs(),
        after: (delayMs, run) => clock.after(delayMs, run),
        guard: (run) => context.guard(run),
      })
      const connection = await this.#call(socket, signal)
      this.#calls++
      context.log.info({ target: this.#target }, 'connected')
      context.ready()
      connected()
      return `the connection ended: ${await this.#serve(connection, signal)}`
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    } finally {
      await socket?.close()
    }
  }

  #call(socket: SrtSocket, signal: AbortSignal): Promise<SrtConnection> {
    const options = this.#parts.options$.value
    const { connectTimeout = DEFAULT_CONNECT_TIMEOUT_MS, idle = DEFAULT_IDLE_MS, maxRate = Infinity } = options
    return socket.connect({
      ...callTargetOf(options),
      timeoutMs: connectTimeout,
      signal,
      connection: {
        idleUs: idle * 1000,
        maxBytesPerSecond: maxRate / 8,
        source: this.#broadcast,
        receivesData: false,
      },
    })
  }

  /** Resolves with the reason for which the connection has ended. */
  async #serve(connection: SrtConnection, signal: AbortSignal): Promise<EndReason> {
    const receiver = new SrtReceiver(connection)
    this.#connection = connection
    this.#window.setBounds(pushWindowOf(connection.stats().send.latencyUs / 1000))
    this.#totals.add(connection)
    this.#broadcast.add(receiver)
    const leave = (): void => connection.end()
    signal.addEventListener('abort', leave)
    if (signal.aborted) leave()
    try {
      return await connection.closed
    } finally {
      signal.removeEventListener('abort', leave)
      this.#broadcast.delete(receiver)
      this.#connection = undefined
    }
  }

  #note(why: string): void {
    this.#failures++
    this.#parts.context.degraded(`cannot send to ${this.#target}: ${why}`)
  }
}

/** What cannot be changed while it is connected, as text to compare. */
function connectionOf(options: SrtOutputOptions): string {
  return JSON.stringify([callTargetOf(options), options.idle])
}
