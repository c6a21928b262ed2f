// Delivery of live byte streams over HTTP: the routes of all outputs, the limits over all of them, and their end.
import type { LiveDoor } from '../listen/live-door.js'
import type { Histogram } from '../observe/histogram.js'
import type { Logger } from '../plugin/contract.js'
import type { Clock, Delivery } from '../plugin/tokens.js'
import type { LiveRoute, LiveRouteOptions, RouteCounters } from './live-route.js'
import { ServedRoute } from './served-route.js'
import { TurnQueue } from './turn-queue.js'

/** What delivery needs of a listener. */
export interface LiveListener {
  readonly origins: readonly string[]
  handleLive(path: string, door: LiveDoor): Disposable
}

export interface LiveDeliveryOptions {
  /** Throws LISTEN_UNKNOWN. */
  readonly listeners: { http(name: string): LiveListener }
  readonly clock: Clock
  readonly log: Logger
  /** Viewers at most over all routes; 0 for no limit. */
  readonly maxClients: number
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
  readonly #routes = new Set<OpenRoute>()
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
      refusal: () => this.#refusal(),
      onClients: (change) => {
        this.#clients += change
      },
    })
    const path = listener.handleLive(options.path, route)
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
      maxClients: route.options.maxClients,
      isOnline: route.isOnline,
      behindBytes: route.behindBytes,
      windowEntries: route.window.next - route.window.first,
      windowBytes: route.window.retainedBytes,
      windowDurationMs: route.window.durationMs,
      startDelay: route.startDelay,
      latency: route.latency,
    }))
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

  #refusal(): string | undefined {
    if (this.#isClosing) return 'closing'
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
