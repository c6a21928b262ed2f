// The paths of a pattern pipeline while no copy has them: a request waits for the copy as for the source of any live
// path, then receives 503.
import type { Duplex } from 'node:stream'
import type { Clock } from '../plugin/tokens.js'
import { endSocket, renderResponseHead } from './raw-response.js'
import type { PatternRoute, Route } from './route-table.js'
import type { StreamAnswer, StreamHandler, Visit } from './stream-handler.js'

/** As long as `offline.waitFor` of a live output by default. */
const WAIT_MS = 10_000
/** Further requests do not wait. */
const MOST_WAITING = 1000
const OFFLINE: StreamAnswer = {
  status: 503,
  headers: { 'Retry-After': '5', 'Cache-Control': 'no-store', 'Content-Length': '0' },
}
const NOT_FOUND: StreamAnswer = { status: 404, headers: { 'Content-Length': '0' } }

interface Waiting {
  readonly socket: Duplex
  readonly visit: Visit
  readonly timer: Disposable
  readonly onClose: () => void
}

/** `before` and `after`: the path around the key. */
export interface PathPattern {
  readonly before: string
  readonly after: string
  /** Every path below it as well. */
  readonly isPrefix: boolean
}

export class WaitingRequests implements PatternRoute, StreamHandler {
  readonly #pattern: PathPattern
  readonly #takesKey: (key: string) => boolean
  readonly #clock: Clock
  readonly #waiting = new Set<Waiting>()

  /** `takesKey`: a stream of that key can be published. */
  constructor(pattern: PathPattern, takesKey: (key: string) => boolean, clock: Clock) {
    this.#pattern = pattern
    this.#takesKey = takesKey
    this.#clock = clock
  }

  get stream(): StreamHandler {
    return this
  }

  matches(path: string): boolean {
    return this.#keyOf(path) !== undefined
  }

  /** Called when a copy claims its path: those that wait for it become its viewers. */
  onClaimed(route: Route): void {
    for (const waiting of this.#waiting) {
      const { path } = waiting.visit
      if (route.isPrefix === true ? !path.startsWith(route.path) : path !== route.path) continue
      this.#forget(waiting)
      // An ordinary route answers the client's next request.
      if ('stream' in route) route.stream.serve(waiting.socket, waiting.visit)
      else this.#answer(waiting, { ...OFFLINE, headers: { ...OFFLINE.headers, 'Retry-After': '1' } })
    }
  }

  serve(socket: Duplex, visit: Visit): void {
    const refusal = this.#refusalOf(visit.path)
    if (refusal !== undefined) return this.#answer({ socket, visit }, refusal)
    const waiting: Waiting = {
      socket,
      visit,
      timer: this.#clock.after(WAIT_MS, () => {
        this.#forget(waiting)
        this.#answer(waiting, OFFLINE)
      }),
      onClose: () => this.#forget(waiting),
    }
    this.#waiting.add(waiting)
    socket.once('close', waiting.onClose)
  }

  head({ path }: Visit): StreamAnswer {
    return this.#refusalOf(path) ?? OFFLINE
  }

  /** The pattern is gone: nobody waits any longer. */
  close(): void {
    for (const waiting of this.#waiting) {
      this.#forget(waiting)
      this.#answer(waiting, OFFLINE)
    }
  }

  #refusalOf(path: string): StreamAnswer | undefined {
    const key = this.#keyOf(path)
    if (key === undefined || !this.#takesKey(key)) return NOT_FOUND
    return this.#waiting.size >= MOST_WAITING || this.#pattern.isPrefix ? OFFLINE : undefined
  }

  #forget(waiting: Waiting): void {
    this.#waiting.delete(waiting)
    waiting.timer[Symbol.dispose]()
    waiting.socket.off('close', waiting.onClose)
  }

  #answer({ socket, visit }: Pick<Waiting, 'socket' | 'visit'>, { status, headers }: StreamAnswer): void {
    if (visit.respond === undefined) endSocket(socket, renderResponseHead(status, headers), this.#clock)
    else visit.respond(status, headers, true)
  }

  /** Undefined if the path is not one of the pattern. */
  #keyOf(path: string): string | undefined {
    const { before, after, isPrefix } = this.#pattern
    if (!path.startsWith(before)) return undefined
    const slash = path.indexOf('/', before.length)
    const end = isPrefix ? slash : slash < 0 ? path.length : slash
    if (end < 0) return undefined
    const rest = path.slice(before.length)
    const key = isPrefix ? rest.slice(0, end - before.length) : rest.slice(0, rest.length - after.length)
    if (key === '' || key.includes('/')) return undefined
    const tail = rest.slice(key.length)
    return (isPrefix ? tail.startsWith(after) : tail === after) ? key : undefined
  }
}
