// What a socket needs of the node that it belongs to, and of the engine.
import { socketError } from './socket-errors.js'

export interface SocketOwner {
  /** Runs a callback of the node in its scope. What it throws fails the node. */
  enter(run: () => void): void
  /** Monotonic. */
  nowMs(): number
  /** Calls `run` once after the delay, unless disposed before. */
  after(delayMs: number, run: () => void): Disposable
  /** Counts a descriptor; false if none is left. */
  acquire(): boolean
  release(): void
  /** The socket has closed. */
  forget(socket: Closable): void
}

/** What the engine closes when the node ends. */
export interface Closable {
  readonly kind: 'udp' | 'stream' | 'listener'
  /** At once: its descriptor is free when this returns. Nothing is called afterwards. Safe twice. */
  close(): void
}

/** Throws SOCKET_NO_DESCRIPTORS. */
export function acquireDescriptor(owner: Pick<SocketOwner, 'acquire'>, subject: string): void {
  if (!owner.acquire()) throw socketError('SOCKET_NO_DESCRIPTORS', `${subject}: no file descriptor is left`)
}
