// One listening HTTP socket. It reads the first request head of each connection itself: the GET of a live path goes,
// socket and all, to its door and never reaches http.Server; every other connection is handed, with the bytes read so
// far put back, to the `connection` listener that http.Server came with.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Logger } from '../plugin/contract.js'
import type { Clock, HttpDoor } from '../plugin/tokens.js'
import { parseBindAddress, renderAddress, renderOrigin } from './bind-address.js'
import { explainBindError } from './bind-error.js'
import { renderClient } from './client-address.js'
import { HeadReader } from './head-reader.js'
import { countBadHead, type ListenerCounters, startCounters } from './listener-counters.js'
import type { LiveDoor } from './live-door.js'
import { PathTable, type Respond } from './path-table.js'
import { endSocket, renderTextResponse } from './raw-response.js'
import { RequestDispatch, statusOf } from './request-dispatch.js'
import { type BadHead, parseRequestHead, RefusedHead, type RequestHead } from './request-head.js'

export interface ListenerTimeouts {
  /** From the connection to the end of the request head. */
  readonly headerMs: number
  /** For a whole request with its body. */
  readonly requestMs: number
  /** Between two requests of a connection. */
  readonly keepAliveMs: number
}

export interface HttpListenerOptions {
  readonly name: string
  /** `host:port`; checked here. */
  readonly address: string
  readonly clock: Clock
  readonly log: Logger
  readonly timeouts?: Partial<ListenerTimeouts>
}

const DEFAULT_TIMEOUTS: ListenerTimeouts = { headerMs: 5000, requestMs: 30_000, keepAliveMs: 5000 }
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
  readonly #dispatch: RequestDispatch
  readonly #server: Server
  readonly #giveToServer: (socket: Socket) => void
  readonly #sockets = new Set<Socket>()
  /** Those whose first head has not come yet. */
  readonly #unread = new Set<Socket>()
  #closed: Promise<void> | undefined

  /** Throws LISTEN_BAD_ADDRESS. */
  constructor(options: HttpListenerOptions) {
    this.name = options.name
    this.#options = options
    this.#wanted = parseBindAddress(options.address)
    this.#timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts }
    this.#paths = new PathTable(options.name)
    this.#dispatch = new RequestDispatch(this.#paths, this.counters, options.clock, options.log)
    this.#server = this.#makeServer()
    const original = this.#server.listeners('connection')
    this.#giveToServer = (socket) => original.forEach((listener) => listener.call(this.#server, socket))
    this.#server.removeAllListeners('connection')
    this.#server.on('connection', (socket) => this.#accept(socket))
  }

  /** As bound, `host:port`; as configured until then. */
  get address(): string {
    return renderAddress(this.#bound())
  }

  get origins(): readonly string[] {
    return [renderOrigin(this.#bound())]
  }

  /** Connections that are open now. */
  get openConnections(): number {
    return this.#sockets.size
  }

  /** Throws LISTEN_IN_USE, LISTEN_DENIED, LISTEN_NO_ADDRESS, LISTEN_FAILED. */
  async bind(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const refuse = (error: NodeJS.ErrnoException): void => reject(explainBindError(this.name, this.address, error))
      this.#server.once('error', refuse)
      this.#server.listen({ ...this.#wanted, backlog: BACKLOG }, () => {
        this.#server.off('error', refuse)
        this.#server.on('error', (err) => this.#options.log.warn({ err, listener: this.name }, 'listener'))
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
    for (const socket of this.#unread) socket.destroy()
    const timer = this.#options.clock.after(graceMs, () => {
      for (const socket of this.#sockets) socket.destroy()
    })
    await this.#closed
    // The server tells that it has closed before its last sockets have.
    await Promise.all([...this.#sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve))))
    timer[Symbol.dispose]()
  }

  #makeServer(): Server {
    const { headerMs, requestMs, keepAliveMs } = this.#timeouts
    const server = createServer({
      maxHeaderSize: MAX_HEAD_BYTES,
      headersTimeout: headerMs,
      requestTimeout: requestMs,
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: Math.min(1000, headerMs),
      highWaterMark: SOCKET_BUFFER_BYTES,
      noDelay: true,
    })
    server.on('request', this.#dispatch.onRequest)
    server.on('clientError', this.#dispatch.onClientError)
    return server
  }

  #bound(): { readonly host: string; readonly port: number } {
    const address: AddressInfo | string | null = this.#server.address()
    if (address === null || typeof address === 'string') return this.#wanted
    return { host: address.address, port: address.port }
  }

  #accept(socket: Socket): void {
    const client = renderClient(socket)
    this.counters.connections++
    this.#sockets.add(socket)
    this.#unread.add(socket)
    // For the whole life of the socket: a reset at any time is news of one client, never of the process.
    socket.on('error', ignore)
    socket.once('close', () => this.#sockets.delete(socket))
    void new HeadReader(socket, {
      clock: this.#options.clock,
      maxBytes: MAX_HEAD_BYTES,
      timeoutMs: this.#timeouts.headerMs,
      onHead: (head, rest) => this.#route(socket, client, head, rest),
      onBad: (reason) => this.#refuse(socket, reason),
    })
  }

  #route(socket: Socket, client: string, bytes: Buffer, rest: Buffer): void {
    this.#unread.delete(socket)
    let head: RequestHead
    try {
      head = parseRequestHead(bytes.toString('latin1', 0, bytes.length - 4))
    } catch (error) {
      return this.#refuse(socket, error instanceof RefusedHead ? error.reason : 'header')
    }
    const door = head.method === 'GET' ? this.#paths.live(head.path) : undefined
    if (door === undefined) return this.#handOver(socket, bytes, rest)
    this.counters.live++
    this.counters.discardedBytes += rest.length
    socket.on('data', this.#discard)
    door.serve(socket, { client, headAtMs: this.#options.clock.nowMs() })
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

  #refuse(socket: Socket, reason: BadHead): void {
    this.#unread.delete(socket)
    countBadHead(this.counters, reason)
    if (reason === 'incomplete') socket.destroy()
    else endSocket(socket, renderTextResponse(statusOf(reason), reason), this.#options.clock)
  }

  /** One function for all viewers of the listener. */
  readonly #discard = (chunk: Buffer): void => {
    this.counters.discardedBytes += chunk.length
  }
}

function ignore(): void {}
