// The output: chunks are planned by the pacer, packed into datagrams when they are due, and sent.
import { EntryBuilder, isMulticast, parseSocketAddress, zoneOf } from '@millrace/engine/plugin'
import type {
  AnyChunk,
  Clock,
  EngineError,
  Inlet,
  NodeContext,
  Options,
  Output,
  SendResult,
  SocketAddress,
  Sockets,
  UdpSocket,
} from '@millrace/engine/plugin'
import { Subscription } from 'rxjs'
import { DatagramPacker, type RtpNumbers } from './datagram-packer.js'
import { MAX_PACED_BYTES, PcrPacer } from '@millrace/media/mpegts'
import type { UdpOutputOptions } from './udp-options.js'

export interface UdpOutputParts {
  readonly options$: Options<UdpOutputOptions>
  readonly context: NodeContext
  readonly clock: Clock
  readonly sockets: Sockets
  /** Of the output that it replaces. */
  readonly stream: SentStream | undefined
  /** Numbers in [0, 1). */
  readonly random: () => number
}

/** What goes on when a reload replaces the output: the queue, the numbering, and the counters of the stream. */
export interface SentStream {
  readonly entries: EntryBuilder
  readonly pacer: PcrPacer
  readonly rtp: RtpNumbers
  /** The output that sends it. */
  sender: { handOver(to: DatagramPacker, nowMs: number): void } | undefined
}

const TICK_MS = 5
/** An unfinished datagram waits so long for more bytes. */
const REST_MS = 100
/** A source that can wait does when so much more than `latency` is planned. */
const HOLD_ABOVE_MS = 300
/** Without a failure for so long, sending works again: a closed port refuses only every second datagram. */
const RECOVERED_MS = 5_000
const LOG_EVERY_MS = 10_000
const NO_MARKS = new Int32Array(0)
const RANGE_32 = 2 ** 32
const RANGE_16 = 2 ** 16

export class UdpOutput implements Output {
  readonly #parts: UdpOutputParts
  readonly #stream: SentStream
  readonly #packer: DatagramPacker
  readonly #to: SocketAddress | undefined
  #socket: UdpSocket | undefined
  #timer: Disposable | undefined
  #hold: Disposable | undefined
  #inlet: Inlet | undefined
  #datagrams = 0
  #failures = 0
  #failedMs = -Infinity
  #loggedMs = -Infinity
  #isDegraded = false
  #onIdle: (() => void) | undefined

  /** Rejects with an error of the table SOCKET_.... */
  static async open(parts: UdpOutputParts): Promise<UdpOutput> {
    const output = new UdpOutput(parts)
    await output.#open()
    return output
  }

  private constructor(parts: UdpOutputParts) {
    this.#parts = parts
    const { options$, random, context } = parts
    const { packetSize, rtp, address } = options$.value
    this.#stream = parts.stream ?? {
      entries: new EntryBuilder(false),
      pacer: new PcrPacer(),
      rtp: {
        sequence: Math.floor(random() * RANGE_16),
        ssrc: Math.floor(random() * RANGE_32),
        timestamp0: Math.floor(random() * RANGE_32),
      },
      sender: undefined,
    }
    const numbers = rtp ? this.#stream.rtp : undefined
    this.#packer = new DatagramPacker(packetSize, numbers, (bytes) => this.#socket?.send(bytes, this.#to))
    const target = parseSocketAddress(address)
    this.#to = isMulticast(target.host) ? target : undefined
    context.readMetric('udp_sent_datagrams_total', () => this.#datagrams)
    context.readMetric('udp_send_errors_total', () => this.#failures)
    context.readMetric('udp_send_dropped_total', () => this.#packer.dropped)
    context.readMetric('udp_send_queue_bytes', () => this.#stream.pacer.queuedBytes + (this.#socket?.queuedBytes ?? 0))
    context.readMetric('udp_pace_restarts_total', () => this.#stream.pacer.anchors)
    context.details(() => ({
      to: address,
      queuedMs: this.#queuedMs(),
      ...(rtp ? { ssrc: this.#stream.rtp.ssrc } : {}),
    }))
  }

  accept([inlet]: readonly Inlet[]): Subscription {
    if (inlet === undefined) return Subscription.EMPTY
    this.#inlet = inlet
    const { clock, options$ } = this.#parts
    return inlet.chunks.subscribe({
      next: (chunk) => {
        this.#begin()
        const nowMs = clock.nowMs()
        const isPaced = options$.value.pace !== 'none'
        // What a paced output before this one has left comes first.
        if (!isPaced) this.#sendDue(Infinity, nowMs)
        this.#take(chunk, nowMs, isPaced, inlet.pausable)
        this.#timer ??= clock.every(TICK_MS, () => this.#tick())
        if (!isPaced) return
        // It is all due: it does not wait for the timer.
        if (this.#stream.pacer.queuedBytes > MAX_PACED_BYTES) this.#tick()
        this.#applyHold()
      },
    })
  }

  /** Where packets are missing, their PIDs are announced as discontinuous. */
  #take(chunk: AnyChunk, nowMs: number, isPaced: boolean, canWait: boolean): void {
    const { latency } = this.#parts.options$.value
    let { discontinuity } = chunk
    for (const { bytes, marks = NO_MARKS } of this.#stream.entries.push(chunk)) {
      if (isPaced) this.#stream.pacer.push({ ...chunk, bytes, marks, discontinuity }, nowMs, latency, canWait)
      else this.#packer.write(bytes, 0, bytes.length, nowMs, nowMs)
      discontinuity = false
    }
  }

  /** The node that replaces this one continues its queue and its numbering. */
  snapshotState(): SentStream {
    return this.#stream
  }

  /** The new output sends from here on: what this one had begun is in `to`. */
  handOver(to: DatagramPacker, nowMs: number): void {
    const { bytes, dueMs } = this.#packer.takeRest()
    to.write(bytes, 0, bytes.length, dueMs, nowMs)
    this.#stopTimer()
  }

  /** Resolves when the queue is empty. */
  async drained(): Promise<void> {
    if (this.#timer === undefined) return
    await new Promise<void>((resolve) => (this.#onIdle = resolve))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopTimer()
    this.#hold?.[Symbol.dispose]()
    this.#hold = undefined
    if (this.#stream.sender === this) this.#stream.sender = undefined
    await this.#socket?.[Symbol.asyncDispose]()
  }

  async #open(): Promise<void> {
    const { sockets, options$, context } = this.#parts
    const { address, sendBuffer, ttl = 1, loopback = true } = options$.value
    const target = parseSocketAddress(address)
    const { interface: wanted = zoneOf(target.host) } = options$.value
    const socket = await sockets.udp({
      bind: { host: target.host.includes(':') ? '::' : '0.0.0.0', port: 0 },
      ...(this.#to === undefined ? { connect: target } : {}),
      sendBufferBytes: sendBuffer,
      onSent: (result) => this.#noteSent(result),
      onError: (error) => this.#noteFailure(error),
    })
    try {
      if (this.#to !== undefined) {
        socket.setMulticast({ ttl, loopback, ...(wanted === undefined ? {} : { interface: wanted }) })
      }
    } catch (error) {
      await socket[Symbol.asyncDispose]()
      throw error
    }
    this.#socket = socket
    const granted = socket.sendBufferBytes
    if (granted < sendBuffer) {
      const text = `the kernel grants a send buffer of ${granted} bytes instead of ${sendBuffer}`
      context.log.info({ wanted: sendBuffer, granted }, `${text}: sysctl -w net.core.wmem_max=${sendBuffer}`)
    }
  }

  /** Takes over from the output that it replaces, at the first chunk. */
  #begin(): void {
    const { sender } = this.#stream
    if (sender === this) return
    this.#stream.sender = this
    sender?.handOver(this.#packer, this.#parts.clock.nowMs())
  }

  #tick(): void {
    const nowMs = this.#parts.clock.nowMs()
    const { pacer } = this.#stream
    this.#sendDue(nowMs, nowMs)
    if (this.#packer.hasWaited(REST_MS, nowMs)) this.#packer.flush()
    this.#applyHold()
    if (pacer.isEmpty && !this.#packer.hasRest) this.#stopTimer()
  }

  #sendDue(untilMs: number, nowMs: number): void {
    this.#stream.pacer.take(untilMs, (bytes, start, end, dueMs) => this.#packer.write(bytes, start, end, dueMs, nowMs))
  }

  #stopTimer(): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = undefined
    this.#onIdle?.()
    this.#onIdle = undefined
  }

  #queuedMs(): number {
    const { pacer } = this.#stream
    return pacer.isEmpty ? 0 : Math.max(0, Math.round(pacer.lastDueMs - this.#parts.clock.nowMs()))
  }

  /** A file that is read as fast as possible waits for the pace. */
  #applyHold(): void {
    if (!this.#inlet?.pausable) return
    const { latency } = this.#parts.options$.value
    const queuedMs = this.#queuedMs()
    if (queuedMs > latency + HOLD_ABOVE_MS) this.#hold ??= this.#inlet.hold()
    else if (this.#hold !== undefined && queuedMs <= latency) {
      const hold = this.#hold
      this.#hold = undefined
      hold[Symbol.dispose]()
    }
  }

  #noteSent({ sent, failed, error }: SendResult): void {
    const { context, clock } = this.#parts
    const bytes = this.#packer.release(sent + failed)
    this.#datagrams += sent
    this.#failures += failed
    // Which of them failed is not known.
    if (sent > 0) context.sent(Math.round((bytes * sent) / (sent + failed)))
    if (error !== undefined) this.#noteFailure(error)
    else if (this.#isDegraded && clock.nowMs() - this.#failedMs >= RECOVERED_MS) {
      this.#isDegraded = false
      context.ready()
    }
  }

  #noteFailure(error: EngineError): void {
    const { context, clock, options$ } = this.#parts
    const nowMs = clock.nowMs()
    this.#failedMs = nowMs
    const text = `cannot send to ${options$.value.address}: ${error.message}`
    if (!this.#isDegraded) context.degraded(text)
    else if (nowMs - this.#loggedMs >= LOG_EVERY_MS) context.log.warn({ failures: this.#failures }, text)
    else return
    this.#isDegraded = true
    this.#loggedMs = nowMs
  }
}
