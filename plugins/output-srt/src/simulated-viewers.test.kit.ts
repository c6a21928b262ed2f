// A broadcast and its viewers in simulated time: sockets without a network, which a test can make lossy or silent.
import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import type { AnyChunk, Inlet } from '@millrace/engine/plugin'
import { buildTs, FakeClock, TestDelivery } from '@millrace/engine/testing'
import { Framer } from '@millrace/media/mpegts'
import { SrtSocket } from '@millrace/srt/node'
import type { DatagramPort, SrtConnection } from '@millrace/srt/node'
import { Subject } from 'rxjs'
import { SrtBroadcast } from './srt-broadcast.js'
import { SrtReceiver } from './srt-receiver.js'

type Peer = DatagramPort['address']
const DELAY_MS = 10
const STEP_MS = 5
const SERVER: Peer = { address: '127.0.0.1', port: 1 }

interface Batch {
  readonly atMs: number
  readonly datagrams: { readonly bytes: Uint8Array; readonly port: number }[]
}

class Port implements DatagramPort {
  readonly receiveBufferBytes = 0
  readonly errors = 0
  readonly lastError = undefined
  readonly queuedBytes = 0
  readonly address: Peer
  readonly #network: Map<number, Port>
  readonly #clock: FakeClock
  #batch: Batch = { atMs: -1, datagrams: [] }
  handler: ((datagram: Uint8Array, from: Peer) => void) | undefined
  /** What it sends is lost. */
  isSilent = false
  /** Times and sizes of what it has sent. */
  readonly sent: { readonly atMs: number; readonly bytes: number; readonly isControl: boolean }[] = []

  constructor(address: Peer, network: Map<number, Port>, clock: FakeClock) {
    this.address = address
    this.#network = network
    this.#clock = clock
    network.set(address.port, this)
  }

  onDatagram(handler: (datagram: Uint8Array, from: Peer) => void): void {
    this.handler = handler
  }

  send(datagram: Uint8Array, { port }: Peer): void {
    this.sent.push({ atMs: this.#clock.nowMs(), bytes: datagram.length, isControl: (datagram[0]! & 0x80) !== 0 })
    if (this.isSilent) return
    // The memory is used again when `send` has returned.
    const bytes = datagram.slice()
    const nowMs = this.#clock.nowMs()
    if (this.#batch.atMs !== nowMs) this.#batch = this.#begin(nowMs)
    this.#batch.datagrams.push({ bytes, port })
  }

  /** What it sends in one moment arrives together. */
  #begin(atMs: number): Batch {
    const batch: Batch = { atMs, datagrams: [] }
    this.#clock.after(DELAY_MS, () => {
      for (const { bytes, port } of batch.datagrams) this.#network.get(port)?.handler?.(bytes, { ...this.address })
    })
    return batch
  }

  close(): Promise<void> {
    this.#network.delete(this.address.port)
    return Promise.resolve()
  }
}

interface CallOptions {
  readonly latencyMs?: number
  readonly mtu?: number
}

export interface Viewer {
  readonly port: Port
  readonly connection: SrtConnection
  /** The end of the connection at the output. */
  readonly receiver: SrtReceiver
  received: Uint8Array[]
}

export class SimulatedViewers implements AsyncDisposable {
  readonly clock = new FakeClock()
  readonly window
  readonly broadcast: SrtBroadcast
  readonly skipped: SrtReceiver[] = []
  /** Bytes of the stream so far, as the source has them. */
  played = 0
  readonly serverPort: Port
  readonly #network = new Map<number, Port>()
  readonly #server: SrtSocket
  readonly #sockets: SrtSocket[] = []
  readonly #chunks = new Subject<AnyChunk>()
  /** By the port of the viewer. */
  readonly #receivers = new Map<number, SrtReceiver>()
  readonly #stream: Uint8Array
  readonly #bytesPerMs: number
  readonly #framer = new Framer()

  /** A stream of 2 Mbit/s with a key frame each second; `windowMs`: of the window. */
  constructor(windowMs = 10_000, mbit = 2) {
    this.#bytesPerMs = (mbit * 1000) / 8
    const video = { gopFrames: 25, bitrate: mbit * 850_000 }
    this.#stream = buildTs({ durationS: 8, muxRate: mbit * 1e6, video }).bytes
    const delivery = new TestDelivery(this.clock)
    this.window = delivery.window({ durationMs: windowMs, sizeBytes: 64 * 1024 * 1024 })
    this.broadcast = new SrtBroadcast({
      ...{ clock: this.clock, window: this.window, onSent: () => undefined },
      onSkip: (receiver) => void this.skipped.push(receiver),
    })
    this.broadcast.accept([{ id: 'in.out', chunks: this.#chunks, pausable: false } as unknown as Inlet])
    this.serverPort = new Port(SERVER, this.#network, this.clock)
    this.#server = this.#open(this.serverPort)
    this.#server.listen({
      connection: { source: this.broadcast },
      onConnection: (connection) => {
        const receiver = new SrtReceiver(connection)
        connection.onClose = () => this.broadcast.delete(receiver)
        this.broadcast.add(receiver)
        this.#receivers.set(connection.peer.port, receiver)
      },
    })
  }

  async call(options: CallOptions = {}): Promise<Viewer> {
    let open: readonly [Port, SrtConnection] | undefined
    void this.#call(options).then((both) => (open = both))
    for (let step = 0; open === undefined; step++) {
      assert.ok(step < 500, 'no connection')
      await this.run(STEP_MS)
    }
    return this.#watch(...open)
  }

  /** Viewers that call at once; the ends of their connections come in the order of their ports. */
  async callMany(count: number): Promise<readonly Viewer[]> {
    const calls = Array.from({ length: count }, () => this.#call({}))
    let open: readonly (readonly [Port, SrtConnection])[] | undefined
    void Promise.all(calls).then((all) => (open = all))
    for (let step = 0; open === undefined; step++) {
      assert.ok(step < 500, 'no connections')
      await this.run(STEP_MS)
    }
    return open.map(([port, connection]) => this.#watch(port, connection))
  }

  /** Time passes without a stream. */
  async run(forMs: number): Promise<void> {
    for (let passed = 0; passed < forMs; passed += STEP_MS) {
      this.clock.advance(STEP_MS)
      await turn()
    }
  }

  /** Time passes, and the source brings a chunk of the stream each `batchMs`. */
  async play(forMs: number, batchMs = 20): Promise<void> {
    for (let passed = 0; passed < forMs; passed += batchMs) {
      const [from, startMs] = [this.played, this.clock.nowMs()]
      await this.run(batchMs)
      const due = from + batchMs * this.#bytesPerMs
      const to = Math.min(this.#stream.length, due - (due % 188))
      this.played = to
      const step = this.#framer.push(this.#stream.subarray(from, to), startMs)
      for (const chunk of [...step, ...this.#framer.flush(this.clock.nowMs())]) this.#chunks.next(chunk)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.broadcast[Symbol.dispose]()
    for (const socket of [...this.#sockets]) await socket.close()
  }

  async #call({ latencyMs = 200, mtu = 1500 }: CallOptions): Promise<readonly [Port, SrtConnection]> {
    const port = new Port({ address: '127.0.0.1', port: 2 + this.#sockets.length }, this.#network, this.clock)
    const socket = this.#open(port)
    return [port, await socket.connect({ host: '127.0.0.1', port: SERVER.port, latencyMs, connection: { mtu } })]
  }

  #watch(port: Port, connection: SrtConnection): Viewer {
    const viewer: Viewer = { port, connection, receiver: this.#receivers.get(port.address.port)!, received: [] }
    connection.onData = (payloads) => void viewer.received.push(...payloads)
    return viewer
  }

  #open(port: Port): SrtSocket {
    const { clock } = this
    const socket = SrtSocket.over(port, {
      nowMs: () => clock.nowMs(),
      after: (delayMs, run) => clock.after(delayMs, run),
      guard: (run) => run,
    })
    this.#sockets.push(socket)
    return socket
  }
}

/** Whole packets, without errors of the continuity counters; returns how many, and how often a PID was announced as cut. */
export function checkPackets(payloads: readonly Uint8Array[]): { packets: number; announced: number; errors: number } {
  const counters = new Map<number, number>()
  let [packets, announced, errors] = [0, 0, 0]
  for (const payload of payloads) {
    assert.equal(payload.length % 188, 0)
    for (let at = 0; at < payload.length; at += 188) {
      packets++
      assert.equal(payload[at], 0x47)
      const pid = ((payload[at + 1]! & 0x1f) << 8) | payload[at + 2]!
      if (pid === 0x1fff) continue
      const hasField = (payload[at + 3]! & 0x20) !== 0
      const isCut = hasField && payload[at + 4]! > 0 && (payload[at + 5]! & 0x80) !== 0
      const counter = payload[at + 3]! & 0x0f
      const last = counters.get(pid)
      const expected = last === undefined ? counter : (last + ((payload[at + 3]! & 0x10) === 0 ? 0 : 1)) & 0x0f
      if (isCut) announced++
      else if (counter !== expected) errors++
      counters.set(pid, counter)
    }
  }
  return { packets, announced, errors }
}
