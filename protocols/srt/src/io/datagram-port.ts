// What an SrtSocket needs of its surroundings: a bound UDP socket, a clock and timers. A program that owns its sockets
// lends one.
import type { PeerAddress } from '../handshake/cookie.js'

export interface DatagramPort {
  readonly address: PeerAddress
  /** Granted by the system, by its own count; 0 if unknown. */
  readonly receiveBufferBytes: number
  /** Errors of the socket since it was bound, and the latest of them. */
  readonly errors: number
  readonly lastError: Error | undefined
  /** Called once. The bytes of each datagram belong to the handler; `from` is valid during the call. */
  onDatagram(handler: (datagram: Uint8Array, from: PeerAddress) => void): void
  /** Never throws. The bytes do not change while `queuedBytes` is not 0. */
  send(datagram: Uint8Array, peer: PeerAddress): void
  /** Bytes that the system has yet to take; undefined if unknown. */
  readonly queuedBytes?: number
  /** Nothing is handed over or sent from the call on. */
  close(): Promise<void>
}

export interface SocketHost {
  /** Monotonic. */
  nowMs(): number
  /** Calls `run` once after the delay, unless disposed before. */
  after(delayMs: number, run: () => void): Disposable
  /** Wraps a callback of the event loop. */
  guard(run: () => void): () => void
}

export const SYSTEM_HOST: SocketHost = {
  nowMs: () => performance.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs)
    return { [Symbol.dispose]: () => clearTimeout(timer) }
  },
  guard: (run) => run,
}
