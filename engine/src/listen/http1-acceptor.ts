// HTTP/1 on new connections. Reads the first request head of each connection itself: a GET of a live path passes its
// socket to the stream handler and never reaches http.Server. Every other connection goes, with the bytes read so far
// put back, to the `connection` listener that http.Server installed.
import type { Socket } from 'node:net'
import type { Clock } from '../plugin/tokens.js'
import type { Connection } from './client-address.js'
import type { ClientIdentity } from './client-identity.js'
import type { ConnectionAdmission } from './connection-admission.js'
import { HeadReader } from './head-reader.js'
import { type HttpSocket, MAX_HEAD_BYTES } from './http-socket.js'
import { countBadHead, type ListenerCounters } from './listener-counters.js'
import { endSocket, renderTextResponse } from './raw-response.js'
import { statusOf } from './request-dispatch.js'
import { type BadHead, isBareLine, parseRequestHead, RefusedHead, type RequestHead } from './request-head.js'
import type { RouteTable } from './route-table.js'

/** The end of a head. */
const EMPTY_LINE = /\r?\n\r?\n$/

export interface Http1AcceptorOptions {
  readonly clock: Clock
  readonly routes: RouteTable
  readonly clientIdentity: ClientIdentity
  readonly admission: ConnectionAdmission
  readonly counters: ListenerCounters
  /** For the whole head. */
  readonly headerMs: number
}

export class Http1Acceptor {
  readonly #options: Http1AcceptorOptions

  constructor(options: Http1AcceptorOptions) {
    this.#options = options
  }

  /** `early`: bytes already read from the connection. `boundSocket` has the http.Server for ordinary requests. */
  accept(boundSocket: HttpSocket, socket: Socket, connection: Connection, early: Buffer): void {
    const reader = new HeadReader(socket, {
      clock: this.#options.clock,
      maxBytes: MAX_HEAD_BYTES,
      timeoutMs: this.#options.headerMs,
      onHead: (head, rest) => this.#route(boundSocket, socket, connection, head, rest),
      onBad: (reason) => this.#refuse(socket, connection, reason),
    })
    reader.push(early)
  }

  #route(boundSocket: HttpSocket, socket: Socket, connection: Connection, bytes: Buffer, rest: Buffer): void {
    const { admission, routes, counters, clientIdentity, clock } = this.#options
    admission.markRead(connection.socket)
    const text = bytes.toString('latin1').replace(EMPTY_LINE, '')
    let head: RequestHead
    try {
      head = parseRequestHead(text)
    } catch (error) {
      return this.#refuse(socket, connection, error instanceof RefusedHead ? error.reason : 'header')
    }
    const route = head.method === 'GET' ? routes.find(head.path, head.target) : undefined
    if (route === undefined || !('stream' in route)) {
      // http.Server reads CR LF only.
      const strict = isBareLine(text) ? Buffer.from(`${text.replaceAll(/\r?\n/g, '\r\n')}\r\n\r\n`, 'latin1') : bytes
      return this.#passToHttpServer(boundSocket, socket, strict, rest)
    }
    counters.live++
    counters.discardedBytes += rest.length
    socket.on('data', this.#discard)
    const { path, query, headers } = head
    const headAtMs = clock.nowMs()
    route.stream.serve(socket, { ...clientIdentity.visitor(socket, headers), path, query, headers, headAtMs })
  }

  /**
   * http.Server adds its own `data` listener, and from then on takes bytes off the handle, bypassing the stream's
   * buffer. So the order is: pause, put the bytes back, call the listener, resume. The stream then flows in the next
   * tick, before any newer byte can arrive. Without the pause, whether those bytes are ever emitted depends on the
   * stream's inner state.
   */
  #passToHttpServer(boundSocket: HttpSocket, socket: Socket, head: Buffer, rest: Buffer): void {
    this.#options.counters.passedToHttpServer++
    socket.pause()
    if (rest.length > 0) socket.unshift(rest)
    socket.unshift(head)
    boundSocket.passToHttpServer(socket)
    socket.resume()
  }

  #refuse(socket: Socket, connection: Connection, reason: BadHead): void {
    const { admission, counters, clock } = this.#options
    admission.markRead(connection.socket)
    if (!admission.hasEvicted(connection.socket)) countBadHead(counters, reason)
    if (reason === 'incomplete') socket.destroy()
    else endSocket(socket, renderTextResponse(statusOf(reason), reason), clock)
  }

  /** One function for all viewers of the listener. */
  readonly #discard = (chunk: Buffer): void => {
    this.#options.counters.discardedBytes += chunk.length
  }
}
