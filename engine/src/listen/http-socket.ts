// A bound address of an HTTP listener, with the http.Server that parses the requests of its connections.
import { createServer, type Server } from 'node:http'
import type { Socket } from 'node:net'
import { BoundSocket, type BoundSocketOptions, SOCKET_BUFFER_BYTES } from './bound-socket.js'
import type { ListenerTimeouts } from './listener-options.js'
import type { RequestDispatch } from './request-dispatch.js'

export const MAX_HEAD_BYTES = 16 * 1024

export interface HttpSocketOptions extends BoundSocketOptions {
  readonly timeouts: ListenerTimeouts
  readonly dispatch: RequestDispatch
}

export class HttpSocket extends BoundSocket {
  readonly #http: Server
  readonly #passToServer: (socket: Socket) => void

  constructor(options: HttpSocketOptions) {
    const server = makeServer(options)
    const original = server.listeners('connection')
    super(server, options)
    this.#http = server
    this.#passToServer = (socket) => original.forEach((listener) => listener.call(server, socket))
  }

  /** Has http.Server read requests from the connection. */
  passToHttpServer(socket: Socket): void {
    this.#passToServer(socket)
  }

  closeIdle(): void {
    this.#http.closeIdleConnections()
  }
}

function makeServer({ timeouts, dispatch }: HttpSocketOptions): Server {
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
