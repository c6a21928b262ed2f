// The paths of a pattern pipeline while no copy has them: a request waits for the copy as long as its output says, then
// receives what the output says.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { OfflineAnswer } from '../plugin/resource.js'
import type { Clock } from '../plugin/tokens.js'
import { limitKeyOf } from './ip-address.js'
import { preflightHeaders } from './preflight-headers.js'
import { headerOf } from './raw-headers.js'
import { endSocket, renderResponseHead } from './raw-response.js'
import { NOTHING_SERVED, refuseMethod } from './request-dispatch.js'
import type { OrdinaryRoute, PatternRoute, Route } from './route-table.js'
import type { StreamAnswer, StreamHandler, Visit } from './stream-handler.js'

const DEFAULT_WAIT_MS = 10_000
const DEFAULT_STATUS = 503
/** Further requests do not wait. */
const MOST_WAITING = 1000
/** From one IPv4 address, or from one IPv6 /64 network. Behind a proxy that does not name its clients, of all of them. */
const MOST_PER_ADDRESS = 200
/** Timers of the system are no longer than some weeks. */
const LONGEST_TIMER_MS = 60_000
const SENTENCE = 'Nobody publishes this stream now. Try again in a few seconds.\n'
const NOT_FOUND_BODY = `${NOTHING_SERVED}\n`
const NOT_FOUND: StreamAnswer = {
  status: 404,
  headers: { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': `${NOT_FOUND_BODY.length}` },
  body: NOT_FOUND_BODY,
}

/** `before` and `after`: the path around the key. */
export interface PathPattern {
  readonly before: string
  readonly after: string
  /** Every path below it as well. */
  readonly isPrefix: boolean
}

export interface WaitingRequestsParts {
  readonly pattern: PathPattern
  readonly offline: OfflineAnswer
  readonly clock: Clock
  /** A stream of that key can be published. */
  takesKey(key: string): boolean
  /** A request has been refused because so many wait already: in all, or from its address. */
  onFull(full: { readonly waiting: number; readonly address?: string }): void
}

interface Waiting {
  readonly visit: Visit
  /** A copy has claimed the path. */
  serve(route: Route): void
  answer(answer: StreamAnswer): void
  /** No longer watches the client. */
  forget(): void
}

/** A stream handler for paths that live outputs will have; ordinary requests wait for a prefix. */
export class WaitingRequests implements PatternRoute, StreamHandler {
  readonly #parts: WaitingRequestsParts
  /** In the order of arrival. */
  readonly #waiting = new Set<Waiting>()
  readonly #perAddress = new Map<string, number>()
  #offline: OfflineAnswer
  /** For the oldest one. */
  #timer: Disposable | undefined

  constructor(parts: WaitingRequestsParts) {
    this.#parts = parts
    this.#offline = parts.offline
  }

  /** How many wait now. */
  get size(): number {
    return this.#waiting.size
  }

  /** Holds for those that wait, too. */
  update(offline: OfflineAnswer): void {
    this.#offline = offline
    this.#expire()
  }

  matches(path: string): boolean {
    return this.#keyOf(path) !== undefined
  }

  routeOf(path: string): Route {
    return this.#parts.pattern.isPrefix ? { path, respond: this.#respond } : { path, stream: this }
  }

  /** Called when a copy claims its path: those that wait for it become its clients. */
  onClaimed(route: Route): void {
    for (const waiting of this.#waiting) {
      const { path } = waiting.visit
      if (route.isPrefix === true ? !path.startsWith(route.path) : path !== route.path) continue
      this.#forget(waiting)
      waiting.serve(route)
    }
  }

  serve(socket: Duplex, visit: Visit): void {
    const { clock } = this.#parts
    const answer = ({ status, headers, body = '' }: StreamAnswer): void => {
      if (visit.respond === undefined) return endSocket(socket, `${renderResponseHead(status, headers)}${body}`, clock)
      visit.respond(status, headers, body === '')
      if (body !== '' && !socket.destroyed) socket.end(body, 'latin1')
    }
    const waiting: Waiting = {
      visit,
      serve: (route) => {
        // An ordinary route answers the client's next request.
        if ('stream' in route) route.stream.serve(socket, visit)
        else answer(this.#answerOffline('1'))
      },
      answer,
      forget: () => socket.off('close', onClose),
    }
    const onClose = (): void => this.#forget(waiting)
    socket.once('close', onClose)
    this.#take(waiting)
  }

  head({ path }: Visit): StreamAnswer {
    return this.#takesPath(path) ? this.#answerOffline() : NOT_FOUND
  }

  preflight({ path, headers }: Visit): StreamAnswer | undefined {
    const { cors } = this.#offline
    if (cors === undefined || !this.#takesPath(path)) return undefined
    const allowed = preflightHeaders(headerOf(headers, 'access-control-request-headers'))
    return { status: 204, headers: { ...allowed, 'Access-Control-Allow-Origin': cors } }
  }

  /** The pattern is gone: nobody waits any longer. */
  close(): void {
    for (const waiting of this.#waiting) this.#refuse(waiting, this.#answerOffline())
  }

  /** An ordinary request. Resolves with what the handler of the copy returns, for the errors of that one. */
  readonly #respond: OrdinaryRoute['respond'] = (request, response, visit) => {
    const answer = ({ status, headers, body }: StreamAnswer): void => {
      response.writeHead(status, headers).end(body)
    }
    if (request.method === 'HEAD') return answer(this.head(visit))
    return new Promise<unknown>((resolve) => {
      const waiting: Waiting = {
        visit,
        serve: (route) => {
          if ('stream' in route) waiting.answer(this.#answerOffline('1'))
          else resolve(Promise.resolve().then(() => callRoute(route, [request, response, visit])))
        },
        answer: (given) => {
          answer(given)
          resolve(undefined)
        },
        forget: () => response.off('close', onClose),
      }
      const onClose = (): void => {
        this.#forget(waiting)
        resolve(undefined)
      }
      response.once('close', onClose)
      this.#take(waiting)
    })
  }

  #take(waiting: Waiting): void {
    const { address, path } = waiting.visit
    if (!this.#takesPath(path)) return this.#refuse(waiting, NOT_FOUND)
    const key = limitKeyOf(address)
    const count = this.#perAddress.get(key) ?? 0
    const [isFull, isAddressFull] = [this.#waiting.size >= MOST_WAITING, count >= MOST_PER_ADDRESS]
    if (isFull || isAddressFull) {
      this.#parts.onFull({ waiting: isFull ? this.#waiting.size : count, ...(isFull ? {} : { address }) })
      return this.#refuse(waiting, this.#answerOffline())
    }
    this.#perAddress.set(key, count + 1)
    this.#waiting.add(waiting)
    this.#expire()
  }

  /** Answers those that have waited long enough. */
  #expire(): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = undefined
    const { clock } = this.#parts
    const { waitForMs = DEFAULT_WAIT_MS } = this.#offline
    for (const waiting of this.#waiting) {
      const restMs = waiting.visit.headAtMs + waitForMs - clock.nowMs()
      if (restMs > 0) {
        this.#timer = clock.after(Math.min(restMs, LONGEST_TIMER_MS), () => this.#expire())
        return
      }
      this.#refuse(waiting, this.#answerOffline())
    }
  }

  #refuse(waiting: Waiting, answer: StreamAnswer): void {
    this.#forget(waiting)
    waiting.answer(answer)
  }

  #forget(waiting: Waiting): void {
    waiting.forget()
    if (!this.#waiting.delete(waiting)) return
    const key = limitKeyOf(waiting.visit.address)
    const left = (this.#perAddress.get(key) ?? 1) - 1
    if (left > 0) this.#perAddress.set(key, left)
    else this.#perAddress.delete(key)
    if (this.#waiting.size === 0) this.#timer?.[Symbol.dispose]()
  }

  #answerOffline(retryAfter = '5'): StreamAnswer {
    const { status = DEFAULT_STATUS, cors } = this.#offline
    const origin = cors === undefined ? {} : { 'Access-Control-Allow-Origin': cors }
    const headers = {
      ...{ 'Retry-After': retryAfter, 'Cache-Control': 'no-store', ...origin },
      ...{ 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': String(SENTENCE.length) },
    }
    return { status, headers, body: SENTENCE }
  }

  #takesPath(path: string): boolean {
    const key = this.#keyOf(path)
    return key !== undefined && this.#parts.takesKey(key)
  }

  /** Undefined if the path is not one of the pattern. */
  #keyOf(path: string): string | undefined {
    const { before, after, isPrefix } = this.#parts.pattern
    if (!path.startsWith(before)) return undefined
    const [segment = '', inSegment = ''] = [path.slice(before.length), after].map((text) => text.split('/', 1)[0])
    const key = segment.slice(0, Math.max(0, segment.length - inSegment.length))
    const tail = path.slice(before.length + key.length)
    return key !== '' && (isPrefix ? tail.startsWith(after) : tail === after) ? key : undefined
  }
}

/** Throws what the handler throws. */
function callRoute(
  { methods = ['GET', 'HEAD'], respond }: OrdinaryRoute,
  [request, response, visit]: readonly [IncomingMessage, ServerResponse, Visit],
): unknown {
  if (!methods.includes(request.method ?? '')) return refuseMethod(response, methods)
  return respond(request, response, visit)
}
