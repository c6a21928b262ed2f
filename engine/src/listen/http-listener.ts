// One listening HTTP socket, plain or with TLS. It reads the first request head of each connection itself: the GET of a
// live path goes, socket and all, to its door and never reaches http.Server; every other connection is handed, with the
// bytes read so far put back, to the `connection` listener that http.Server came with. HTTP/2 has a way of its own.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Logger } from '../plugin/contract.js'
import type { Clock, HttpDoor } from '../plugin/tokens.js'
import { AddressRanges } from './address-ranges.js'
import { parseBindAddress, renderAddress, renderOrigin } from './bind-address.js'
import { explainBindError } from './bind-error.js'
import { Callers } from './callers.js'
import type { Connection } from './client-address.js'
import type { DescriptorGuard } from './descriptor-guard.js'
import type { ForwardedHeader } from './forwarded-for.js'
import { HeadReader } from './head-reader.js'
import { Http2Front } from './http2-front.js'
import { countBadHead, type ListenerCounters, startCounters } from './listener-counters.js'
import type { LiveDoor } from './live-door.js'
import { PathTable, type Respond } from './path-table.js'
import type { ProxyVersion } from './proxy-header.js'
import { endSocket, renderTextResponse } from './raw-response.js'
import { Reception } from './reception.js'
import { RequestDispatch, statusOf } from './request-dispatch.js'
import { type BadHead, parseRequestHead, RefusedHead, type RequestHead } from './request-head.js'
import type { TlsFiles } from './tls-credentials.js'

export interface ListenerTimeouts {
  /** For the head of a request, and before it for a PROXY header. */
  readonly headerMs: number
  /** For the TLS handshake. */
  readonly handshakeMs: number
  /** For a whole request with its body. */
  readonly requestMs: number
  /** Between two requests of a connection. */
  readonly keepAliveMs: number
  /** For one byte of an ordinary request or response to get through, either way. */
  readonly stallMs: number
}

/** What can change while the listener is open. */
export interface ListenerLimits {
  readonly maxConnections: number
  /** Live viewers at most; 0 for no limit. Kept by delivery. */
  readonly maxClients: number
  readonly trustedProxies: readonly string[]
  readonly forwardedHeader: ForwardedHeader
}

export interface HttpListenerOptions extends Partial<ListenerLimits> {
  readonly name: string
  /** `host:port`; checked here. */
  readonly address: string
  readonly clock: Clock
  readonly log: Logger
  readonly tls?: TlsFiles | undefined
  /** By default `off`. */
  readonly proxyProtocol?: ProxyVersion | 'off'
  readonly descriptors?: DescriptorGuard
  readonly timeouts?: Partial<ListenerTimeouts>
  /** How often the files of the certificate are looked at. */
  readonly certificatePollMs?: number
}

const DEFAULT_TIMEOUTS: ListenerTimeouts = {
  headerMs: 5000,
  handshakeMs: 5000,
  requestMs: 30_000,
  keepAliveMs: 5000,
  stallMs: 120_000,
}
export const DEFAULT_MAX_CONNECTIONS = 10_000
const MAX_HEAD_BYTES = 16 * 1024
/** Waiting connections that the kernel may keep; it takes less where net.core.somaxconn says so. */
const BACKLOG = 4096
/** So that a batch of a usual stream does not make its viewer busy although the kernel took all of it. */
const SOCKET_BUFFER_BYTES = 64 * 1024

export class HttpListener implements HttpDoor {
  readonly name: string
  readonly counters: ListenerCounters = startCounters()
  readonly #wanted: { readonly host: string; readonly port: number }
  readonly #options: HttpListenerOptions
  readonly #timeouts: ListenerTimeouts
  readonly #paths: PathTable
  readonly #callers: Callers
  readonly #dispatch: RequestDispatch
  readonly #reception: Reception
  readonly #http2: Http2Front | undefined
  readonly #server: Server
  readonly #giveToServer: (socket: Socket) => void
  #maxClients: number
  #closed: Promise<void> | undefined

  /** Throws LISTEN_BAD_ADDRESS, LISTEN_BAD_RANGE. */
  constructor(options: HttpListenerOptions) {
    this.name = options.name
    this.#options = options
    this.#wanted = parseBindAddress(options.address)
    this.#timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts }
    this.#maxClients = options.maxClients ?? 0
    this.#paths = new PathTable(options.name)
    this.#callers = new Callers(trustOf(options))
    this.#dispatch = new RequestDispatch(this.#paths, this.counters, this.#callers, options.clock, options.log)
    this.#reception = this.#makeReception()
    this.#http2 = options.tls === undefined ? undefined : this.#makeHttp2()
    this.#server = this.#makeServer()
    const original = this.#server.listeners('connection')
    this.#giveToServer = (socket) => original.forEach((listener) => listener.call(this.#server, socket))
    this.#server.removeAllListeners('connection')
    this.#server.on('connection', (socket) => this.#reception.accept(socket))
  }

  /** As bound, `host:port`; as configured until then. */
  get address(): string {
    return renderAddress(this.#bound())
  }

  get origins(): readonly string[] {
    return [renderOrigin(this.#bound(), this.#options.tls === undefined ? 'http' : 'https')]
  }

  /** Connections that are open now. */
  get openConnections(): number {
    return this.#reception.admission.sockets.size
  }

  get maxClients(): number {
    return this.#maxClients
  }

  /** The certificate that is in use, and how often it was read again; undefined without TLS. */
  get certificate():
    { readonly expiresAtMs: number; readonly reloads: number; readonly failedReloads: number } | undefined {
    return this.#reception.tls?.credentials
  }

  /** For connections and viewers from now on: a lower limit sends nobody away. Throws LISTEN_BAD_RANGE. */
  update(limits: ListenerLimits): void {
    this.#callers.trust = trustOf(limits)
    this.#maxClients = limits.maxClients
    this.#reception.admission.maxConnections = limits.maxConnections
  }

  /** Throws LISTEN_IN_USE, LISTEN_DENIED, LISTEN_NO_ADDRESS, LISTEN_FAILED, LISTEN_BAD_CERTIFICATE. */
  async bind(): Promise<void> {
    await this.#reception.tls?.open()
    await new Promise<void>((resolve, reject) => {
      const refuse = (error: NodeJS.ErrnoException): void => reject(explainBindError(this.name, this.address, error))
      this.#server.once('error', refuse)
      this.#server.listen({ ...this.#wanted, backlog: BACKLOG }, () => {
        this.#server.off('error', refuse)
        this.#server.on('error', (err: NodeJS.ErrnoException) => this.#onServerError(err))
        resolve()
      })
    })
  }

  handle(path: string, respond: Respond): Disposable {
    return this.#paths.add(path, respond)
  }

  /** GETs of exactly this path go to the door until disposed. Throws LISTEN_PATH_TAKEN, LISTEN_BAD_PATH. */
  handleLive(path: string, door: LiveDoor): Disposable {
    return this.#paths.addLive(path, door)
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
    this.#closed ??= new Promise((resolve) => this.#server.close(() => resolve()))
  }

  /**
   * Stops accepting, gives answers that are under way `graceMs`, then destroys what is left. Resolves when all sockets
   * have gone. Viewers are ended by delivery before this is called; whoever is left is cut.
   */
  async close(graceMs = 1000): Promise<void> {
    this.stopAccepting()
    this.#server.closeIdleConnections()
    this.#http2?.close()
    const { sockets, unread } = this.#reception.admission
    for (const socket of unread) socket.destroy()
    const timer = this.#options.clock.after(graceMs, () => {
      for (const socket of sockets) socket.destroy()
    })
    await this.#closed
    // The server tells that it has closed before its last sockets have.
    await Promise.all([...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve))))
    timer[Symbol.dispose]()
    this.#http2?.[Symbol.dispose]()
    this.#reception[Symbol.dispose]()
  }

  #makeServer(): Server {
    const { headerMs, requestMs, keepAliveMs, stallMs } = this.#timeouts
    const server = createServer({
      maxHeaderSize: MAX_HEAD_BYTES,
      headersTimeout: headerMs,
      requestTimeout: requestMs,
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: Math.min(1000, headerMs),
      highWaterMark: SOCKET_BUFFER_BYTES,
      noDelay: true,
    })
    server.timeout = stallMs
    server.on('request', this.#dispatch.onRequest)
    server.on('clientError', this.#dispatch.onClientError)
    return server
  }

  #makeReception(): Reception {
    const { name, clock, log, maxConnections, descriptors, proxyProtocol, tls, certificatePollMs } = this.#options
    return new Reception({
      name,
      clock,
      log,
      counters: this.counters,
      callers: this.#callers,
      maxConnections: maxConnections ?? DEFAULT_MAX_CONNECTIONS,
      descriptors,
      proxyProtocol: proxyProtocol ?? 'off',
      tls,
      proxyHeaderMs: this.#timeouts.headerMs,
      handshakeMs: this.#timeouts.handshakeMs,
      certificatePollMs,
      onHttp1: (socket, connection, early) => this.#readHead(socket, connection, early),
      onHttp2: (socket, connection) => this.#http2?.take(socket, connection),
    })
  }

  #makeHttp2(): Http2Front {
    const { clock, log } = this.#options
    return new Http2Front({
      clock,
      log,
      paths: this.#paths,
      dispatch: this.#dispatch,
      callers: this.#callers,
      counters: this.counters,
      requestMs: this.#timeouts.requestMs,
      idleMs: this.#timeouts.keepAliveMs,
      maxHeadBytes: MAX_HEAD_BYTES,
      onRequest: ({ socket }) => this.#reception.admission.markRead(socket),
    })
  }

  /** Of accepting: nothing that one client can cause but by taking the last descriptor. */
  #onServerError(err: NodeJS.ErrnoException): void {
    if (err.code === 'EMFILE' || err.code === 'ENFILE') this.#options.descriptors?.probe()
    else this.#options.log.warn({ err, listener: this.name }, 'listener')
  }

  #bound(): { readonly host: string; readonly port: number } {
    const address: AddressInfo | string | null = this.#server.address()
    if (address === null || typeof address === 'string') return this.#wanted
    return { host: address.address, port: address.port }
  }

  #readHead(socket: Socket, connection: Connection, early: Buffer): void {
    const reader = new HeadReader(socket, {
      clock: this.#options.clock,
      maxBytes: MAX_HEAD_BYTES,
      timeoutMs: this.#timeouts.headerMs,
      onHead: (head, rest) => this.#route(socket, connection, head, rest),
      onBad: (reason) => this.#refuse(socket, connection, reason),
    })
    reader.push(early)
  }

  #route(socket: Socket, connection: Connection, bytes: Buffer, rest: Buffer): void {
    this.#reception.admission.markRead(connection.socket)
    let head: RequestHead
    try {
      head = parseRequestHead(bytes.toString('latin1', 0, bytes.length - 4))
    } catch (error) {
      return this.#refuse(socket, connection, error instanceof RefusedHead ? error.reason : 'header')
    }
    const door = head.method === 'GET' ? this.#paths.live(head.path) : undefined
    if (door === undefined) return this.#handOver(socket, bytes, rest)
    this.counters.live++
    this.counters.discardedBytes += rest.length
    socket.on('data', this.#discard)
    const { query, headers } = head
    const headAtMs = this.#options.clock.nowMs()
    door.serve(socket, { ...this.#callers.visitor(socket, headers), query, headers, headAtMs })
  }

  /**
   * http.Server adds its own `data` listener, and takes bytes off the handle past the stream's buffer from then on.
   * Paused, bytes put back, listener called, resumed: the stream then flows, in the next tick and so before any newer
   * byte can come. Without the pause it depends on the stream's inner state whether those bytes are ever emitted.
   */
  #handOver(socket: Socket, head: Buffer, rest: Buffer): void {
    this.counters.handedOver++
    socket.pause()
    if (rest.length > 0) socket.unshift(rest)
    socket.unshift(head)
    this.#giveToServer(socket)
    socket.resume()
  }

  #refuse(socket: Socket, connection: Connection, reason: BadHead): void {
    this.#reception.admission.markRead(connection.socket)
    if (!this.#reception.admission.hasEvicted(connection.socket)) countBadHead(this.counters, reason)
    if (reason === 'incomplete') socket.destroy()
    else endSocket(socket, renderTextResponse(statusOf(reason), reason), this.#options.clock)
  }

  /** One function for all viewers of the listener. */
  readonly #discard = (chunk: Buffer): void => {
    this.counters.discardedBytes += chunk.length
  }
}

function trustOf({ trustedProxies, forwardedHeader }: Partial<ListenerLimits>): Callers['trust'] {
  return { proxies: new AddressRanges(trustedProxies ?? []), header: forwardedHeader ?? 'x-forwarded-for' }
}
