// Which connections a listener keeps. Two bounds: on all connections, and on those that have not sent a request yet.
// When a bound is reached, the oldest silent connection is evicted for the new one: a real client sends its request at
// once, so ten thousand silent connections keep no one out. If all connections have sent a request, the new one is
// closed.
import type { Socket } from 'node:net'
import type { DescriptorGuard } from './descriptor-guard.js'
import type { RefusedConnection } from './listener-counters.js'

/** As many as the kernel accepts in one turn at most, so that a crowd is read before any of it is evicted. */
const MAX_UNREAD = 4096

export interface AdmissionOptions {
  readonly descriptors: DescriptorGuard | undefined
  /** Called for each connection that is closed here. */
  onRefuse(reason: RefusedConnection): void
}

export class ConnectionAdmission {
  readonly #options: AdmissionOptions
  readonly #open = new Set<Socket>()
  /** Oldest first. */
  readonly #unread = new Set<Socket>()
  /** Closed to make room: counted under that reason only. */
  readonly #evicted = new WeakSet<Socket>()
  #max: number

  constructor(maxConnections: number, options: AdmissionOptions) {
    this.#max = maxConnections
    this.#options = options
  }

  /** Open connections. */
  get sockets(): ReadonlySet<Socket> {
    return this.#open
  }

  /** Connections that have not sent a request yet. */
  get unread(): ReadonlySet<Socket> {
    return this.#unread
  }

  /** Whether it was closed to make room. */
  hasEvicted(socket: Socket): boolean {
    return this.#evicted.has(socket)
  }

  /** A lower limit closes no open connection. */
  set maxConnections(max: number) {
    this.#max = max
  }

  /** False if the socket was closed instead. */
  admit(socket: Socket): boolean {
    const reason = this.#makeRoom()
    if (reason !== undefined) {
      this.#options.onRefuse(reason)
      socket.destroy()
      return false
    }
    this.#open.add(socket)
    this.#unread.add(socket)
    socket.once('close', () => {
      this.#open.delete(socket)
      this.#unread.delete(socket)
      this.#options.descriptors?.release()
    })
    return true
  }

  /** It has sent a request. */
  markRead(socket: Socket): void {
    this.#unread.delete(socket)
  }

  #makeRoom(): RefusedConnection | undefined {
    const isFull = this.#open.size >= this.#max
    const oldest = this.#oldestUnread()
    if (isFull && oldest === undefined) return 'max-connections'
    if (oldest !== undefined && (isFull || this.#unread.size >= Math.min(MAX_UNREAD, Math.ceil(this.#max / 2)))) {
      // Its descriptor is released when it has closed, within this turn.
      this.#open.delete(oldest)
      this.#unread.delete(oldest)
      this.#evicted.add(oldest)
      this.#options.onRefuse('unread')
      oldest.destroy()
    }
    return this.#options.descriptors?.acquire() === false ? 'descriptors' : undefined
  }

  #oldestUnread(): Socket | undefined {
    const { value } = this.#unread.values().next()
    return value
  }
}
