// What a plugin may ask for in `inject`, by token. Tokens are registered symbols, so that two copies of this file agree.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Auth } from './auth.js'
import type { LiveRoute, LiveRouteOptions } from './live-route.js'
import type { NodeKind } from './node-kinds.js'

declare const tokenType: unique symbol
export type Token<T> = symbol & { readonly [tokenType]: T }

/** The token of that name; the same in every copy of the engine. */
export function token<T>(name: string): Token<T> {
  return Symbol.for(`millrace.${name}`) as Token<T>
}

/** Time and timers: monotonic milliseconds, one mapping to wall time, timers that end with the node. */
export interface Clock {
  /** Monotonic, the clock of `receivedAtMs`. */
  nowMs(): number
  /** Unix time of a monotonic time. */
  wallMs(monotonicMs: number): number
  after(delayMs: number, run: () => void): Disposable
  every(periodMs: number, run: () => void): Disposable
}

/** Shared sockets. */
export interface Listeners {
  /** Throws LISTEN_UNKNOWN for a name that the YAML does not have (`api` is always there). */
  http(name: string): HttpRoutes
}

/** What a node may do with an HTTP listener. */
export interface HttpRoutes {
  readonly name: string
  /** `http://host:port` with a host that a person can open; one per bound address. */
  readonly origins: readonly string[]
  /** Answers GET and HEAD of exactly this path (after percent-decoding) until disposed. Throws LISTEN_PATH_TAKEN. */
  handle(path: string, respond: (request: IncomingMessage, response: ServerResponse) => void): Disposable
}

/** Live byte streams to any number of viewers: windows, cursors, joins, slow viewers. */
export interface Delivery {
  /** Throws LISTEN_UNKNOWN, LISTEN_PATH_TAKEN. The route answers at once, and serves when entries come. */
  open(options: LiveRouteOptions): LiveRoute
}

/** All metrics of the engine and its nodes, in Prometheus' text format. */
export interface MetricsSource {
  /** The media type of the text. */
  readonly contentType: string
  /** Reads and renders them now; the event loop stays free meanwhile. Who asks during that gets the same text. */
  render(): Promise<string>
}

/** What happens in the engine. Who listens is called inside the code that it tells of: be quick, keep it for later. */
export interface Events {
  /** Called for each event from now on, until disposed. */
  subscribe(listen: (event: EventNotice) => void): Disposable
  /** Called for each viewer who comes (`client_connect`) and goes (`client_disconnect`): up to thousands a second. */
  subscribeClients(listen: (event: EventNotice) => void): Disposable
  /** The newest events until now, oldest first, without those of viewers. */
  recent(): readonly EventNotice[]
}

export interface EventNotice {
  /** Unix time, milliseconds. */
  readonly atMs: number
  /** `node.ready`, `engine.stopping`, `limit_hit`, or what a plugin calls it. */
  readonly kind: string
  /** Id of the node that it concerns. */
  readonly node?: string
  readonly nodeKind?: NodeKind
  readonly data: Readonly<Record<string, string | number | boolean>>
}

export const AUTH: Token<Auth> = token('Auth')
export const CLOCK: Token<Clock> = token('Clock')
export const LISTENERS: Token<Listeners> = token('Listeners')
export const DELIVERY: Token<Delivery> = token('Delivery')
export const EVENTS: Token<Events> = token('Events')
export const METRICS: Token<MetricsSource> = token('Metrics')
