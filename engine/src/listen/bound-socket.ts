// One bound address of a listener: the listening handle, and the http.Server that parses the requests of its
// connections. A listener that moves gets a new bound socket; the old one releases its address at once and keeps
// serving the connections that it accepted.
import { createServer, type Server } from 'node:http'
import { type AddressInfo, type Socket, Server as SocketServer } from 'node:net'
import type { BindAddress } from './bind-address.js'
import type { ListenerTimeouts } from './listener-options.js'
import type { ConnectionAcceptor } from './connection-acceptor.js'
import type { RequestDispatch } from './request-dispatch.js'

export const MAX_HEAD_BYTES = 16 * 1024
/** Connections that the kernel can queue for accept; net.core.somaxconn may lower it. */
const BACKLOG = 4096
/** Large enough that a batch of an ordinary stream does not make its viewer busy although the kernel took all of it. */
const SOCKET_BUFFER_BYTES = 64 * 1024

export interface BoundSocketOptions {
  /** As configured. */
  readonly wanted: BindAddress
  readonly timeouts: ListenerTimeouts
  readonly dispatch: RequestDispatch
  makeAcceptor(boundSocket: BoundSocket): ConnectionAcceptor
  /** Errors of accepting, once bound. */
  onError(error: NodeJS.ErrnoException): void
}

export class BoundSocket {
  readonly wanted: BindAddress
  /** Accepts the connections; replaced when the way of accepting them is reconfigured. */
  acceptor: ConnectionAcceptor
  readonly #server: Server
  readonly #passToServer: (socket: Socket) => void
  readonly #onError: (error: NodeJS.ErrnoException) => void
  #bound: BindAddress
  #closed: Promise<void> | undefined

  constructor(options: BoundSocketOptions) {
    this.wanted = options.wanted
    this.#bound = options.wanted
    this.#onError = options.onError
    this.#server = makeServer(options)
    const original = this.#server.listeners('connection')
    this.#passToServer = (socket) => original.forEach((listener) => listener.call(this.#server, socket))
    this.#server.removeAllListeners('connection')
    this.#server.on('connection', (socket) => this.acceptor.accept(socket))
    this.acceptor = options.makeAcceptor(this)
  }

  /** As bound; as configured before that, and again once it is closed. */
  get bound(): BindAddress {
    return this.#bound
  }

  /** Throws the system's error. After `releaseAddress` it listens at the same address again. */
  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.off('error', this.#onError)
      this.#server.once('error', reject)
      this.#server.listen({ ...this.#bound, backlog: BACKLOG }, () => {
        this.#server.off('error', reject)
        this.#server.on('error', this.#onError)
        const address: AddressInfo | string | null = this.#server.address()
        if (address !== null && typeof address !== 'string') this.#bound = { host: address.address, port: address.port }
        resolve()
      })
    })
  }

  /** The address is free when this returns; connections stay, with all their deadlines. */
  releaseAddress(): void {
    // http.Server's own close would also close idle connections and stop checking deadlines.
    SocketServer.prototype.close.call(this.#server)
  }

  /** Has http.Server read requests from the connection. */
  passToHttpServer(socket: Socket): void {
    this.#passToServer(socket)
  }

  /** Releases the address for good. `onGone` is called when the last connection has ended. */
  retire(onGone: () => void): void {
    this.acceptor[Symbol.dispose]()
    this.#server.once('close', () => {
      this.#server.close()
      onGone()
    })
    this.releaseAddress()
  }

  /** Releases the address and closes idle connections. Resolves when all connections have closed. Safe twice. */
  close(): Promise<void> {
    this.#bound = this.wanted
    this.#closed ??= new Promise((resolve) => this.#server.close(() => resolve()))
    return this.#closed
  }

  closeIdle(): void {
    this.#server.closeIdleConnections()
  }
}

function makeServer({ timeouts, dispatch }: BoundSocketOptions): Server {
  const { headerMs, requestMs, keepAliveMs, stallMs } = timeouts
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
  server.on('request', dispatch.onRequest)
  server.on('clientError', dispatch.onClientError)
  return server
}
