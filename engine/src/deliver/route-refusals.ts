// How a live route refuses a request: the status for each reason, the response, the counter and the session event.
import type { Duplex } from 'node:stream'
import { endSocket, renderResponseHead } from '../listen/raw-response.js'
import type { StreamAnswer } from '../listen/stream-handler.js'
import type { SessionWatcher } from '../observe/viewer-events.js'
import type { LiveRouteOptions, RouteCounters } from '../plugin/live-route.js'
import type { Clock } from '../plugin/tokens.js'
import type { Denial } from '../access/authorize.js'
import type { LiveHeader } from './live-header.js'
import { sessionOf, type SessionVisitor } from './session-visitor.js'

/** Why a viewer is refused. */
export type RouteRefusal =
  'closing' | 'ended' | 'offline' | 'max-clients' | 'per-address' | 'listener-max-clients' | 'engine-max-clients'

const LIMITS: ReadonlySet<RouteRefusal> = new Set([
  'max-clients',
  'per-address',
  'listener-max-clients',
  'engine-max-clients',
])

export interface RefusingRoute {
  /** The current ones. */
  readonly options: LiveRouteOptions
  readonly counters: RouteCounters
}

export interface RefusalContext {
  readonly clock: Clock
  readonly sessions: SessionWatcher
}

export class RouteRefusals {
  readonly #route: RefusingRoute
  readonly #header: LiveHeader
  readonly #context: RefusalContext

  constructor(route: RefusingRoute, header: LiveHeader, context: RefusalContext) {
    this.#route = route
    this.#header = header
    this.#context = context
  }

  answerFor(reason: RouteRefusal): StreamAnswer {
    return { status: this.#statusOf(reason), headers: this.#header.ofRefusal() }
  }

  answerDenied({ status, headers }: Denial): StreamAnswer {
    return { status, headers: this.#header.ofRefusal(headers) }
  }

  refuse(socket: Duplex, visitor: SessionVisitor, reason: RouteRefusal): void {
    this.#send(socket, visitor, reason, this.answerFor(reason))
  }

  deny(socket: Duplex, visitor: SessionVisitor, denial: Denial): void {
    this.#send(socket, visitor, denial.reason, this.answerDenied(denial))
  }

  #send(socket: Duplex, visitor: SessionVisitor, reason: string, { status, headers }: StreamAnswer): void {
    const { options, counters } = this.#route
    counters.refused.set(reason, (counters.refused.get(reason) ?? 0) + 1)
    if (visitor.respond === undefined) endSocket(socket, renderResponseHead(status, headers), this.#context.clock)
    else visitor.respond(status, headers, true)
    const outcome = { status, bytes: 0, durationMs: 0, skips: 0, skippedBytes: 0, reason }
    this.#context.sessions.onEnd({ ...sessionOf(visitor, options.id), ...outcome })
  }

  #statusOf(reason: RouteRefusal): number {
    const { offline, clients } = this.#route.options
    if (reason === 'offline') return offline.status
    return LIMITS.has(reason) ? clients.overLimitStatus : 503
  }
}
