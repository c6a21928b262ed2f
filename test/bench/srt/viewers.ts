// `engine run` with an output `srt` and viewers in this process: its processor time and memory.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { buildTs } from '@millrace/engine/testing'
import { SrtSocket } from '@millrace/srt/node'
import type { DatagramPort, SrtConnection } from '@millrace/srt/node'
import { startEngine } from '../../e2e/kit/start-engine.js'
import type { EngineProcess } from '../../e2e/kit/start-engine.js'
import { coreShare, residentBytes } from '../measure/process-usage.js'

const HOST = '127.0.0.1'
const WARM_UP_MS = 8000
const SETTLE_MS = 3000
/** Shorter than the 5 s after which a silent viewer is disconnected. */
const SILENT_MS = 4000

export interface ViewersFigures {
  readonly viewers: number
  /** Of a core. */
  readonly share: number
  /** What arrived, of what the stream has. */
  readonly received: number
  readonly lost: number
  readonly skips: number
  /** Growth of the process: while all viewers read, and at most while none acknowledges anything. */
  readonly bytesPerViewer: number
  readonly silentBytesPerViewer: number
}

export interface ViewersLoad {
  readonly viewers: number
  readonly mbit: number
  readonly latencyMs: number
  readonly seconds: number
}

export async function measureViewers({ viewers, mbit, latencyMs, seconds }: ViewersLoad): Promise<ViewersFigures> {
  const rate = mbit * 1e6
  const stream = buildTs({ durationS: 20, muxRate: rate, video: { gopFrames: 25, bitrate: rate * 0.85 } }).bytes
  await using engine = await startEngine({ yaml: YAML, files: { 'stream.ts': stream } })
  await engine.ready()
  const listener = (await engine.status()).listeners.find(({ name }) => name === 'srt')
  const port = Number(listener?.address.split(':').at(-1))
  await pause(WARM_UP_MS)
  const pid = engine.child.pid
  const alone = await settledMemory(pid)
  const gate = await Gate.open()
  await using socket = SrtSocket.over(gate, HOST_CLOCK)
  const connections: SrtConnection[] = []
  let bytes = 0
  for (let at = 0; at < viewers; at++) {
    const connection = await socket.connect({ host: HOST, port, latencyMs, timeoutMs: 10_000 })
    connection.onData = (payloads) => {
      for (const payload of payloads) bytes += payload.length
    }
    connections.push(connection)
  }
  await pause(SETTLE_MS + latencyMs)
  const before = { bytes, atMs: performance.now() }
  const share = await coreShare(pid, seconds * 1000)
  const received = ((bytes - before.bytes) * 8000) / ((performance.now() - before.atMs) * viewers * rate)
  const reading = await settledMemory(pid)
  const lost = connections.reduce((sum, connection) => sum + connection.stats().receive.dropped, 0)
  const skips = await skipsOf(engine)
  gate.isSilent = true
  let most = 0
  for (const endMs = performance.now() + SILENT_MS; performance.now() < endMs; await pause(100))
    most = Math.max(most, residentBytes(pid))
  return {
    ...{ viewers, share, received, lost, skips },
    bytesPerViewer: (reading - alone) / viewers,
    silentBytesPerViewer: (most - alone) / viewers,
  }
}

const YAML = `
version: 1
engine: { api: { address: "127.0.0.1:0" } }
listeners: { srt: { protocol: srt, address: "127.0.0.1:0", default: { stream: one } } }
pipelines:
  one:
    inputs: { in: { type: file, path: stream.ts, loop: true, batch: 20ms } }
    transforms: { gops: { type: gop, from: in } }
    outputs: { view: { type: srt, from: gops, listener: srt } }
`

async function skipsOf(engine: EngineProcess): Promise<number> {
  const { details } = await engine.node('one/view')
  return Number((details as { skips?: number } | undefined)?.skips ?? 0)
}

/** The least of some readings: what the garbage collector leaves. */
async function settledMemory(pid: number): Promise<number> {
  let least = Infinity
  for (let turn = 0; turn < 20; turn++) {
    least = Math.min(least, residentBytes(pid))
    await pause(100)
  }
  return least
}

const HOST_CLOCK = {
  nowMs: () => performance.now(),
  after: (delayMs: number, run: () => void) => {
    const timer = setTimeout(run, delayMs)
    return { [Symbol.dispose]: () => clearTimeout(timer) }
  },
  guard: (run: () => void) => run,
}

/** A socket that can fall silent: what it receives arrives, and what it sends does not. */
class Gate implements DatagramPort {
  isSilent = false
  readonly errors = 0
  readonly lastError = undefined
  readonly #socket = createSocket({ type: 'udp4', lookup: (address, _family, done) => done(null, address, 4) })

  static async open(): Promise<Gate> {
    const gate = new Gate()
    const listening = once(gate.#socket, 'listening')
    gate.#socket.bind(0, HOST)
    await listening
    gate.#socket.setRecvBufferSize(8 * 1024 * 1024)
    return gate
  }

  get address(): { address: string; port: number } {
    return this.#socket.address()
  }

  get receiveBufferBytes(): number {
    return this.#socket.getRecvBufferSize()
  }

  onDatagram(handler: (datagram: Uint8Array, from: { address: string; port: number }) => void): void {
    this.#socket.on('message', handler)
  }

  send(datagram: Uint8Array, { address, port }: { address: string; port: number }): void {
    if (!this.isSilent) this.#socket.send(datagram, port, address)
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()))
  }
}
