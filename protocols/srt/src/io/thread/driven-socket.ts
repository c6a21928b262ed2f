// A socket that is driven by the messages of another thread.
import type { PeerAddress } from '../../handshake/cookie.js'
import type { SrtDecision, SrtRequest } from '../socket-options.js'
import type { SrtConnection } from '../srt-connection.js'
import type { SrtSocket } from '../srt-socket.js'
import { memoryOf, packPayloads, plainError, unpackPayloads } from './thread-messages.js'
import type {
  FromThread,
  Handlers,
  OpenedConnection,
  Payloads,
  PlainConnect,
  PlainDecision,
  PlainListen,
  ToThread,
} from './thread-messages.js'

/** Of payloads that the program has not taken yet; what comes on top is dropped. */
const MOST_UNTAKEN_BYTES = 32 * 1024 * 1024
/** Refusals that the program has not taken yet; further ones are not told. */
const MOST_UNTAKEN_REFUSALS = 256

export interface DrivenSocketHost {
  post(message: FromThread, transfer?: ArrayBuffer[]): void
  /** What is added to times of the program's clock. */
  readonly offsetMs: number
  /** The socket is closed. */
  closed(): void
}

export class DrivenSocket {
  readonly #socket: SrtSocket
  readonly #host: DrivenSocketHost
  readonly #mostUntakenBytes: number
  readonly #connections = new Map<number, SrtConnection>()
  readonly #decisions = new Map<number, (decision: PlainDecision) => void>()
  readonly #calls = new Map<number, AbortController>()
  #lastConnection = 0
  #lastRequest = 0
  /** Payloads that are due in this turn of the event loop: connections deliver together. */
  #due: [connection: number, payloads: Uint8Array[]][] = []
  #untakenBytes = 0
  #untakenRefusals = 0
  #untaken = 0

  readonly #handlers: Handlers<ToThread> = {
    listen: ({ options }) => this.#listen(options),
    'stop-listening': () => this.#socket.stopListening(),
    decide: ({ request, decision }) => {
      this.#decisions.get(request)?.(decision)
      this.#decisions.delete(request)
    },
    connect: ({ call, options }) => void this.#connect(call, options),
    'give-up': ({ call }) => this.#calls.get(call)?.abort(),
    send: ({ payloads, originMs }) => this.#send(payloads, originMs),
    close: ({ connection }) => void this.#connections.get(connection)?.close(),
    end: ({ connection, reason }) => this.#connections.get(connection)?.end(reason),
    taken: ({ bytes, refusals }) => {
      this.#untakenBytes -= bytes
      this.#untakenRefusals -= refusals
    },
    state: () => this.#tellState(),
    'shut-down': () => void this.#shutDown(),
  }

  constructor(socket: SrtSocket, host: DrivenSocketHost, mostUntakenBytes = MOST_UNTAKEN_BYTES) {
    this.#socket = socket
    this.#host = host
    this.#mostUntakenBytes = mostUntakenBytes
  }

  take(message: ToThread): void {
    const handle = this.#handlers[message.type] as (message: ToThread) => void
    handle(message)
  }

  #listen(options: PlainListen): void {
    this.#socket.listen({
      ...options,
      onRequest: (request) => this.#ask(request),
      // Each decision has a function of its own.
      onConnection: (connection) => connection.end(),
      onRefused: (peer, code) => this.#tellRefused(peer, code),
    })
  }

  #tellRefused(peer: PeerAddress, code: number): void {
    if (this.#untakenRefusals >= MOST_UNTAKEN_REFUSALS) return
    this.#untakenRefusals++
    this.#host.post({ type: 'refused', peer: { ...peer }, code })
  }

  async #ask({ peer, streamId, peerVersion, hasPassphrase }: SrtRequest): Promise<SrtDecision> {
    const request = ++this.#lastRequest
    const decided = new Promise<PlainDecision>((resolve) => this.#decisions.set(request, resolve))
    this.#host.post({ type: 'request', request, asked: { peer: { ...peer }, streamId, peerVersion, hasPassphrase } })
    const decision = await decided
    if ('reject' in decision) return decision
    return {
      ...decision,
      onConnection: (connection) => this.#host.post({ type: 'accepted', request, connection: this.#open(connection) }),
      onRefused: (code) => this.#host.post({ type: 'unconnected', request, code }),
    }
  }

  async #connect(call: number, options: PlainConnect): Promise<void> {
    const end = new AbortController()
    this.#calls.set(call, end)
    try {
      const connection = await this.#socket.connect({ ...options, signal: end.signal })
      this.#host.post({ type: 'called', call, connection: this.#open(connection) })
    } catch (error) {
      this.#host.post({ type: 'call-failed', call, error: plainError(error) })
    } finally {
      this.#calls.delete(call)
    }
  }

  #open(connection: SrtConnection): OpenedConnection {
    const id = ++this.#lastConnection
    this.#connections.set(id, connection)
    connection.onData = (payloads) => this.#deliver(id, payloads)
    connection.onClose = (reason) => {
      this.#connections.delete(id)
      this.#flush()
      this.#host.post({ type: 'ended', connection: id, reason })
    }
    const { peer, streamId, payloadBytes } = connection
    return { id, peer: { ...peer }, streamId, payloadBytes, stats: connection.stats() }
  }

  #deliver(id: number, payloads: Uint8Array[]): void {
    if (this.#due.length === 0) queueMicrotask(() => this.#flush())
    this.#due.push([id, payloads])
  }

  #flush(): void {
    if (this.#due.length === 0) return
    const due = this.#due
    this.#due = []
    if (this.#untakenBytes > this.#mostUntakenBytes) {
      for (const [, payloads] of due) this.#untaken += payloads.length
      return
    }
    const runs = due.map(([connection, payloads]) => packPayloads(connection, payloads))
    for (const { bytes } of runs) this.#untakenBytes += bytes.byteLength
    this.#host.post({ type: 'data', runs }, runs.flatMap(memoryOf))
  }

  #send(payloads: Payloads, originMs: number | undefined): void {
    const { connection: id, bytes } = payloads
    const run = unpackPayloads(payloads)
    const originHereMs = originMs === undefined ? undefined : originMs + this.#host.offsetMs
    const taken = this.#connections.get(id)?.send(run, originHereMs) ?? 0
    this.#host.post({ type: 'sent', connection: id, bytes: bytes.byteLength, untaken: run.length - taken })
  }

  #tellState(): void {
    const { count: errors, last } = this.#socket.errors
    const connections = Array.from(this.#connections, ([id, connection]) => [id, connection.stats()] as const)
    const state = {
      endpoint: this.#socket.stats(),
      errors,
      lastError: last?.message,
      untaken: this.#untaken,
      connections,
    }
    this.#host.post({ type: 'state', state })
  }

  async #shutDown(): Promise<void> {
    await this.#socket.close()
    this.#host.closed()
  }
}
