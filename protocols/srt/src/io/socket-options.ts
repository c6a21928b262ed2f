// The options of sockets and connections.
import type { ConnectionOptions } from '../connection-options.js'
import type { KeyLength } from '../crypto/key-material.js'
import type { ConnectionRequest } from '../endpoint.js'
import type { PeerAddress } from '../handshake/cookie.js'
import { isKeyLength, passphraseProblem, streamIdProblem } from '../srt-url.js'
import type { SrtConnection } from './srt-connection.js'
import { SrtError } from './srt-error.js'

export interface SocketOptions {
  /** IPv4 or IPv6 address of this machine; `::` takes both families unless `ipv6Only`. 0.0.0.0 by default. */
  readonly address?: string
  /** 0, the default, lets the system choose. */
  readonly port?: number
  readonly ipv6Only?: boolean
  /** Size asked for both buffers of the socket, 4 MiB by default; see `SrtSocket.receiveBufferBytes`. */
  readonly bufferBytes?: number
}

/** Options of a connection. */
export interface SrtOptions {
  /** Least latency in both directions in milliseconds, 120 by default; the peer may ask for more. */
  readonly latencyMs?: number
  /** 10 to 79 bytes in UTF-8; without it the connection is plain. */
  readonly passphrase?: string
  /** Everything else, in the units of the core. */
  readonly connection?: ConnectionOptions
}

export interface ListenOptions extends SrtOptions {
  /** Announced to callers that have a passphrase but no key length. */
  readonly keyLength?: KeyLength
  /** Most requests that wait for a decision at one time, 256 by default. */
  readonly maxPending?: number
  /**
   * Decides on a caller whose address is proved: a reject code, or options on top of those of the listener. Without
   * it everybody is accepted. If it throws or rejects, the caller is rejected with 1500.
   */
  onRequest?(request: SrtRequest): SrtDecision | Promise<SrtDecision>
  /** Called with each connection when it is open; set its handlers here. */
  onConnection(connection: SrtConnection): void
  /** Callers that were refused: by `onRequest`, for a wrong passphrase, or because of what they speak. */
  onRefused?(peer: PeerAddress, code: number): void
}

export type SrtRequest = Pick<ConnectionRequest, 'peer' | 'streamId' | 'peerVersion' | 'earlier'> & {
  readonly hasPassphrase: boolean
}

export type SrtDecision =
  | { readonly reject: number; readonly onConnection?: never; readonly onRefused?: never }
  | (SrtOptions & {
      readonly reject?: never
      /** Ends the connections in `earlier`: of one who publishes they can only be dead. */
      readonly replaceEarlier?: boolean
      /** Called instead of that of the listener. */
      onConnection?(connection: SrtConnection): void
      /** Called instead of `onConnection` if there is no connection after all: the passphrase was wrong. */
      onRefused?(code: number): void
    })

export interface ConnectOptions extends SrtOptions {
  /** Name or address. */
  readonly host: string
  readonly port: number
  /** At most 512 bytes. */
  readonly streamId?: string
  /** 16 by default, with a passphrase. */
  readonly keyLength?: KeyLength
  /** 3000 by default. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** Returns the options of the core. */
export function connectionOptions({ latencyMs, connection }: SrtOptions): ConnectionOptions {
  const latency = latencyMs === undefined ? {} : { receiveLatencyUs: latencyMs * 1000, sendLatencyUs: latencyMs * 1000 }
  return { ...latency, ...connection }
}

/** @throws SrtError SRT_OPTION */
export function checkPassphrase(passphrase: string | undefined): void {
  const problem = passphrase === undefined ? undefined : passphraseProblem(passphrase)
  if (problem !== undefined) throw optionError('passphrase', problem)
}

/** @throws SrtError SRT_OPTION */
export function checkCall({ port, passphrase, streamId = '', keyLength }: ConnectOptions): void {
  checkPassphrase(passphrase)
  if (!isPort(port) || port === 0) throw optionError('port', 'must be 1 to 65535')
  if (streamId !== '' && streamIdProblem(streamId) !== undefined) throw optionError('streamId', 'at most 512 bytes')
  if (keyLength !== undefined && !isKeyLength(keyLength)) throw optionError('keyLength', 'must be 16, 24 or 32')
}

/** @throws SrtError SRT_OPTION */
export function checkSocket({ port = 0 }: SocketOptions): void {
  if (!isPort(port)) throw optionError('port', 'must be 0 to 65535')
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 0 && port <= 65_535
}

export function optionError(option: string, problem: string): SrtError {
  return new SrtError('SRT_OPTION', `${option}: ${problem}`)
}
