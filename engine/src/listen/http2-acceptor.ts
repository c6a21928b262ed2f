// HTTP/2 (RFC 9113) on connections whose client chose it by ALPN. Ordinary requests are dispatched like those of
// HTTP/1. The GET of a live path is one stream of the connection: the stream handler writes to it as to a socket, and
// the client's flow-control window replaces the socket buffer. Browsers and curl choose HTTP/2 wherever it is offered,
// and players in browsers request live paths.
//
// nghttp2 schedules the streams of a connection that is too slow for all of them. Streams requested with `priority: i`
// take turns (RFC 9218, section 4.2). On Node 24 the others are served in the order of their ids; on Node 20 they share
// the connection. Node offers no way to change this.
import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  constants,
  createServer,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import process from 'node:process'
import type { TLSSocket } from 'node:tls'
import { LogLimit } from '../observe/log-limit.js'
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import type { ClientIdentity } from './client-identity.js'
import type { Connection } from './client-address.js'
import { countBadHead, countRefused, type ListenerCounters } from './listener-counters.js'
import type { StreamAnswer, StreamHandler, Visit } from './stream-handler.js'
import { answerOther, type RequestDispatch, loggedPath, respondText, statusOf } from './request-dispatch.js'
import { decodeTarget, queryOf, RefusedHead } from './request-head.js'
import type { RouteTable } from './route-table.js'
import { ResetLimit } from './reset-limit.js'
import { ignoreErrors } from './ignore-errors.js'

export interface Http2AcceptorOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly routes: RouteTable
  readonly dispatch: RequestDispatch
  readonly clientIdentity: ClientIdentity
  readonly counters: ListenerCounters
  /** For a whole request including its body. */
  readonly requestMs: number
  /** How long a connection may be without a request. */
  readonly idleMs: number
  readonly maxHeadBytes: number
  /** Called for each request. */
  onRequest(connection: Connection): void
}

interface Session {
  readonly http2: ServerHttp2Session
  readonly connection: Connection
  /** Requests whose body has not ended, with the deadline for it. */
  readonly incoming: Map<ServerHttp2Stream, number>
  /** It has reset too many streams, and is about to end. */
  isCalmed: boolean
  openStreams: number
  idleSinceMs: number
}

const MAX_STREAMS = 100
/** For one connection: headers being read, and data waiting to be sent. */
const MAX_SESSION_MEMORY_MB = 4
const SWEEP_MS = 1000
/** Streams that end like this have been made to by what the client sent ("MadeYouReset", CVE-2025-8671). */
const BROKEN: ReadonlySet<number | undefined> = new Set([
  constants.NGHTTP2_PROTOCOL_ERROR,
  constants.NGHTTP2_FLOW_CONTROL_ERROR,
  constants.NGHTTP2_STREAM_CLOSED,
  constants.NGHTTP2_FRAME_SIZE_ERROR,
])

export class Http2Acceptor implements Disposable {
  readonly #options: Http2AcceptorOptions
  readonly #server: Http2Server
  readonly #sessions = new Map<ServerHttp2Session, Session>()
  readonly #failLines: LogLimit
  readonly #resets = new ResetLimit()
  readonly #sweep: Disposable

  constructor(options: Http2AcceptorOptions) {
    this.#options = options
    this.#server = createServer({
      maxSessionMemory: MAX_SESSION_MEMORY_MB,
      settings: { maxConcurrentStreams: MAX_STREAMS, maxHeaderListSize: options.maxHeadBytes, enablePush: false },
    })
    this.#server.on('sessionError', () => countRefused(options.counters, 'http2'))
    this.#server.on('request', (request, response) => this.#onRequest(request, response))
    this.#failLines = new LogLimit(options.clock)
    this.#sweep = options.clock.every(Math.min(SWEEP_MS, options.idleMs), () => this.#sweepAll())
  }

  /** The connection must be unread since the handshake. */
  accept(socket: TLSSocket, connection: Connection): void {
    const { clock, counters } = this.#options
    const { address } = connection.peer
    if (this.#isLimited(address) && this.#resets.isUsedUp(address, clock.nowMs())) {
      countRefused(counters, 'http2-resets')
      socket.destroy()
      return
    }
    counters.http2++
    // A client that has closed its side has gone: HTTP/2 has no half-open connections.
    socket.allowHalfOpen = false
    const begin = (http2: ServerHttp2Session): void => this.#begin(http2, connection)
    this.#server.once('session', begin)
    // Creates the session synchronously.
    this.#server.emit('connection', socket)
    this.#server.off('session', begin)
  }

  /** Connections end as soon as the requests in progress have been answered. */
  close(): void {
    for (const http2 of this.#sessions.keys()) http2.close()
  }

  [Symbol.dispose](): void {
    this.#sweep[Symbol.dispose]()
  }

  #begin(http2: ServerHttp2Session, connection: Connection): void {
    const idleSinceMs = this.#options.clock.nowMs()
    this.#sessions.set(http2, { http2, connection, incoming: new Map(), isCalmed: false, openStreams: 0, idleSinceMs })
    this.#options.clientIdentity.add(http2, connection)
    ignoreErrors(http2)
    http2.once('close', () => this.#sessions.delete(http2))
  }

  #onRequest(request: Http2ServerRequest, response: Http2ServerResponse): void {
    const { stream } = request
    ignoreErrors(stream)
    // Reset by the client. If it sent no error, Node would wait for writes that the client no longer reads. A reset of
    // our own is sent after this event.
    stream.once('aborted', () => process.nextTick(() => stream.destroy()))
    const session = stream.session === undefined ? undefined : this.#sessions.get(stream.session as ServerHttp2Session)
    if (session === undefined) {
      stream.destroy()
      return
    }
    this.#count(session, stream)
    this.#options.counters.requests++
    this.#options.onRequest(session.connection)
    // The same interface for handlers (Node documents it as compatible); only the type differs.
    const [asked, answer] = [request as unknown as IncomingMessage, response as unknown as ServerResponse]
    try {
      this.#dispatch(session, asked, answer, stream)
    } catch (error) {
      this.#fail(error, asked, answer, stream)
    }
  }

  #dispatch(session: Session, request: IncomingMessage, response: ServerResponse, stream: ServerHttp2Stream): void {
    const { routes, dispatch, clientIdentity } = this.#options
    const method = request.method ?? ''
    const path = decodeTarget(method, request.url ?? '')
    request.headers.host ??= String(request.headers[':authority'] ?? '')
    clientIdentity.addForwardedFor(request, session.http2)
    const route = routes.find(path, request.url ?? '')
    const visit = this.#visitOf(session, request, path)
    if (route === undefined || !('stream' in route)) {
      const onFailure = (error: unknown): void => this.#fail(error, request, response, stream)
      dispatch.answer(route, { request, response, visit }, onFailure)
    } else if (method === 'HEAD') {
      const answer = ({ status, headers }: StreamAnswer): void => void response.writeHead(status, headers).end()
      const answered = route.stream.head(visit)
      if (answered instanceof Promise) void answered.then(answer)
      else answer(answered)
    } else if (method === 'GET') {
      // It is counted as a live one, in the same turn.
      this.#options.counters.requests--
      this.#serve(route.stream, visit, stream)
    } else answerOther(route.stream, response, visit)
  }

  #visitOf({ http2 }: Session, { rawHeaders: headers, url = '' }: IncomingMessage, path: string): Visit {
    const { clientIdentity, clock } = this.#options
    return { ...clientIdentity.visitor(http2, headers), path, query: queryOf(url), headers, headAtMs: clock.nowMs() }
  }

  #serve(handler: StreamHandler, visit: Visit, stream: ServerHttp2Stream): void {
    this.#options.counters.live++
    handler.serve(stream, {
      ...visit,
      respond: (status, own, isLast = false) => {
        if (stream.destroyed || stream.headersSent) return
        const lower = Object.entries(own).map(([name, value]) => [name.toLowerCase(), value])
        stream.respond({ ':status': status, ...Object.fromEntries(lower) }, { endStream: isLast })
      },
    })
  }

  #fail(error: unknown, request: IncomingMessage, response: ServerResponse, stream: ServerHttp2Stream): void {
    if (error instanceof RefusedHead) {
      countBadHead(this.#options.counters, error.reason)
      return respondText(response, statusOf(error.reason), error.reason)
    }
    this.#failLines.log((leftOut) => {
      this.#options.log.error(
        { err: error, path: loggedPath(this.#options.routes, request), ...leftOut },
        'a request handler threw',
      )
    })
    if (response.headersSent) stream.destroy()
    else respondText(response, 500, 'Internal error')
  }

  #count(session: Session, stream: ServerHttp2Stream): void {
    const { clock, requestMs } = this.#options
    session.openStreams++
    if (!stream.endAfterHeaders) session.incoming.set(stream, clock.nowMs() + requestMs)
    // Whoever resets in the same bytes as it requests, has done so by now. When we cut a stream, it is destroyed first.
    let isReset = stream.aborted
    stream.once('aborted', () => (isReset = !stream.destroyed))
    stream.once('close', () => {
      session.openStreams--
      session.incoming.delete(stream)
      session.idleSinceMs = clock.nowMs()
      if (isReset || BROKEN.has(stream.rstCode)) this.#noteReset(session)
    })
  }

  /** By the client, or because of what it sent. What ends with its connection is no reset. */
  #noteReset(session: Session): void {
    const { http2, connection } = session
    const { peer } = connection
    const { clock, counters } = this.#options
    if (http2.destroyed || !this.#isLimited(peer.address)) return
    if (this.#resets.take(peer.address, clock.nowMs()) || session.isCalmed) return
    session.isCalmed = true
    countRefused(counters, 'http2-resets')
    // Within the close of a stream, it would never return.
    setImmediate(() => http2.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM))
  }

  /** A proxy resets for all of its clients. */
  #isLimited(address: string): boolean {
    return !this.#options.clientIdentity.trust.proxies.has(address)
  }

  #sweepAll(): void {
    const nowMs = this.#options.clock.nowMs()
    for (const session of this.#sessions.values()) {
      for (const [stream, untilMs] of session.incoming) {
        if (stream.readableEnded) session.incoming.delete(stream)
        else if (nowMs >= untilMs) stream.close(constants.NGHTTP2_CANCEL)
      }
      if (session.openStreams > 0 || nowMs - session.idleSinceMs < this.#options.idleMs) continue
      // Closed gracefully first; a client that does not close in turn is cut at the next sweep.
      if (session.http2.closed) session.http2.destroy()
      else session.http2.close()
    }
  }
}
