// The TCP sockets of one listener, whatever is spoken on them: the bound address and those that it had before, admission,
// PROXY header and TLS. Address and settings can change while the listener is open: connections stay.
import { API_LISTENER } from '../graph/node-id.js'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import { type BindAddress, parseBindAddress, renderAddress } from './bind-address.js'
import type { BoundSocket, BoundSocketOptions } from './bound-socket.js'
import type { Connection } from './client-address.js'
import type { ClientIdentity } from './client-identity.js'
import { ConnectionAcceptor } from './connection-acceptor.js'
import { ConnectionAdmission } from './connection-admission.js'
import type { DescriptorGuard } from './descriptor-guard.js'
import { type ConnectionCounters, countRefused } from './listener-counters.js'
import {
  isSameFiles,
  type ListenerLimits,
  type ListenerSettings,
  type ListenerTimeouts,
  limitsOf,
  trustOf,
} from './listener-options.js'
import type { CertificateReadings, ListenerUpdate } from './shared-listener.js'

export interface ListenerSocketsOptions<S extends BoundSocket> {
  readonly name: string
  /** `host:port`; checked here. */
  readonly address: string
  readonly settings: ListenerSettings
  readonly clock: Clock
  readonly log: Logger
  readonly descriptors: DescriptorGuard | undefined
  readonly counters: ConnectionCounters
  readonly clientIdentity: ClientIdentity
  readonly timeouts: Pick<ListenerTimeouts, 'headerMs' | 'handshakeMs'>
  /** Protocols that are offered inside TLS (ALPN); by default none. */
  readonly alpn?: readonly string[]
  makeSocket(options: BoundSocketOptions): S
  /** Called for each connection that has passed admission, PROXY header and TLS. `early`: already read from it. */
  onConnection(boundSocket: S, socket: Socket, connection: Connection, early: Buffer): void
  /** Instead of `onConnection`, if `alpn` offers it and the client has chosen it. */
  onHttp2?(socket: TLSSocket, connection: Connection): void
  /** Called when changed settings have taken effect, and not at the start. */
  onSettings?(settings: ListenerSettings, limits: ListenerLimits): void
}

export class ListenerSockets<S extends BoundSocket> {
  readonly admission: ConnectionAdmission
  readonly #options: ListenerSocketsOptions<S>
  /** Have released their address and still have connections. */
  readonly #retired = new Set<S>()
  #settings: ListenerSettings
  #current: S

  /** Throws LISTEN_BAD_ADDRESS. */
  constructor(options: ListenerSocketsOptions<S>) {
    this.#options = options
    this.#settings = options.settings
    const wanted = parseBindAddress(options.address)
    const limits = limitsOf(options.settings)
    this.admission = new ConnectionAdmission(limits, {
      descriptors: options.descriptors,
      isControl: options.name === API_LISTENER,
      onRefuse: (reason) => countRefused(options.counters, reason),
    })
    this.#current = this.#makeSocket(wanted, options.settings)
  }

  /** Of the current address; not bound at first. */
  get current(): S {
    return this.#current
  }

  get settings(): ListenerSettings {
    return this.#settings
  }

  /** `host:port` as bound; as configured before that. */
  get address(): string {
    return renderAddress(this.#current.bound)
  }

  get openConnections(): number {
    return this.admission.sockets.size
  }

  get certificate(): CertificateReadings | undefined {
    return this.#current.acceptor.tls?.credentials
  }

  /** Throws LISTEN_BAD_CERTIFICATE. */
  async readCertificate(): Promise<void> {
    await this.#current.acceptor.tls?.open()
  }

  /** Applies to new connections and viewers: a lower limit disconnects no one. Throws LISTEN_BAD_RANGE. */
  update(limits: ListenerLimits): void {
    this.#options.clientIdentity.trust = trustOf(limits)
    this.admission.limits = limits
  }

  /** See SharedListener. */
  async prepareUpdate(address: string, settings: ListenerSettings): Promise<ListenerUpdate> {
    const wanted = parseBindAddress(address)
    const limits = limitsOf(settings)
    trustOf(limits)
    // Compares configured addresses: port 0 stands for the port that the system chose.
    const moves = renderAddress(wanted) !== renderAddress(this.#current.wanted)
    const boundSocket = moves ? this.#makeSocket(wanted, settings) : undefined
    const acceptor = boundSocket?.acceptor ?? this.#newAcceptorFor(settings)
    try {
      await acceptor?.tls?.open()
    } catch (error) {
      acceptor?.[Symbol.dispose]()
      throw error
    }
    return {
      boundSocket,
      commit: () => {
        this.#settings = settings
        if (boundSocket !== undefined) this.#moveTo(boundSocket)
        else if (acceptor !== undefined) this.#useAcceptor(acceptor)
        this.update(limits)
        this.#options.onSettings?.(settings, limits)
      },
      discard: () => {
        acceptor?.[Symbol.dispose]()
        if (boundSocket !== undefined) this.#retire(boundSocket)
      },
    }
  }

  stopAccepting(): void {
    for (const boundSocket of this.all()) void boundSocket.close()
  }

  /**
   * Stops accepting, closes silent connections, gives the others `graceMs` (Infinity for as long as they take), then
   * destroys them. Resolves when all sockets have closed.
   */
  async close(graceMs: number): Promise<void> {
    const closed = this.all().map((boundSocket) => boundSocket.close())
    const { sockets, unread } = this.admission
    for (const socket of unread) socket.destroy()
    const cut = (): void => sockets.forEach((socket) => socket.destroy())
    const timer = graceMs === Infinity ? undefined : this.#options.clock.after(graceMs, cut)
    await Promise.all(closed)
    // The server reports its close before its last sockets have closed.
    await Promise.all([...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve))))
    timer?.[Symbol.dispose]()
    this.#current.acceptor[Symbol.dispose]()
  }

  all(): readonly S[] {
    return [this.#current, ...this.#retired]
  }

  #makeSocket(wanted: BindAddress, settings: ListenerSettings): S {
    const { makeSocket } = this.#options
    const boundSocket: S = makeSocket({
      wanted,
      makeAcceptor: () => this.#makeAcceptor(() => boundSocket, settings),
      onError: (error) => this.#onServerError(error),
    })
    return boundSocket
  }

  #moveTo(boundSocket: S): void {
    const before = this.#current
    this.#current = boundSocket
    this.#retire(before)
  }

  #retire(boundSocket: S): void {
    this.#retired.add(boundSocket)
    boundSocket.retire(() => this.#retired.delete(boundSocket))
  }

  /** Handshakes in progress finish with the previous settings. */
  #useAcceptor(acceptor: ConnectionAcceptor): void {
    const before = this.#current.acceptor
    this.#current.acceptor = acceptor
    before[Symbol.dispose]()
  }

  /** For settings that change how connections are accepted at the same address; undefined if they do not. */
  #newAcceptorFor(settings: ListenerSettings): ConnectionAcceptor | undefined {
    const { tls, proxyProtocol = 'off' } = this.#settings
    const isSame = proxyProtocol === (settings.proxyProtocol ?? 'off') && isSameFiles(tls, settings.tls)
    const boundSocket = this.#current
    return isSame ? undefined : this.#makeAcceptor(() => boundSocket, settings)
  }

  #makeAcceptor(boundSocket: () => S, { proxyProtocol, tls, certificatePollMs }: ListenerSettings): ConnectionAcceptor {
    const { name, clock, log, counters, clientIdentity, timeouts, alpn = [], onConnection, onHttp2 } = this.#options
    return new ConnectionAcceptor({
      name,
      clock,
      log,
      counters,
      clientIdentity,
      admission: this.admission,
      proxyProtocol: proxyProtocol ?? 'off',
      tls,
      alpn,
      proxyHeaderMs: timeouts.headerMs,
      handshakeMs: timeouts.handshakeMs,
      certificatePollMs,
      onConnection: (socket, connection, early) => onConnection(boundSocket(), socket, connection, early),
      onHttp2: (socket, connection) => onHttp2?.(socket, connection),
    })
  }

  /** Errors of accepting. A single client can cause one only by taking the last file descriptor. */
  #onServerError(err: NodeJS.ErrnoException): void {
    const { descriptors, log, name } = this.#options
    if (err.code === 'EMFILE' || err.code === 'ENFILE') descriptors?.probe()
    else log.warn({ err, listener: name }, `listener "${name}" could not accept a connection`)
  }
}
