// What a connection needs of its surroundings: a stream of bytes, a clock and timers. A program that owns its sockets lends
// them.

export interface StreamPort {
  /** False: it is full, and `onDrain` follows. Never throws. The bytes do not change afterwards. */
  write(bytes: Uint8Array): boolean
  /** Sends what was written, and no more. */
  end(): void
  /** Closes at once; nothing is called any more. Safe to repeat. */
  destroy(): void
  /** Reads nothing until `resume`. */
  pause(): void
  resume(): void
}

export interface PortCallbacks {
  /** The bytes are valid during the call. */
  onBytes(bytes: Uint8Array): void
  onDrain(): void
  /** The last call: the peer has ended its side, or the stream is broken. */
  onClose(error?: Error): void
}

/** Makes the port of a connection that stands. */
export type OpenPort = (callbacks: PortCallbacks) => StreamPort

export interface TransportHost {
  /** Monotonic. */
  nowMs(): number
  /** Calls `run` once after the delay, unless disposed before. */
  after(delayMs: number, run: () => void): Disposable
}

export const SYSTEM_HOST: TransportHost = {
  nowMs: () => performance.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs)
    return { [Symbol.dispose]: () => clearTimeout(timer) }
  },
}
