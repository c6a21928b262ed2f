// Which connections a listener keeps. Three bounds: on all connections, on those of one address, and on those that have not
// sent a request yet.
// When a bound is reached, the oldest silent connection is evicted for the new one: a real client sends its request at
// once, so ten thousand silent connections keep no one out. If all connections have sent a request, the new one is
// closed.
import type { Socket } from 'node:net'
import type { DescriptorGuard, DescriptorUse } from './descriptor-guard.js'
import { limitKeyOf } from './ip-address.js'
import type { RefusedConnection } from './listener-counters.js'
import type { ListenerLimits } from './listener-options.js'

/** As many as the kernel accepts in one turn at most, so that a crowd is read before any of it is evicted. */
const MAX_UNREAD = 4096

type Limits = Pick<ListenerLimits, 'maxConnections' | 'maxPerAddress'>

export interface AdmissionOptions {
  readonly descriptors: DescriptorGuard | undefined
  /** That of the control API, for which descriptors are kept. By default false. */
  readonly isControl?: boolean
  /** Called for each connection that is closed here. */
  onRefuse(reason: RefusedConnection): void
}

export class ConnectionAdmission {
  readonly #options: AdmissionOptions
  readonly #open = new Set<Socket>()
  /** Oldest first. */
  readonly #unread = new Set<Socket>()
  readonly #silent = new Map<Socket, Disposable>()
  /** Closed to make room: counted under that reason only. */
  readonly #evicted = new WeakSet<Socket>()
  /** Open connections by the address of their client, as far as it is known. */
  readonly #byAddress = new Map<string, number>()
  /** Lower limits close no open connection. */
  limits: Limits

  constructor(limits: Limits, options: AdmissionOptions) {
    this.limits = limits
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
    const silent = this.#options.descriptors?.addSilent(() => this.#evict(socket))
    if (silent !== undefined) this.#silent.set(socket, silent)
    socket.once('close', () => {
      this.#open.delete(socket)
      this.markRead(socket)
      this.#options.descriptors?.release(this.#use)
    })
    return true
  }

  /** The client of an admitted connection is known; false if its address has too many connections. */
  claimAddress(socket: Socket, address: string): boolean {
    const key = limitKeyOf(address)
    const count = this.#byAddress.get(key) ?? 0
    const { maxPerAddress } = this.limits
    if (maxPerAddress > 0 && count >= maxPerAddress) return false
    this.#byAddress.set(key, count + 1)
    socket.once('close', () => {
      const left = (this.#byAddress.get(key) ?? 1) - 1
      if (left === 0) this.#byAddress.delete(key)
      else this.#byAddress.set(key, left)
    })
    return true
  }

  /** It has sent a request, or said who it is. */
  markRead(socket: Socket): void {
    this.#unread.delete(socket)
    this.#silent.get(socket)?.[Symbol.dispose]()
    this.#silent.delete(socket)
  }

  #evict(socket: Socket): void {
    this.#open.delete(socket)
    this.markRead(socket)
    this.#evicted.add(socket)
    this.#options.onRefuse('unread')
    socket.destroy()
  }

  #makeRoom(): RefusedConnection | undefined {
    const isFull = this.#open.size >= this.limits.maxConnections
    const oldest = this.#oldestUnread()
    if (isFull && oldest === undefined) return 'max-connections'
    if (
      oldest !== undefined &&
      (isFull || this.#unread.size >= Math.min(MAX_UNREAD, Math.ceil(this.limits.maxConnections / 2)))
    ) {
      // Its descriptor is released when it has closed, within this turn.
      this.#evict(oldest)
    }
    return this.#options.descriptors?.acquire(this.#use) === false ? 'descriptors' : undefined
  }

  get #use(): DescriptorUse {
    return this.#options.isControl === true ? 'control' : 'viewer'
  }

  #oldestUnread(): Socket | undefined {
    const { value } = this.#unread.values().next()
    return value
  }
}
