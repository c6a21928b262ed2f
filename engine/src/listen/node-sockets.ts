// The sockets of one node: whatever it leaves open is closed when it ends.
import type {
  Sockets,
  StreamCallbacks,
  StreamSocket,
  TcpTarget,
  UdpOptions,
  UnixListenOptions,
  UnixTarget,
} from '../plugin/sockets.js'
import type { Clock } from '../plugin/tokens.js'
import { socketError } from './socket-errors.js'
import type { Closable, SocketOwner } from './socket-owner.js'
import type { SocketCounts } from './socket-counts.js'
import { connectStream } from './stream-socket.js'
import { openUdpSocket } from './udp-socket.js'
import { listenOnUnixSocket } from './unix-listener.js'

export interface NodeSocketsOptions {
  readonly clock: Pick<Clock, 'nowMs' | 'after'>
  readonly counts: SocketCounts
  /** Runs a callback of the node in its scope. */
  enter(run: () => void): void
}

export class NodeSockets implements Sockets {
  readonly #open = new Set<Closable>()
  readonly #owner: SocketOwner
  #isClosed = false

  constructor({ clock, counts, enter }: NodeSocketsOptions) {
    this.#owner = {
      enter,
      nowMs: () => clock.nowMs(),
      after: (delayMs, run) => clock.after(delayMs, run),
      acquire: () => counts.acquire(),
      release: () => counts.release(),
      forget: (socket) => void this.#open.delete(socket),
    }
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size
  }

  async udp(options: UdpOptions): ReturnType<Sockets['udp']> {
    this.#check()
    return this.#adopt(await openUdpSocket(options, this.#owner))
  }

  connect(to: TcpTarget | UnixTarget, callbacks: StreamCallbacks): StreamSocket {
    this.#check()
    return this.#adopt(connectStream(to, callbacks, this.#owner))
  }

  async listen(options: UnixListenOptions): ReturnType<Sockets['listen']> {
    this.#check()
    return this.#adopt(await listenOnUnixSocket(options, this.#owner, (socket) => this.#adopt(socket)))
  }

  /** The node has ended. Safe twice. */
  close(): void {
    this.#isClosed = true
    for (const socket of this.#open) socket.close()
    this.#open.clear()
  }

  /** One that was opened while the node ended is closed at once. */
  #adopt<S extends Closable>(socket: S): S {
    if (this.#isClosed) socket.close()
    else this.#open.add(socket)
    return socket
  }

  #check(): void {
    if (this.#isClosed) throw socketError('SOCKET_FAILED', 'the node has ended')
  }
}
