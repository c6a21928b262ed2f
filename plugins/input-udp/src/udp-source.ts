// The source: each subscription is one attempt with a socket of its own.
import { isMulticast, parseSocketAddress } from '@millrace/engine/plugin'
import type {
  Clock,
  DatagramBatch,
  Json,
  Membership,
  NodeContext,
  Options,
  Received,
  SocketAddress,
  Sockets,
  Source,
  UdpSocket,
} from '@millrace/engine/plugin'
import { Observable, type Subscriber, type Subscription } from 'rxjs'
import { DatagramReceiver, type ReceiverSettings } from './datagram-receiver.js'
import { PayloadBatch } from './payload-batch.js'
import { plainHost } from './plain-host.js'
import { registerMetrics } from './udp-counters.js'
import { udpError } from './udp-errors.js'
import type { UdpOptions } from './udp-options.js'

export interface UdpSourceParts {
  readonly options$: Options<UdpOptions>
  readonly context: NodeContext
  readonly clock: Clock
  readonly sockets: Sockets
}

/** A source that is silent for this long counts as absent. */
const ABSENT_AFTER_MS = 5000
/** How often silence is looked for. */
const CHECK_MS = 500

export class UdpSource implements Source<Received> {
  readonly chunks: Observable<Received>
  readonly #parts: UdpSourceParts
  readonly #bind: SocketAddress
  readonly #receiver: DatagramReceiver
  readonly #changes: Subscription
  readonly #closing = new Set<Promise<void>>()
  #attempt: Attempt | undefined
  /** Of sockets that have closed. */
  #earlierDrops = 0

  constructor(parts: UdpSourceParts) {
    const { options$, context } = parts
    this.#parts = parts
    this.#bind = parseSocketAddress(options$.value.address)
    this.#receiver = new DatagramReceiver(receiverSettings(options$.value), {
      onPayload: (bytes, start, end) => this.#attempt?.append(bytes, start, end),
      onBoundary: () => this.#attempt?.boundary(),
      onSecondSender: (first, second) =>
        context.log.warn(
          { first, second },
          'two senders at the same time: the second is ignored; set `source` to the right one',
        ),
    })
    registerMetrics(context, {
      counters: this.#receiver.counters,
      rtp: this.#receiver.rtpCounters,
      receiveBufferBytes: () => this.#attempt?.socket?.receiveBufferBytes ?? 0,
      kernelDrops: () => this.#earlierDrops + (this.#attempt?.socket?.kernelDrops() ?? 0),
    })
    context.details(() => this.#details())
    this.#changes = options$.subscribe((options) => {
      this.#receiver.update(receiverSettings(options))
      this.#attempt?.update(options)
    })
    this.chunks = new Observable((subscriber) => this.#start(subscriber))
  }

  /** Called by the engine at every `batch`: nothing waits in the reorder buffer for longer than it must. */
  onBatch(): void {
    this.#receiver.flush(this.#parts.clock.nowMs())
    this.#attempt?.flush(this.#parts.clock.nowMs())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#changes.unsubscribe()
    this.#end(this.#attempt)
    await Promise.all(this.#closing)
  }

  #start(subscriber: Subscriber<Received>): () => void {
    const attempt = new Attempt(this.#parts, this.#bind, this.#receiver, subscriber)
    this.#attempt = attempt
    attempt.start()
    return () => this.#end(attempt)
  }

  #end(attempt: Attempt | undefined): void {
    if (attempt === undefined) return
    if (attempt === this.#attempt) {
      this.#attempt = undefined
      this.#receiver.reset()
    }
    this.#earlierDrops += attempt.socket?.kernelDrops() ?? 0
    const closing = attempt.close()
    this.#closing.add(closing)
    void closing.finally(() => this.#closing.delete(closing))
  }

  #details(): Json {
    const socket = this.#attempt?.socket
    const { sender, isRtp } = this.#receiver
    if (socket === undefined) return { open: false }
    const { host, port } = socket.address
    return { address: host, port, receiveBuffer: socket.receiveBufferBytes, sender, rtp: isRtp }
  }
}

class Attempt {
  socket: UdpSocket | undefined
  readonly #parts: UdpSourceParts
  readonly #bind: SocketAddress
  readonly #receiver: DatagramReceiver
  readonly #subscriber: Subscriber<Received>
  readonly #batch: PayloadBatch
  #opening: Promise<void> | undefined
  #timer: Disposable | undefined
  #isClosed = false
  #isAbsent = false
  #batchMs = 0
  #lastMs: number
  #joinedMs: number
  #joined: readonly Membership[] = []
  /** The log has said that joining again fails. */
  #isJoinTold = false

  constructor(
    parts: UdpSourceParts,
    bind: SocketAddress,
    receiver: DatagramReceiver,
    subscriber: Subscriber<Received>,
  ) {
    this.#parts = parts
    this.#bind = bind
    this.#receiver = receiver
    this.#subscriber = subscriber
    this.#lastMs = this.#joinedMs = parts.clock.nowMs()
    this.#batch = new PayloadBatch((bytes) => subscriber.next({ bytes, receivedAtMs: this.#batchMs }))
  }

  start(): void {
    this.#opening = this.#open().catch((error: unknown) => {
      if (!this.#isClosed) this.#subscriber.error(error)
    })
  }

  append(bytes: Uint8Array, start: number, end: number): void {
    this.#batch.append(bytes, start, end)
  }

  boundary(): void {
    this.#batch.flush()
    this.#subscriber.next({ boundary: true, timeline: 'elapsed' })
  }

  flush(nowMs: number): void {
    this.#batchMs = nowMs
    this.#batch.flush()
  }

  update(options: UdpOptions): void {
    const { socket } = this
    if (socket === undefined) return
    socket.setReceiveBuffer(options.receiveBuffer)
    this.#checkBuffer(socket, options.receiveBuffer)
    const wanted = this.#memberships(options)
    if (JSON.stringify(wanted) === JSON.stringify(this.#joined)) return
    try {
      this.#join(socket, wanted)
    } catch (error) {
      this.#subscriber.error(error)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.[Symbol.dispose]()
    await this.socket?.[Symbol.asyncDispose]()
    await this.#opening
  }

  async #open(): Promise<void> {
    const { sockets, options$, clock } = this.#parts
    const { receiveBuffer, reuseAddress = isMulticast(this.#bind.host), interface: wanted } = options$.value
    const socket = await sockets.udp({
      bind: this.#bind,
      ...(wanted === undefined ? {} : { interface: wanted }),
      reuseAddress,
      receiveBufferBytes: receiveBuffer,
      onDatagrams: (batch) => this.#take(batch),
      onError: (error) => this.#subscriber.error(error),
    })
    if (this.#isClosed) return socket[Symbol.asyncDispose]()
    this.socket = socket
    this.#join(socket, this.#memberships(options$.value))
    this.#checkBuffer(socket, options$.value.receiveBuffer)
    this.#timer = clock.every(CHECK_MS, () => this.#checkSilence())
    this.#noteAbsence()
  }

  #take(batch: DatagramBatch): void {
    const nowMs = batch.receivedAtMs
    this.#batchMs = nowMs
    for (let at = 0; at < batch.length && !this.#isClosed; at++) {
      this.#receiver.receive(batch.bytes(at), batch.host(at), batch.port(at), nowMs)
    }
    // Whoever is not a source must not hide that the source is silent.
    if (this.#receiver.acceptedMs === nowMs) this.#lastMs = nowMs
    if (this.#isAbsent && this.#lastMs === nowMs) {
      this.#isAbsent = false
      this.#parts.context.ready()
    }
    this.#batch.flush()
  }

  /** Nobody sends: UDP has no connection that would tell. */
  #noteAbsence(): void {
    if (this.#isAbsent) return
    this.#isAbsent = true
    this.#parts.context.waiting(`nothing arrives at ${this.#parts.options$.value.address}`)
  }

  #checkSilence(): void {
    const { clock, options$ } = this.#parts
    const { readTimeout, rejoin, address } = options$.value
    const nowMs = clock.nowMs()
    const silentMs = nowMs - this.#lastMs
    if (silentMs >= ABSENT_AFTER_MS) this.#noteAbsence()
    if (readTimeout > 0 && silentMs >= readTimeout) {
      const detail = `nothing arrived at ${address} for ${readTimeout / 1000} s`
      this.#subscriber.error(udpError('UDP_SILENT', detail, { retryAfterMs: 0 }))
    } else if (rejoin > 0 && silentMs >= rejoin && nowMs - this.#joinedMs >= rejoin && this.socket !== undefined) {
      this.#rejoin(this.socket)
    }
  }

  /** What is gone, such as an interface whose cable is out, may come back: it is tried again after `rejoin`. */
  #rejoin(socket: UdpSocket): void {
    try {
      this.#join(socket, this.#joined)
      if (this.#isJoinTold) this.#parts.context.log.info({ group: this.#bind.host }, 'joined again')
      this.#isJoinTold = false
    } catch (error) {
      if (this.#isJoinTold) return
      this.#isJoinTold = true
      const text = error instanceof Error ? error.message : String(error)
      this.#parts.context.log.warn({ err: error }, `cannot join again, and tries later: ${text}`)
    }
  }

  /** Throws SOCKET_JOIN, SOCKET_NO_INTERFACE. */
  #join(socket: UdpSocket, wanted: readonly Membership[]): void {
    for (const membership of this.#joined) socket.leave(membership)
    this.#joined = wanted
    this.#joinedMs = this.#parts.clock.nowMs()
    for (const membership of wanted) socket.join(membership)
  }

  #memberships({ source, interface: wanted }: UdpOptions): readonly Membership[] {
    const { host } = this.#bind
    if (!isMulticast(host)) return []
    const group = { group: host, ...(wanted === undefined ? {} : { interface: wanted }) }
    return source === undefined ? [group] : [source].flat().map((each) => ({ ...group, source: each }))
  }

  #checkBuffer({ receiveBufferBytes: granted }: UdpSocket, wanted: number): void {
    if (granted >= wanted) return
    this.#parts.context.log.warn(
      { wanted, granted },
      `the kernel grants a receive buffer of ${granted} bytes instead of ${wanted}, and drops what does not fit: sysctl -w net.core.rmem_max=${wanted}`,
    )
  }
}

function receiverSettings({ source, rtp, reorder }: UdpOptions): ReceiverSettings {
  const sources = source === undefined ? undefined : new Set([source].flat().map(plainHost))
  return { sources, rtp, reorder: { packets: reorder.packets, delayMs: reorder.delay } }
}
