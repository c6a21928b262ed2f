// Requests that http.Server has read: ordinary paths, HEAD and other methods of live paths, and the GET of a live path
// that was not the first request of its connection. For that one the stream handler writes to the connection itself and
// leaves the response untouched: http.Server then holds requests pipelined behind it forever, writes nothing of its
// own, and counts the connection as busy.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { LogLimit } from '../observe/log-limit.js'
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import { AnswersPerTurn } from './answers-per-turn.js'
import type { ClientIdentity } from './client-identity.js'
import { countBadHead, type ListenerCounters } from './listener-counters.js'
import type { StreamAnswer, StreamHandler, Visit } from './stream-handler.js'
import { LINGER_MS, renderTextResponse } from './raw-response.js'
import { type BadHead, checkFraming, decodeTarget, queryOf, RefusedHead } from './request-head.js'
import type { OrdinaryRoute, RouteTable } from './route-table.js'
import { ignoreErrors } from './ignore-errors.js'

export type Respond = (request: IncomingMessage, response: ServerResponse) => void

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly visit: Visit
}

/** Methods of a route that names none. */
const READING: readonly string[] = ['GET', 'HEAD']
/** Requests that may follow the GET of a live path on its connection before it is closed. */
const MAX_FOLLOW_UPS = 16

export class RequestDispatch {
  readonly #routes: RouteTable
  readonly #counters: ListenerCounters
  readonly #clientIdentity: ClientIdentity
  readonly #clock: Clock
  readonly #log: Logger
  readonly #failLines: LogLimit
  readonly #answers: AnswersPerTurn
  #fallback: Respond = respondNotFound
  #mayPass: (request: IncomingMessage, response: ServerResponse) => boolean = () => true
  /** Connections that serve a live path, with the number of requests that followed. */
  readonly #streaming = new WeakMap<Duplex, number>()
  /** The newest response on each connection; the next one waits for it. */
  readonly #newest = new WeakMap<Duplex, ServerResponse>()

  constructor(
    routes: RouteTable,
    counters: ListenerCounters,
    clientIdentity: ClientIdentity,
    clock: Clock,
    log: Logger,
  ) {
    this.#routes = routes
    this.#counters = counters
    this.#clientIdentity = clientIdentity
    this.#clock = clock
    this.#log = log
    this.#failLines = new LogLimit(clock)
    this.#answers = new AnswersPerTurn(clock)
  }

  setFallback(respond: Respond): void {
    this.#fallback = respond
  }

  setGuard(mayPass: (request: IncomingMessage, response: ServerResponse) => boolean): void {
    this.#mayPass = mayPass
  }

  /** Listener of http.Server's `request` event. */
  readonly onRequest: Respond = (request, response) => {
    this.#answers.run(request.socket, () => this.#dispatch(request, response))
  }

  #dispatch(request: IncomingMessage, response: ServerResponse): void {
    if (this.#isFollowUp(request)) return
    this.#counters.requests++
    ignoreErrors(response)
    const before = this.#newest.get(request.socket)
    this.#newest.set(request.socket, response)
    try {
      checkFraming(request.method ?? '', String(request.httpVersionMinor), request.rawHeaders)
      const path = decodeTarget(request.method ?? '', request.url ?? '')
      const route = this.#routes.find(path, request.url ?? '')
      this.#clientIdentity.addForwardedFor(request, request.socket)
      const visit = this.#visitOf(request, path)
      if (route !== undefined && 'stream' in route) this.#visit(route.stream, { request, response, visit }, before)
      else this.answer(route, { request, response, visit }, (error) => this.#fail(error, request, response))
    } catch (error) {
      this.#fail(error, request, response)
    }
  }

  /**
   * Listener of http.Server's `clientError` event: bytes that it could not parse as a request. Those in front of them are
   * answered first.
   */
  readonly onClientError = (error: NodeJS.ErrnoException, socket: Duplex): void => {
    this.#answers.run(socket, () => this.#refuseRest(error, socket))
  }

  #refuseRest(error: NodeJS.ErrnoException, socket: Duplex): void {
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

  /** Answers a request whose path is not live. Throws what the handler throws; `onFailure`: if its promise rejects. */
  answer(
    route: OrdinaryRoute | undefined,
    { request, response, visit }: Exchange,
    onFailure: (error: unknown) => void,
  ): void {
    if (!this.#mayPass(request, response)) return
    if (route === undefined) return this.#fallback(request, response)
    const { methods = READING } = route
    if (!methods.includes(request.method ?? '')) return refuseMethod(response, methods)
    const answered = route.respond(request, response, visit)
    if (isThenable(answered)) Promise.resolve(answered).catch(onFailure)
  }

  #visit(handler: StreamHandler, { request, response, visit }: Exchange, before: ServerResponse | undefined): void {
    if (request.method === 'HEAD') {
      this.#answerHead(handler, response, visit)
      return
    }
    if (request.method !== 'GET') return answerOther(handler, response, visit)
    // It is counted as a live one instead.
    this.#counters.requests--
    if (response.socket !== null) this.#serve(handler, request, visit)
    else {
      // Pipelined behind a request that is still being answered: http.Server assigns the connection to this response
      // before the previous response emits `close`.
      this.#streaming.set(request.socket, 0)
      before?.once('close', () => {
        if (response.socket !== null) this.#serve(handler, request, visit)
        else request.socket.destroy()
      })
    }
  }

  #answerHead(handler: StreamHandler, response: ServerResponse, visit: Visit): void {
    const answer = ({ status, headers }: StreamAnswer): void =>
      void response.writeHead(status, { ...headers, Connection: 'close' }).end()
    const answered = handler.head(visit)
    if (answered instanceof Promise) void answered.then(answer)
    else answer(answered)
  }

  #visitOf({ socket, rawHeaders: headers, url = '' }: IncomingMessage, path: string): Visit {
    const headAtMs = this.#clock.nowMs()
    const { client, address } = this.#clientIdentity.visitor(socket, headers)
    return { client, address, path, query: queryOf(url), headers, headAtMs }
  }

  #serve(handler: StreamHandler, { socket }: IncomingMessage, visit: Visit): void {
    this.#streaming.set(socket, this.#streaming.get(socket) ?? 0)
    this.#counters.live++
    // From now on the stream handler decides how long the client may be silent.
    socket.setTimeout(0)
    handler.serve(socket, visit)
  }

  #fail(error: unknown, request: IncomingMessage, response: ServerResponse): void {
    if (error instanceof RefusedHead) {
      countBadHead(this.#counters, error.reason)
      respondText(response, statusOf(error.reason), error.reason, { Connection: 'close' })
      return
    }
    this.#failLines.log((leftOut) => {
      this.#log.error({ err: error, path: loggedPath(this.#routes, request), ...leftOut }, 'a request handler threw')
    })
    if (response.headersSent) request.socket.destroy()
    else respondText(response, 500, 'Internal error')
  }
}

/** Handlers are code of plugins, which may have promises of their own. */
function isThenable(answered: unknown): answered is PromiseLike<unknown> {
  return typeof answered === 'object' && answered !== null && 'then' in answered
}

/** The body of a 404. */
export const NOTHING_SERVED = 'Nothing is served at this path; check the URL'

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

/** A method of a live path beside GET and HEAD: OPTIONS is answered where pages of other origins may ask. */
export function answerOther(handler: StreamHandler, response: ServerResponse, visit: Visit): void {
  const allowed = response.req.method === 'OPTIONS' ? handler.preflight?.(visit) : undefined
  if (allowed === undefined) refuseMethod(response)
  else response.writeHead(allowed.status, allowed.headers).end()
}

/** 405, with the methods that the path allows. */
export function refuseMethod(response: ServerResponse, allowed = READING): void {
  // The body of a POST is not read to its end, so the connection closes. HTTP/2 has no such header: only the stream
  // ends.
  const close = response.req.httpVersionMajor === 1 ? { Connection: 'close' } : {}
  respondText(response, 405, 'Method not allowed', { Allow: allowed.join(', '), ...close })
}

/** The part of a request target that may be logged: queries can carry tokens. */
/** What follows a prefix can be a secret. */
export function loggedPath(routes: Pick<RouteTable, 'find'>, { method = '', url = '' }: IncomingMessage): string {
  const route = routes.find(decodeTarget(method, url), url)
  return route?.isPrefix === true ? route.path : withoutQuery(url)
}

export function withoutQuery(target = ''): string {
  return target.split('?', 1)[0] ?? ''
}

function respondNotFound(_request: IncomingMessage, response: ServerResponse): void {
  respondText(response, 404, NOTHING_SERVED)
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
