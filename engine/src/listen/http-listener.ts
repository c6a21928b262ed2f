// One listening HTTP socket, plain or with TLS. It reads the first request head of each connection itself: the GET of a
// live path goes, socket and all, to its door and never reaches http.Server; every other connection is handed, with the
// bytes read so far put back, to the `connection` listener that http.Server came with. HTTP/2 has a way of its own.
// Where it listens can change while it is open: paths, counters and connections stay.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { HttpRoutes } from '../plugin/tokens.js'
import { type BindAddress, parseBindAddress, renderAddress, renderOrigin } from './bind-address.js'
import { explainBindError } from './bind-error.js'
import { ClientIdentity } from './client-identity.js'
import type { Connection } from './client-address.js'
import { ConnectionAdmission } from './connection-admission.js'
import { BoundSocket, MAX_HEAD_BYTES } from './bound-socket.js'
import { HeadReader } from './head-reader.js'
import { Http2Acceptor } from './http2-acceptor.js'
import { countBadHead, countRefused, type ListenerCounters, startCounters } from './listener-counters.js'
import {
  DEFAULT_TIMEOUTS,
  type HttpListenerOptions,
  isSameFiles,
  limitsOf,
  type ListenerChoices,
  type ListenerLimits,
  type ListenerTimeouts,
  trustOf,
} from './listener-options.js'
import type { StreamHandler } from './stream-handler.js'
import { PathTable, type Respond } from './path-table.js'
import { endSocket, renderTextResponse } from './raw-response.js'
import { ConnectionAcceptor } from './connection-acceptor.js'
import { RequestDispatch, statusOf } from './request-dispatch.js'
import { type BadHead, parseRequestHead, RefusedHead, type RequestHead } from './request-head.js'

/** What a listener will be, ready but for its address. One of the two is called, once. */
export interface ListenerUpdate {
  /** For the address, where that changes: to be bound before `commit`. */
  readonly boundSocket: BoundSocket | undefined
  commit(): void
  /** Connections that came through the new address stay. */
  discard(): void
}

export class HttpListener implements HttpRoutes {
  readonly name: string
  readonly counters: ListenerCounters = startCounters()
  readonly #options: HttpListenerOptions
  readonly #timeouts: ListenerTimeouts
  readonly #paths: PathTable
  readonly #clientIdentity: ClientIdentity
  readonly #dispatch: RequestDispatch
  readonly #admission: ConnectionAdmission
  /** Those that have let go of their address and still have connections. */
  readonly #retired = new Set<BoundSocket>()
  #choices: ListenerChoices
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
    this.#paths = new PathTable(options.name)
    this.#clientIdentity = new ClientIdentity(trustOf(limits))
    this.#dispatch = new RequestDispatch(this.#paths, this.counters, this.#clientIdentity, options.clock, options.log)
    this.#admission = new ConnectionAdmission(limits.maxConnections, {
      descriptors: options.descriptors,
      onRefuse: (reason) => countRefused(this.counters, reason),
    })
    this.#choices = options
    this.#boundSocket = this.#makeBoundSocket(wanted, options)
  }

  /** As bound, `host:port`; as configured until then. */
  get address(): string {
    return renderAddress(this.#boundSocket.bound)
  }

  get origins(): readonly string[] {
    return [renderOrigin(this.#boundSocket.bound, this.#choices.tls === undefined ? 'http' : 'https')]
  }

  /** Connections that are open now. */
  get openConnections(): number {
    return this.#admission.sockets.size
  }

  get maxClients(): number {
    return this.#maxClients
  }

  /** The certificate that is in use, and how often it was read again; undefined without TLS. */
  get certificate():
    { readonly expiresAtMs: number; readonly reloads: number; readonly failedReloads: number } | undefined {
    return this.#boundSocket.acceptor.tls?.credentials
  }

  /** For connections and viewers from now on: a lower limit sends nobody away. Throws LISTEN_BAD_RANGE. */
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
   * Makes what another address and other choices need; nothing changes before `commit`. Throws LISTEN_BAD_ADDRESS,
   * LISTEN_BAD_RANGE, LISTEN_BAD_CERTIFICATE.
   */
  async renew(address: string, choices: ListenerChoices): Promise<ListenerUpdate> {
    const wanted = parseBindAddress(address)
    const limits = limitsOf(choices)
    trustOf(limits)
    // By what is configured: port 0 stands for the port that was found.
    const moves = renderAddress(wanted) !== renderAddress(this.#boundSocket.wanted)
    const boundSocket = moves ? this.#makeBoundSocket(wanted, choices) : undefined
    const acceptor = boundSocket?.acceptor ?? this.#otherAcceptor(choices)
    try {
      await acceptor?.tls?.open()
    } catch (error) {
      acceptor?.[Symbol.dispose]()
      throw error
    }
    return {
      boundSocket,
      commit: () => {
        this.#choices = choices
        if (boundSocket !== undefined) this.#moveTo(boundSocket)
        else if (acceptor !== undefined) this.#receiveBy(acceptor)
        this.update(limits)
      },
      discard: () => {
        acceptor?.[Symbol.dispose]()
        if (boundSocket !== undefined) this.#retire(boundSocket)
      },
    }
  }

  /** Where it listens, or is to listen once `bind` was called. */
  get boundSocket(): BoundSocket {
    return this.#boundSocket
  }

  handle(path: string, respond: Respond): Disposable {
    return this.#paths.add(path, respond)
  }

  /**
   * GETs of exactly this path go to the door until disposed. With `onTaken` it gives way to whoever claims the path
   * later, and is told so. Throws LISTEN_PATH_TAKEN, LISTEN_BAD_PATH.
   */
  handleLive(path: string, handler: StreamHandler, onTaken?: () => void): Disposable {
    return this.#paths.addLive(path, handler, onTaken)
  }

  /** Answers every request whose path belongs to nobody. By default 404. */
  setFallback(respond: Respond): void {
    this.#dispatch.setFallback(respond)
  }

  /** Asked before each ordinary request; false means that it has answered. By default everything passes. */
  setGuard(mayPass: (request: IncomingMessage, response: ServerResponse) => boolean): void {
    this.#dispatch.setGuard(mayPass)
  }

  /** New connections are refused from now on; open ones go on. Safe twice. */
  stopAccepting(): void {
    for (const boundSocket of this.#boundSockets()) void boundSocket.close()
  }

  /**
   * Stops accepting, gives answers that are under way `graceMs` (Infinity for as long as they take), then destroys what
   * is left. Resolves when all sockets have gone. Viewers are ended by delivery; whoever is left then is cut.
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
    // The server tells that it has closed before its last sockets have.
    await Promise.all([...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve))))
    timer?.[Symbol.dispose]()
    this.#http2?.[Symbol.dispose]()
    this.#boundSocket.acceptor[Symbol.dispose]()
  }

  #boundSockets(): readonly BoundSocket[] {
    return [this.#boundSocket, ...this.#retired]
  }

  #makeBoundSocket(wanted: BindAddress, choices: ListenerChoices): BoundSocket {
    return new BoundSocket({
      wanted,
      timeouts: this.#timeouts,
      dispatch: this.#dispatch,
      makeAcceptor: (boundSocket) => this.#makeAcceptor(boundSocket, choices),
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

  /** Handshakes that are under way go on as they began. */
  #receiveBy(acceptor: ConnectionAcceptor): void {
    const before = this.#boundSocket.acceptor
    this.#boundSocket.acceptor = acceptor
    before[Symbol.dispose]()
  }

  /** For another way of taking connections at the same address; undefined where it stays the same. */
  #otherAcceptor(choices: ListenerChoices): ConnectionAcceptor | undefined {
    const { tls, proxyProtocol = 'off' } = this.#choices
    const isSame = proxyProtocol === (choices.proxyProtocol ?? 'off') && isSameFiles(tls, choices.tls)
    return isSame ? undefined : this.#makeAcceptor(this.#boundSocket, choices)
  }

  #makeAcceptor(
    boundSocket: BoundSocket,
    { proxyProtocol, tls, certificatePollMs }: ListenerChoices,
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
      onHttp1: (socket, connection, early) => this.#readHead(boundSocket, socket, connection, early),
      onHttp2: (socket, connection) => {
        this.#http2 ??= this.#makeHttp2()
        this.#http2.take(socket, connection)
      },
    })
  }

  #makeHttp2(): Http2Acceptor {
    const { clock, log } = this.#options
    return new Http2Acceptor({
      clock,
      log,
      paths: this.#paths,
      dispatch: this.#dispatch,
      clientIdentity: this.#clientIdentity,
      counters: this.counters,
      requestMs: this.#timeouts.requestMs,
      idleMs: this.#timeouts.keepAliveMs,
      maxHeadBytes: MAX_HEAD_BYTES,
      onRequest: ({ socket }) => this.#admission.markRead(socket),
    })
  }

  /** Of accepting: nothing that one client can cause but by taking the last descriptor. */
  #onServerError(err: NodeJS.ErrnoException): void {
    if (err.code === 'EMFILE' || err.code === 'ENFILE') this.#options.descriptors?.probe()
    else this.#options.log.warn({ err, listener: this.name }, 'listener')
  }

  #readHead(boundSocket: BoundSocket, socket: Socket, connection: Connection, early: Buffer): void {
    const reader = new HeadReader(socket, {
      clock: this.#options.clock,
      maxBytes: MAX_HEAD_BYTES,
      timeoutMs: this.#timeouts.headerMs,
      onHead: (head, rest) => this.#route(boundSocket, socket, connection, head, rest),
      onBad: (reason) => this.#refuse(socket, connection, reason),
    })
    reader.push(early)
  }

  #route(boundSocket: BoundSocket, socket: Socket, connection: Connection, bytes: Buffer, rest: Buffer): void {
    this.#admission.markRead(connection.socket)
    let head: RequestHead
    try {
      head = parseRequestHead(bytes.toString('latin1', 0, bytes.length - 4))
    } catch (error) {
      return this.#refuse(socket, connection, error instanceof RefusedHead ? error.reason : 'header')
    }
    const handler = head.method === 'GET' ? this.#paths.live(head.path) : undefined
    if (handler === undefined) return this.#snapshotState(boundSocket, socket, bytes, rest)
    this.counters.live++
    this.counters.discardedBytes += rest.length
    socket.on('data', this.#discard)
    const { query, headers } = head
    const headAtMs = this.#options.clock.nowMs()
    handler.serve(socket, { ...this.#clientIdentity.visitor(socket, headers), query, headers, headAtMs })
  }

  /**
   * http.Server adds its own `data` listener, and takes bytes off the handle past the stream's buffer from then on.
   * Paused, bytes put back, listener called, resumed: the stream then flows, in the next tick and so before any newer
   * byte can come. Without the pause it depends on the stream's inner state whether those bytes are ever emitted.
   */
  #snapshotState(boundSocket: BoundSocket, socket: Socket, head: Buffer, rest: Buffer): void {
    this.counters.handedOver++
    socket.pause()
    if (rest.length > 0) socket.unshift(rest)
    socket.unshift(head)
    boundSocket.give(socket)
    socket.resume()
  }

  #refuse(socket: Socket, connection: Connection, reason: BadHead): void {
    this.#admission.markRead(connection.socket)
    if (!this.#admission.hasEvicted(connection.socket)) countBadHead(this.counters, reason)
    if (reason === 'incomplete') socket.destroy()
    else endSocket(socket, renderTextResponse(statusOf(reason), reason), this.#options.clock)
  }

  /** One function for all viewers of the listener. */
  readonly #discard = (chunk: Buffer): void => {
    this.counters.discardedBytes += chunk.length
  }
}
