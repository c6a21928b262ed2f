// One HTTP listener, plain or with TLS: its bound socket, its settings and its paths. Connections go through
// connection-acceptor.ts to http1-acceptor.ts or http2-acceptor.ts. The address can change while the listener is open:
// paths, counters and connections stay.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type BindAddress, parseBindAddress, renderAddress, renderOrigin } from './bind-address.js'
import { explainBindError } from './bind-error.js'
import { ClientIdentity } from './client-identity.js'
import { ConnectionAdmission } from './connection-admission.js'
import { BoundSocket, MAX_HEAD_BYTES } from './bound-socket.js'
import { Http1Acceptor } from './http1-acceptor.js'
import { Http2Acceptor } from './http2-acceptor.js'
import { countRefused, type ListenerCounters, startCounters } from './listener-counters.js'
import {
  DEFAULT_TIMEOUTS,
  type HttpListenerOptions,
  isSameFiles,
  limitsOf,
  type ListenerSettings,
  type ListenerLimits,
  type ListenerTimeouts,
  trustOf,
} from './listener-options.js'
import { ConnectionAcceptor } from './connection-acceptor.js'
import { RequestDispatch, type Respond } from './request-dispatch.js'
import type { NamedListener } from './route-claims.js'
import { type PatternRoute, type Route, RouteTable } from './route-table.js'

/** A prepared change of a listener, complete but for binding. Either `commit` or `discard` is called, once. */
export interface ListenerUpdate {
  /** For the new address, if it changes; to be bound before `commit`. */
  readonly boundSocket: BoundSocket | undefined
  commit(): void
  /** Connections accepted on the new address stay. */
  discard(): void
}

export class HttpListener implements NamedListener {
  readonly name: string
  readonly counters: ListenerCounters = startCounters()
  readonly #options: HttpListenerOptions
  readonly #timeouts: ListenerTimeouts
  readonly #routes: RouteTable
  readonly #clientIdentity: ClientIdentity
  readonly #dispatch: RequestDispatch
  readonly #admission: ConnectionAdmission
  readonly #http1: Http1Acceptor
  /** Bound sockets that have released their address and still have connections. */
  readonly #retired = new Set<BoundSocket>()
  #settings: ListenerSettings
  #boundSocket: BoundSocket
  #http2: Http2Acceptor | undefined
  #maxClients: number

  /** Throws LISTEN_BAD_ADDRESS, LISTEN_BAD_RANGE. */
  constructor(options: HttpListenerOptions) {
    this.name = options.name
    this.#options = options
    const wanted = parseBindAddress(options.address)
    this.#timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts }
    const limits = limitsOf(options)
    this.#maxClients = limits.maxClients
    this.#routes = new RouteTable(options.name)
    this.#clientIdentity = new ClientIdentity(trustOf(limits))
    this.#dispatch = new RequestDispatch(this.#routes, this.counters, this.#clientIdentity, options.clock, options.log)
    this.#admission = new ConnectionAdmission(limits.maxConnections, {
      descriptors: options.descriptors,
      onRefuse: (reason) => countRefused(this.counters, reason),
    })
    this.#http1 = new Http1Acceptor({
      clock: options.clock,
      routes: this.#routes,
      clientIdentity: this.#clientIdentity,
      admission: this.#admission,
      counters: this.counters,
      headerMs: this.#timeouts.headerMs,
    })
    this.#settings = options
    this.#boundSocket = this.#makeBoundSocket(wanted, options)
  }

  /** `host:port` as bound; as configured before that. */
  get address(): string {
    return renderAddress(this.#boundSocket.bound)
  }

  get protocol(): 'http' | 'https' {
    return this.#settings.tls === undefined ? 'http' : 'https'
  }

  get origins(): readonly string[] {
    return [renderOrigin(this.#boundSocket.bound, this.protocol)]
  }

  /** Connections that are open now. */
  get openConnections(): number {
    return this.#admission.sockets.size
  }

  get maxClients(): number {
    return this.#maxClients
  }

  /** The certificate in use, and how often it was reloaded; undefined without TLS. */
  get certificate():
    { readonly expiresAtMs: number; readonly reloads: number; readonly failedReloads: number } | undefined {
    return this.#boundSocket.acceptor.tls?.credentials
  }

  /** Applies to new connections and viewers: a lower limit disconnects no one. Throws LISTEN_BAD_RANGE. */
  update(limits: ListenerLimits): void {
    this.#clientIdentity.trust = trustOf(limits)
    this.#maxClients = limits.maxClients
    this.#admission.maxConnections = limits.maxConnections
  }

  /** Throws LISTEN_IN_USE, LISTEN_DENIED, LISTEN_NO_ADDRESS, LISTEN_FAILED, LISTEN_BAD_CERTIFICATE. */
  async bind(): Promise<void> {
    await this.readCertificate()
    await this.listenAt(this.#boundSocket)
  }

  /** Before `listenAt`. Throws LISTEN_BAD_CERTIFICATE. */
  async readCertificate(): Promise<void> {
    await this.#boundSocket.acceptor.tls?.open()
  }

  /** Throws LISTEN_IN_USE, LISTEN_DENIED, LISTEN_NO_ADDRESS, LISTEN_FAILED. */
  async listenAt(boundSocket: BoundSocket): Promise<void> {
    try {
      await boundSocket.listen()
    } catch (error) {
      throw explainBindError(this.name, renderAddress(boundSocket.bound), error as NodeJS.ErrnoException)
    }
  }

  /**
   * Prepares a change of address and settings; nothing changes before `commit`. Throws LISTEN_BAD_ADDRESS,
   * LISTEN_BAD_RANGE, LISTEN_BAD_CERTIFICATE.
   */
  async prepareUpdate(address: string, settings: ListenerSettings): Promise<ListenerUpdate> {
    const wanted = parseBindAddress(address)
    const limits = limitsOf(settings)
    trustOf(limits)
    // Compares configured addresses: port 0 stands for the port that the system chose.
    const moves = renderAddress(wanted) !== renderAddress(this.#boundSocket.wanted)
    const boundSocket = moves ? this.#makeBoundSocket(wanted, settings) : undefined
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
      },
      discard: () => {
        acceptor?.[Symbol.dispose]()
        if (boundSocket !== undefined) this.#retire(boundSocket)
      },
    }
  }

  /** The socket of the current address; not bound before `bind`. */
  get boundSocket(): BoundSocket {
    return this.#boundSocket
  }

  claim(route: Route): Disposable {
    return this.#routes.claim(route)
  }

  /** Paths that no route has go to the pattern until disposed. */
  claimPattern(pattern: PatternRoute): Disposable {
    return this.#routes.claimPattern(pattern)
  }

  /** Answers every request whose path is not registered. By default 404. */
  setFallback(respond: Respond): void {
    this.#dispatch.setFallback(respond)
  }

  /** Called before each ordinary request; false means that the guard has answered it. By default everything passes. */
  setGuard(mayPass: (request: IncomingMessage, response: ServerResponse) => boolean): void {
    this.#dispatch.setGuard(mayPass)
  }

  /** Refuses new connections from now on; open ones stay. Safe twice. */
  stopAccepting(): void {
    for (const boundSocket of this.#boundSockets()) void boundSocket.close()
  }

  /**
   * Stops accepting, gives responses in progress `graceMs` (Infinity for as long as they take), then destroys the
   * remaining connections. Resolves when all sockets have closed. Delivery ends the viewers; those that remain are cut.
   */
  async close(graceMs = 1000): Promise<void> {
    const closed = this.#boundSockets().map((boundSocket) => boundSocket.close())
    for (const boundSocket of this.#boundSockets()) boundSocket.closeIdle()
    this.#http2?.close()
    const { sockets, unread } = this.#admission
    for (const socket of unread) socket.destroy()
    const cut = (): void => sockets.forEach((socket) => socket.destroy())
    const timer = graceMs === Infinity ? undefined : this.#options.clock.after(graceMs, cut)
    await Promise.all(closed)
    // The server reports its close before its last sockets have closed.
    await Promise.all([...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve))))
    timer?.[Symbol.dispose]()
    this.#http2?.[Symbol.dispose]()
    this.#boundSocket.acceptor[Symbol.dispose]()
  }

  #boundSockets(): readonly BoundSocket[] {
    return [this.#boundSocket, ...this.#retired]
  }

  #makeBoundSocket(wanted: BindAddress, settings: ListenerSettings): BoundSocket {
    return new BoundSocket({
      wanted,
      timeouts: this.#timeouts,
      dispatch: this.#dispatch,
      makeAcceptor: (boundSocket) => this.#makeAcceptor(boundSocket, settings),
      onError: (error) => this.#onServerError(error),
    })
  }

  #moveTo(boundSocket: BoundSocket): void {
    const before = this.#boundSocket
    this.#boundSocket = boundSocket
    this.#retire(before)
  }

  #retire(boundSocket: BoundSocket): void {
    this.#retired.add(boundSocket)
    boundSocket.retire(() => this.#retired.delete(boundSocket))
  }

  /** Handshakes in progress finish with the previous settings. */
  #useAcceptor(acceptor: ConnectionAcceptor): void {
    const before = this.#boundSocket.acceptor
    this.#boundSocket.acceptor = acceptor
    before[Symbol.dispose]()
  }

  /** For settings that change how connections are accepted at the same address; undefined if they do not. */
  #newAcceptorFor(settings: ListenerSettings): ConnectionAcceptor | undefined {
    const { tls, proxyProtocol = 'off' } = this.#settings
    const isSame = proxyProtocol === (settings.proxyProtocol ?? 'off') && isSameFiles(tls, settings.tls)
    return isSame ? undefined : this.#makeAcceptor(this.#boundSocket, settings)
  }

  #makeAcceptor(
    boundSocket: BoundSocket,
    { proxyProtocol, tls, certificatePollMs }: ListenerSettings,
  ): ConnectionAcceptor {
    const { name, clock, log } = this.#options
    return new ConnectionAcceptor({
      name,
      clock,
      log,
      counters: this.counters,
      clientIdentity: this.#clientIdentity,
      admission: this.#admission,
      proxyProtocol: proxyProtocol ?? 'off',
      tls,
      proxyHeaderMs: this.#timeouts.headerMs,
      handshakeMs: this.#timeouts.handshakeMs,
      certificatePollMs,
      onHttp1: (socket, connection, early) => this.#http1.accept(boundSocket, socket, connection, early),
      onHttp2: (socket, connection) => {
        this.#http2 ??= this.#makeHttp2()
        this.#http2.accept(socket, connection)
      },
    })
  }

  #makeHttp2(): Http2Acceptor {
    const { clock, log } = this.#options
    return new Http2Acceptor({
      clock,
      log,
      routes: this.#routes,
      dispatch: this.#dispatch,
      clientIdentity: this.#clientIdentity,
      counters: this.counters,
      requestMs: this.#timeouts.requestMs,
      idleMs: this.#timeouts.keepAliveMs,
      maxHeadBytes: MAX_HEAD_BYTES,
      onRequest: ({ socket }) => this.#admission.markRead(socket),
    })
  }

  /** Errors of accepting. A single client can cause one only by taking the last file descriptor. */
  #onServerError(err: NodeJS.ErrnoException): void {
    if (err.code === 'EMFILE' || err.code === 'ENFILE') this.#options.descriptors?.probe()
    else this.#options.log.warn({ err, listener: this.name }, `listener "${this.name}" could not accept a connection`)
  }
}
