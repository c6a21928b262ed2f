// One bound address of a listener: the listening handle, and the http.Server that parses what its connections ask. A
// listener that moves has a new gate; the old one lets go of its address at once and goes on for the connections that
// came through it.
import { createServer, type Server } from 'node:http'
import { type AddressInfo, type Socket, Server as SocketServer } from 'node:net'
import type { BindAddress } from './bind-address.js'
import type { ListenerTimeouts } from './listener-options.js'
import type { ConnectionAcceptor } from './connection-acceptor.js'
import type { RequestDispatch } from './request-dispatch.js'

export const MAX_HEAD_BYTES = 16 * 1024
/** Waiting connections that the kernel may keep; it takes less where net.core.somaxconn says so. */
const BACKLOG = 4096
/** So that a batch of a usual stream does not make its viewer busy although the kernel took all of it. */
const SOCKET_BUFFER_BYTES = 64 * 1024

export interface BoundSocketOptions {
  /** As configured. */
  readonly wanted: BindAddress
  readonly timeouts: ListenerTimeouts
  readonly dispatch: RequestDispatch
  makeAcceptor(boundSocket: BoundSocket): ConnectionAcceptor
  /** Of accepting, after it was bound. */
  onError(error: NodeJS.ErrnoException): void
}

export class BoundSocket {
  readonly wanted: BindAddress
  /** Takes the connections; replaced where another way of taking them is configured. */
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

  /** As bound; as configured until then, and once it is closed. */
  get bound(): BindAddress {
    return this.#bound
  }

  /** Throws what the system says. After `releaseAddress` it listens where it did. */
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

  /** The address is free when it returns; connections stay, with all deadlines. */
  releaseAddress(): void {
    // Of http.Server it would close connections that are idle, and end the watch over deadlines.
    SocketServer.prototype.close.call(this.#server)
  }

  /** Has http.Server read requests off the connection. */
  passToHttpServer(socket: Socket): void {
    this.#passToServer(socket)
  }

  /** Lets go for good. `onGone` is called when its last connection has ended. */
  retire(onGone: () => void): void {
    this.acceptor[Symbol.dispose]()
    this.#server.once('close', () => {
      this.#server.close()
      onGone()
    })
    this.releaseAddress()
  }

  /** Lets go, and idle connections end. Resolves when all have gone. Safe twice. */
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
