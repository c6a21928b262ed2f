// Which connections a listener keeps. Bounded twice: all of them, and those that have not sent a request yet. When a
// bound is met, the oldest connection that has said nothing makes room for the new one: a client that means to ask does
// so at once, so that ten thousand that say nothing keep nobody out. Where all have asked, the new one is closed.
import type { Socket } from 'node:net'
import type { DescriptorGuard } from './descriptor-guard.js'
import type { RefusedConnection } from './listener-counters.js'

/** At most as many as the kernel hands over in one turn, so that a crowd is read before it is counted out. */
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
  /** Closed to make room: counted as that, and as nothing else. */
  readonly #evicted = new WeakSet<Socket>()
  #max: number

  constructor(maxConnections: number, options: AdmissionOptions) {
    this.#max = maxConnections
    this.#options = options
  }

  /** Connections that are open now. */
  get sockets(): ReadonlySet<Socket> {
    return this.#open
  }

  /** Those that have not sent a request yet. */
  get unread(): ReadonlySet<Socket> {
    return this.#unread
  }

  /** It was closed to make room. */
  hasEvicted(socket: Socket): boolean {
    return this.#evicted.has(socket)
  }

  /** A lower limit closes nobody. */
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
      // Its descriptor is given back when it has closed, within this turn.
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
