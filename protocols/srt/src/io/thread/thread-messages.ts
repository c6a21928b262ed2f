// What a program and the thread of its socket tell each other. Connections, requests and calls have numbers.
import process from 'node:process'
import type { EndReason } from '../../connection.js'
import type { ConnectionStats } from '../../connection-stats.js'
import type { EndpointStats } from '../../endpoint-stats.js'
import type { PeerAddress } from '../../handshake/cookie.js'
import type { ConnectOptions, ListenOptions, SocketOptions, SrtOptions, SrtRequest } from '../socket-options.js'
import type { SrtErrorCode } from '../srt-error.js'

/** Options of connections that pass between threads. */
export type PlainOptions = Omit<SrtOptions, 'connection'> & {
  readonly connection?: Omit<NonNullable<SrtOptions['connection']>, 'source'>
}

export type PlainListen = PlainOptions & Pick<ListenOptions, 'keyLength' | 'maxPending'>
export type PlainConnect = PlainOptions & Pick<ConnectOptions, 'host' | 'port' | 'streamId' | 'keyLength' | 'timeoutMs'>
export type PlainDecision = { readonly reject: number } | (PlainOptions & { readonly replaceEarlier?: boolean })

export interface ThreadData {
  readonly socket: SocketOptions
  /** When the clock of the program's thread began: see `originMs`. */
  readonly originMs: number
}

/** Payloads of one connection, in memory of their own. */
export interface Payloads {
  readonly connection: number
  readonly bytes: ArrayBuffer
  readonly lengths: Uint32Array<ArrayBuffer>
}

export interface PlainError {
  readonly code: string
  readonly message: string
  readonly rejectCode?: number | undefined
}

export interface OpenedConnection {
  readonly id: number
  readonly peer: PeerAddress
  readonly streamId: string | undefined
  readonly payloadBytes: number
  readonly stats: ConnectionStats
}

export interface ThreadState {
  readonly endpoint: EndpointStats
  readonly errors: number
  readonly lastError: string | undefined
  /** Payloads for the program that were dropped because it had not taken those before. */
  readonly untaken: number
  readonly connections: readonly (readonly [id: number, stats: ConnectionStats])[]
}

export type ToThread =
  | { readonly type: 'listen'; readonly options: PlainListen }
  | { readonly type: 'stop-listening' }
  | { readonly type: 'decide'; readonly request: number; readonly decision: PlainDecision }
  | { readonly type: 'connect'; readonly call: number; readonly options: PlainConnect }
  | { readonly type: 'give-up'; readonly call: number }
  | { readonly type: 'send'; readonly payloads: Payloads; readonly originMs: number | undefined }
  | { readonly type: 'close'; readonly connection: number }
  | { readonly type: 'end'; readonly connection: number; readonly reason: EndReason }
  /** So many bytes of payloads, and so many refusals, were handed to the program. */
  | { readonly type: 'taken'; readonly bytes: number; readonly refusals: number }
  | { readonly type: 'state' }
  | { readonly type: 'shut-down' }

export type FromThread =
  | { readonly type: 'bound'; readonly address: PeerAddress; readonly receiveBufferBytes: number }
  | { readonly type: 'unbound'; readonly error: PlainError }
  | { readonly type: 'request'; readonly request: number; readonly asked: Omit<SrtRequest, 'earlier'> }
  | { readonly type: 'unconnected'; readonly request: number; readonly code: number }
  | { readonly type: 'refused'; readonly peer: PeerAddress; readonly code: number }
  | { readonly type: 'accepted'; readonly request: number; readonly connection: OpenedConnection }
  | { readonly type: 'called'; readonly call: number; readonly connection: OpenedConnection }
  | { readonly type: 'call-failed'; readonly call: number; readonly error: PlainError }
  | { readonly type: 'data'; readonly runs: readonly Payloads[] }
  /** So many bytes of payloads were handed to the connection; `untaken` payloads did not fit in its buffer. */
  | { readonly type: 'sent'; readonly connection: number; readonly bytes: number; readonly untaken: number }
  | { readonly type: 'ended'; readonly connection: number; readonly reason: EndReason }
  | { readonly type: 'state'; readonly state: ThreadState }

/** What is done with each kind of message. */
export type Handlers<M extends ToThread | FromThread> = {
  readonly [T in M['type']]: (message: Extract<M, { readonly type: T }>) => void
}

/** When `performance.now()` of this thread was 0, by a clock that all threads share, and that nobody sets. */
export function originMs(): number {
  return Number(process.hrtime.bigint()) / 1e6 - performance.now()
}

/** Puts payloads into memory that can be handed to another thread. */
export function packPayloads(connection: number, payloads: readonly Uint8Array[]): Payloads {
  let bytes = 0
  for (const { length } of payloads) bytes += length
  const packed = new Uint8Array(bytes)
  const lengths = new Uint32Array(payloads.length)
  let at = 0
  for (const [index, payload] of payloads.entries()) {
    packed.set(payload, at)
    at += payload.length
    lengths[index] = payload.length
  }
  return { connection, bytes: packed.buffer, lengths }
}

/** What is handed over with payloads. */
export function memoryOf({ bytes, lengths }: Payloads): ArrayBuffer[] {
  return [bytes, lengths.buffer]
}

/** Returns the payloads, which are views of the packed memory. */
export function unpackPayloads({ bytes, lengths }: Payloads): Uint8Array[] {
  const payloads: Uint8Array[] = []
  let at = 0
  for (const length of lengths) {
    payloads.push(new Uint8Array(bytes, at, length))
    at += length
  }
  return payloads
}

export function plainError(error: unknown): PlainError {
  const { code = 'SRT_CLOSED', rejectCode } = error as { code?: SrtErrorCode | string; rejectCode?: number }
  return { code, message: error instanceof Error ? error.message : String(error), rejectCode }
}
