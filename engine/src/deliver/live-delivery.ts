// Delivery of live byte streams over HTTP: the routes of all outputs, the limits over all of them, and their end.
import type { Auth } from '../access/auth.js'
import type { ClientStatus } from '../api/types.js'
import type { LiveDoor } from '../listen/live-door.js'
import type { EventData } from '../observe/events.js'
import type { Histogram } from '../observe/histogram.js'
import type { Logger } from '../plugin/contract.js'
import type { Clock, Delivery } from '../plugin/tokens.js'
import { describeViewer } from './describe-viewer.js'
import { GuardedDoor } from './guarded-door.js'
import type { ClientLimits, LiveRoute, LiveRouteOptions, RouteCounters } from './live-route.js'
import { type RouteRefusal, ServedRoute } from './served-route.js'
import { SessionIds } from './session-ids.js'
import { type SessionWatcher, SessionWatchers } from './session.js'
import { TurnQueue } from './turn-queue.js'

/** What delivery needs of a listener. */
export interface LiveListener {
  readonly origins: readonly string[]
  /** Viewers of all its routes at most; 0 for no limit. */
  readonly maxClients: number
  handleLive(path: string, door: LiveDoor): Disposable
}

export interface LiveDeliveryOptions {
  /** Throws LISTEN_UNKNOWN. */
  readonly listeners: { http(name: string): LiveListener }
  readonly clock: Clock
  readonly log: Logger
  /** Viewers at most over all routes; 0 for no limit. */
  readonly maxClients: number
  /** Called when a limit of a route is reached (`limit_hit`), and when it no longer is (`limit_miss`). By default nothing. */
  onEvent?(event: { readonly kind: string; readonly node: string; readonly data: EventData }): void
  /** Who may watch what names a provider; without it nobody. */
  readonly auth?: Auth
  /** How often stalled, waiting and offline viewers are looked for. By default once a second. */
  readonly sweepMs?: number
  /** Viewers that start in one turn of the event loop, so that delivering goes on meanwhile. By default 64. */
  readonly joinsPerTurn?: number
}

/** One route, for status and metrics. */
export interface RouteStatus {
  readonly id: string
  readonly listener: string
  readonly urls: readonly string[]
  readonly counters: RouteCounters
  /** 0 for no limit. */
  readonly maxClients: number
  readonly limits: ClientLimits
  /** The limits that are reached now. */
  readonly limitsReached: readonly ('soft' | 'max')[]
  /** A new viewer would start now. */
  readonly isOnline: boolean
  readonly behindBytes: number
  readonly windowEntries: number
  /** Memory that the window keeps alive. */
  readonly windowBytes: number
  readonly windowDurationMs: number
  /** Seconds. */
  readonly startDelay: Histogram
  /** Seconds. */
  readonly latency: Histogram
}

interface OpenRoute {
  readonly route: ServedRoute
  readonly listener: LiveListener
}

export class LiveDelivery implements Delivery, AsyncDisposable {
  readonly #options: LiveDeliveryOptions
  readonly #joins: TurnQueue<() => void>
  readonly #sessions = new SessionWatchers()
  readonly #ids = new SessionIds()
  readonly #routes = new Set<OpenRoute>()
  /** Viewers, by the name of their listener. */
  readonly #perListener = new Map<string, number>()
  #maxClients: number
  #clients = 0
  #isClosing = false
  #sweep: Disposable | undefined

  constructor(options: LiveDeliveryOptions) {
    this.#options = options
    this.#maxClients = options.maxClients
    this.#joins = new TurnQueue(options.joinsPerTurn ?? 64, (start) => start())
  }

  /** Viewers of all routes, those that wait included. */
  get clients(): number {
    return this.#clients
  }

  get maxClients(): number {
    return this.#maxClients
  }

  /** A lower limit sends nobody away. */
  set maxClients(limit: number) {
    this.#maxClients = limit
  }

  open(options: LiveRouteOptions): LiveRoute {
    const { clock, log, listeners, sweepMs } = this.#options
    const listener = listeners.http(options.listener)
    const route = new ServedRoute(options, {
      clock,
      log,
      joins: this.#joins,
      refusal: () => this.#refusal(options.listener, listener),
      onClients: (change) => {
        this.#clients += change
        this.#perListener.set(options.listener, (this.#perListener.get(options.listener) ?? 0) + change)
      },
      nextId: () => this.#ids.next(),
      sessions: this.#sessions,
      onNews: ({ news, ...data }) => this.#options.onEvent?.({ kind: news, node: options.id, data }),
    })
    const path = listener.handleLive(options.path, new GuardedDoor(route, this.#options.auth))
    const entry = { route, listener }
    route.onDispose = () => {
      path[Symbol.dispose]()
      this.#routes.delete(entry)
      if (this.#routes.size === 0) this.#stopSweep()
    }
    this.#routes.add(entry)
    this.#sweep ??= clock.every(sweepMs ?? 1000, () => this.#sweepAll())
    return route
  }

  routes(): readonly RouteStatus[] {
    return [...this.#routes].map(({ route, listener }) => ({
      id: route.options.id,
      listener: route.options.listener,
      urls: listener.origins.map((origin) => origin + encodeURI(route.options.path)),
      counters: route.counters,
      maxClients: route.options.clients.max,
      limits: route.options.clients,
      limitsReached: route.seats.reached,
      isOnline: route.isOnline,
      behindBytes: route.behindBytes,
      windowEntries: route.window.next - route.window.first,
      windowBytes: route.window.retainedBytes,
      windowDurationMs: route.window.durationMs,
      startDelay: route.startDelay,
      latency: route.latency,
    }))
  }

  /** Told of every session of every route until disposed. */
  watchSessions(watcher: SessionWatcher): Disposable {
    return this.#sessions.add(watcher)
  }

  /** Viewers of one output, or of all, in the order in which they came. */
  viewers(node?: string): readonly ClientStatus[] {
    const { clock } = this.#options
    return [...this.#routes]
      .filter(({ route }) => node === undefined || route.options.id === node)
      .flatMap(({ route }) => Array.from(route.viewers, (viewer) => describeViewer(viewer, route.options.id, clock)))
  }

  /** Cuts a viewer, and says who it was; undefined if there is none of this id. */
  kick(id: string): ClientStatus | undefined {
    for (const { route } of this.#routes) {
      for (const viewer of route.viewers) {
        if (viewer.visitor.id !== id) continue
        const status = describeViewer(viewer, route.options.id, this.#options.clock)
        viewer.cut('kicked')
        return status
      }
    }
    return undefined
  }

  /** New viewers are refused from now on; the present ones go on. */
  stopAccepting(): void {
    this.#isClosing = true
  }

  /**
   * For shutdown: new viewers are refused, the present ones get what is in the windows and a clean end; who has not gone
   * by then is cut. Resolves when all have gone.
   */
  async endAll(withinMs: number): Promise<void> {
    this.#isClosing = true
    const routes = [...this.#routes]
    const timer = this.#options.clock.after(withinMs, () => routes.forEach(({ route }) => route.cutAll('cut')))
    for (const { route } of routes) route.end()
    await Promise.all(routes.map(({ route }) => route.drained()))
    timer[Symbol.dispose]()
  }

  /** Cuts everybody. Safe twice. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true
    await Promise.all([...this.#routes].map(({ route }) => route[Symbol.asyncDispose]()))
    this.#stopSweep()
  }

  #refusal(name: string, { maxClients }: LiveListener): RouteRefusal | undefined {
    if (this.#isClosing) return 'closing'
    if (maxClients > 0 && (this.#perListener.get(name) ?? 0) >= maxClients) return 'listener-max-clients'
    return this.#maxClients > 0 && this.#clients >= this.#maxClients ? 'engine-max-clients' : undefined
  }

  #sweepAll(): void {
    const nowMs = this.#options.clock.nowMs()
    for (const { route } of this.#routes) route.sweep(nowMs)
  }

  #stopSweep(): void {
    this.#sweep?.[Symbol.dispose]()
    this.#sweep = undefined
  }
}
