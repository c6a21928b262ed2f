// What a plugin can request in `inject`, by token. Tokens are registered symbols, so that two copies of this file
// agree.
import type { Audience, AudienceOptions } from './audience.js'
import type { Auth } from './auth.js'
import type { HttpRoutes } from './http-routes.js'
import type { Provided } from './listener.js'
import type { LiveRoute, LiveRouteOptions } from './live-route.js'
import type { MediaMemory } from './media-memory.js'
import type { NodeKind } from './node-kinds.js'
import type { Processes } from './processes.js'
import type { Secrets } from './secrets.js'
import type { Sockets } from './sockets.js'
import type { Store } from './store.js'
import type { StreamWindow, StreamWindowBounds } from './stream-window.js'

declare const tokenType: unique symbol
export type Token<T> = symbol & { readonly [tokenType]: T }

/** The token of that name; the same in every copy of the engine. */
export function token<T>(name: string): Token<T> {
  return Symbol.for(`millrace.${name}`) as Token<T>
}

/** Time and timers: monotonic milliseconds, one mapping to wall time, timers that end with the node. */
export interface Clock {
  /** Monotonic time, as in `receivedAtMs`. */
  nowMs(): number
  /** The Unix time in milliseconds of a monotonic time. */
  wallMs(monotonicMs: number): number
  /** Calls `run` once after the delay, unless disposed before. What it throws is a failure of the node. */
  after(delayMs: number, run: () => void): Disposable
  /** Calls `run` in each period until disposed. What it throws is a failure of the node. */
  every(periodMs: number, run: () => void): Disposable
}

/** Shared sockets. */
export interface Listeners {
  /**
   * Throws LISTEN_UNKNOWN for a name that the YAML does not have (`api` is always there), LISTEN_OTHER_PROTOCOL.
   */
  http(name: string): HttpRoutes
  /**
   * What the listener of that name provides, for a listener whose definition has that token in `provides`. Throws
   * LISTEN_UNKNOWN, LISTEN_OTHER_PROTOCOL.
   */
  of<T>(token: Token<T>, name: string): Provided<T>
}

/** Live byte streams to any number of viewers: windows, cursors, joins, slow viewers. */
export interface Delivery {
  /** Throws LISTEN_UNKNOWN, LISTEN_PATH_TAKEN, TypeError. The route responds at once, and serves when entries arrive. */
  open(options: LiveRouteOptions): LiveRoute
  /** Memory for media that the output keeps, and sends in answer to requests; at most this much. */
  memory(limitBytes: number): MediaMemory
  /** A window of the stream, shared by viewers to which the output sends over a protocol of its own. */
  window(bounds: StreamWindowBounds): StreamWindow
}

/** Who watches an output, over any protocol: limits, sessions, lists of viewers, kicks, counters, access log. */
export interface Audiences {
  /**
   * The viewers of this output; one audience serves all its paths and protocols. When a reload replaces the output, the
   * audiences of the new one take over those of the old one, in the order in which they were opened. Throws TypeError.
   */
  open(options: AudienceOptions): Audience
}

/** All metrics of the engine and its nodes, in Prometheus' text format. */
export interface MetricsSource {
  /** The media type of the text. */
  readonly contentType: string
  /** Reads and renders all metrics now, without blocking the event loop. Calls during a rendering share its text. */
  render(): Promise<string>
}

/**
 * Events of the engine. Callbacks run synchronously in the code that emits the event: they must only store it for
 * later.
 */
export interface Events {
  /** Calls `listen` for each event except those of viewers, until disposed. A callback that throws is unsubscribed. */
  subscribe(listen: (event: EventNotice) => void): Disposable
  /**
   * Calls `listen` for each viewer who connects (`client_connect`) or leaves (`client_disconnect`): up to thousands a
   * second.
   */
  subscribeClients(listen: (event: EventNotice) => void): Disposable
  /** The most recent events, oldest first, without those of viewers. */
  recent(): readonly EventNotice[]
}

export interface EventNotice {
  /** Unix time, milliseconds. */
  readonly atMs: number
  /** `node.ready`, `engine.stopping`, `limit_hit`, or a name that a plugin has passed to `event()`. */
  readonly kind: string
  /** Id of the node that it concerns. */
  readonly node?: string
  readonly nodeKind?: NodeKind
  readonly data: Readonly<Record<string, string | number | boolean>>
}

export const AUDIENCE: Token<Audiences> = token('Audience')
export const AUTH: Token<Auth> = token('Auth')
export const CLOCK: Token<Clock> = token('Clock')
export const LISTENERS: Token<Listeners> = token('Listeners')
export const DELIVERY: Token<Delivery> = token('Delivery')
export const EVENTS: Token<Events> = token('Events')
export const METRICS: Token<MetricsSource> = token('Metrics')
/** The name of the node's pipeline. Services have none. */
export const PIPELINE: Token<string> = token('Pipeline')
export const PROCESSES: Token<Processes> = token('Processes')
export const SECRETS: Token<Secrets> = token('Secrets')
/** UDP, TCP and unix sockets of the node. */
export const SOCKETS: Token<Sockets> = token('Sockets')
export const STORE: Token<Store> = token('Store')
