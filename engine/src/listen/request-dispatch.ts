// Requests that http.Server has read: ordinary paths, HEAD and other methods of live paths, and the GET of a live path
// that was not the first request of its connection. For that one the stream handler writes to the connection itself and
// leaves the response untouched: http.Server then holds requests pipelined behind it forever, writes nothing of its
// own, and counts the connection as busy.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import type { ClientIdentity } from './client-identity.js'
import { countBadHead, type ListenerCounters } from './listener-counters.js'
import type { StreamAnswer, StreamHandler, Visit } from './stream-handler.js'
import type { PathTable, Respond } from './path-table.js'
import { LINGER_MS, renderTextResponse } from './raw-response.js'
import { type BadHead, checkFraming, decodeTarget, queryOf, RefusedHead } from './request-head.js'
import { ignoreErrors } from './ignore-errors.js'

/** Requests that may follow the GET of a live path on its connection before it is closed. */
const MAX_FOLLOW_UPS = 16

export class RequestDispatch {
  readonly #paths: PathTable
  readonly #counters: ListenerCounters
  readonly #clientIdentity: ClientIdentity
  readonly #clock: Clock
  readonly #log: Logger
  #fallback: Respond = respondNotFound
  #mayPass: (request: IncomingMessage, response: ServerResponse) => boolean = () => true
  /** Connections that serve a live path, with the number of requests that followed. */
  readonly #streaming = new WeakMap<Duplex, number>()
  /** The newest response on each connection; the next one waits for it. */
  readonly #newest = new WeakMap<Duplex, ServerResponse>()

  constructor(paths: PathTable, counters: ListenerCounters, clientIdentity: ClientIdentity, clock: Clock, log: Logger) {
    this.#paths = paths
    this.#counters = counters
    this.#clientIdentity = clientIdentity
    this.#clock = clock
    this.#log = log
  }

  setFallback(respond: Respond): void {
    this.#fallback = respond
  }

  setGuard(mayPass: (request: IncomingMessage, response: ServerResponse) => boolean): void {
    this.#mayPass = mayPass
  }

  /** Listener of http.Server's `request` event. */
  readonly onRequest: Respond = (request, response) => {
    if (this.#isFollowUp(request)) return
    this.#counters.requests++
    ignoreErrors(response)
    const before = this.#newest.get(request.socket)
    this.#newest.set(request.socket, response)
    try {
      checkFraming(request.method ?? '', String(request.httpVersionMinor), request.rawHeaders)
      const path = decodeTarget(request.method ?? '', request.url ?? '')
      const handler = this.#paths.streamHandler(path)
      this.#clientIdentity.addForwardedFor(request, request.socket)
      if (handler === undefined) this.answer(path, request, response)
      else this.#visit(handler, request, response, before)
    } catch (error) {
      this.#fail(error, request, response)
    }
  }

  /** Listener of http.Server's `clientError` event: bytes that it could not parse as a request. */
  readonly onClientError = (error: NodeJS.ErrnoException, socket: Duplex): void => {
    // On a streaming connection these bytes followed the GET: discarded like everything after it.
    if (this.#streaming.has(socket)) {
      this.#counters.discardedRequests++
      return
    }
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy()
      return
    }
    const reason = reasonOf(error.code)
    countBadHead(this.#counters, reason)
    socket.end(renderTextResponse(statusOf(reason), reason))
    const timer = this.#clock.after(LINGER_MS, () => socket.destroy())
    socket.once('close', () => timer[Symbol.dispose]())
  }

  #isFollowUp(request: IncomingMessage): boolean {
    const followers = this.#streaming.get(request.socket)
    if (followers === undefined) return false
    this.#counters.discardedRequests++
    this.#streaming.set(request.socket, followers + 1)
    if (followers + 1 >= MAX_FOLLOW_UPS) request.socket.destroy()
    return true
  }

  /** Answers a request whose path is not live. */
  answer(path: string, request: IncomingMessage, response: ServerResponse): void {
    if (!this.#mayPass(request, response)) return
    const respond = this.#paths.responder(path)
    if (respond === undefined) this.#fallback(request, response)
    else if (request.method === 'GET' || request.method === 'HEAD') respond(request, response)
    else refuseMethod(response)
  }

  #visit(
    handler: StreamHandler,
    request: IncomingMessage,
    response: ServerResponse,
    before: ServerResponse | undefined,
  ): void {
    if (request.method === 'HEAD') {
      this.#answerHead(handler, request, response)
    } else if (request.method !== 'GET') refuseMethod(response)
    else if (response.socket !== null) this.#serve(handler, request, this.#clock.nowMs())
    else {
      // Pipelined behind a request that is still being answered: http.Server assigns the connection to this response
      // before the previous response emits `close`.
      const headAtMs = this.#clock.nowMs()
      this.#streaming.set(request.socket, 0)
      before?.once('close', () => {
        if (response.socket !== null) this.#serve(handler, request, headAtMs)
        else request.socket.destroy()
      })
    }
  }

  #answerHead(handler: StreamHandler, request: IncomingMessage, response: ServerResponse): void {
    const answer = ({ status, headers }: StreamAnswer): void =>
      void response.writeHead(status, { ...headers, Connection: 'close' }).end()
    const answered = handler.head(this.#visitOf(request, this.#clock.nowMs()))
    if (answered instanceof Promise) void answered.then(answer)
    else answer(answered)
  }

  #visitOf({ socket, rawHeaders: headers, url = '' }: IncomingMessage, headAtMs: number): Visit {
    return { ...this.#clientIdentity.visitor(socket, headers), query: queryOf(url), headers, headAtMs }
  }

  #serve(handler: StreamHandler, request: IncomingMessage, headAtMs: number): void {
    const { socket } = request
    this.#streaming.set(socket, this.#streaming.get(socket) ?? 0)
    this.#counters.live++
    // From now on the stream handler decides how long the client may be silent.
    socket.setTimeout(0)
    handler.serve(socket, this.#visitOf(request, headAtMs))
  }

  #fail(error: unknown, request: IncomingMessage, response: ServerResponse): void {
    if (error instanceof RefusedHead) {
      countBadHead(this.#counters, error.reason)
      respondText(response, statusOf(error.reason), error.reason, { Connection: 'close' })
      return
    }
    this.#log.error({ err: error, path: withoutQuery(request.url) }, 'a request handler threw')
    if (response.headersSent) request.socket.destroy()
    else respondText(response, 500, 'Internal error')
  }
}

/** The status of the response to a refused head. */
export function statusOf(reason: BadHead): number {
  if (reason === 'too-large') return 431
  if (reason === 'timeout') return 408
  return reason === 'version' ? 505 : 400
}

function reasonOf(code: string | undefined): BadHead {
  if (code === 'HPE_HEADER_OVERFLOW') return 'too-large'
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'timeout'
  return code === 'HPE_INVALID_EOF_STATE' ? 'incomplete' : 'header'
}

/** 405, for a read-only path. */
export function refuseMethod(response: ServerResponse): void {
  // The body of a POST is not read to its end, so the connection closes. HTTP/2 has no such header: only the stream
  // ends.
  const close = response.req.httpVersionMajor === 1 ? { Connection: 'close' } : {}
  respondText(response, 405, 'Method not allowed', { Allow: 'GET, HEAD', ...close })
}

/** The part of a request target that may be logged: queries can carry tokens. */
export function withoutQuery(target = ''): string {
  return target.split('?', 1)[0] ?? ''
}

function respondNotFound(_request: IncomingMessage, response: ServerResponse): void {
  respondText(response, 404, 'Not found')
}

/** A short text response. */
export function respondText(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = `${text}\n`
  const length = Buffer.byteLength(body)
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': length, ...headers })
  response.end(body)
}
