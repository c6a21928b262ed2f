// Delivery of live byte streams over HTTP: the routes of all outputs, the limits across them, and their shutdown.
import { type Observable, Subject } from 'rxjs'
import type { Auth } from '../plugin/auth.js'
import type { ClientStatus } from '../observe/status.js'
import type { EventData } from '../observe/events.js'
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import { describeViewer } from './describe-viewer.js'
import { AuthorizedHandler } from './authorized-handler.js'
import type { LiveRouteOptions } from '../plugin/live-route.js'
import { type LeaseContext, type OpenRoute, RouteLease } from './route-lease.js'
import { type LiveListener, type RoutePath, RoutePaths } from './route-paths.js'
import type { RouteStatus } from '../observe/route-status.js'
import { RouteView } from './route-view.js'
import type { RouteRefusal } from './route-refusals.js'
import { ServedRoute } from './served-route.js'
import { SessionIds } from './session-ids.js'
import { type SessionWatcher, SessionWatchers } from '../observe/viewer-events.js'
import { TurnQueue } from './turn-queue.js'

export interface LiveDeliveryOptions {
  /** Throws LISTEN_UNKNOWN. */
  readonly listeners: { http(name: string): LiveListener }
  readonly clock: Clock
  readonly log: Logger
  /** Maximum number of viewers over all routes; 0 for no limit. */
  readonly maxClients: number
  /**
   * Called when a limit of a route is reached (`limit_hit`), and when it no longer is (`limit_miss`). By default
   * nothing.
   */
  onEvent?(event: { readonly kind: string; readonly node: string; readonly data: EventData }): void
  /** Authorizes viewers of routes that name a provider; without it no one may watch those. */
  readonly auth?: Auth
  /** How often viewers are checked for stalls, waits and absent sources. By default once a second. */
  readonly sweepMs?: number
  /** Maximum number of viewers started in one turn of the event loop, so that delivery is not delayed. By default 64. */
  readonly joinsPerTurn?: number
}

export interface RouteChange {
  readonly kind: 'opened' | 'closed'
  readonly route: RouteStatus
}

interface ListedRoute extends OpenRoute {
  readonly status: RouteStatus
}

export class LiveDelivery implements AsyncDisposable {
  /** Routes that open and close. Subscribers are called within the change. */
  readonly routes$: Observable<RouteChange>
  readonly #changes = new Subject<RouteChange>()
  readonly #options: LiveDeliveryOptions
  readonly #joins: TurnQueue<() => void>
  readonly #sessions = new SessionWatchers()
  readonly #ids = new SessionIds()
  readonly #routes = new Set<ListedRoute>()
  /** The first route of each owner; built on demand. */
  #byOwner: Map<string, ListedRoute> | undefined
  /** Number of viewers per listener. */
  readonly #perListener = new WeakMap<LiveListener, number>()
  readonly #leases: LeaseContext = {
    openRoute: (options) => this.#openRoute(options),
    onOwnerChange: () => {
      this.#byOwner = undefined
    },
  }
  #maxClients: number
  #clients = 0
  #isClosing = false
  #sweep: Disposable | undefined

  constructor(options: LiveDeliveryOptions) {
    this.routes$ = this.#changes.asObservable()
    this.#options = options
    this.#maxClients = options.maxClients
    this.#joins = new TurnQueue(options.joinsPerTurn ?? 64, (start) => start())
  }

  /** Viewers of all routes, including those that wait. */
  get clients(): number {
    return this.#clients
  }

  get maxClients(): number {
    return this.#maxClients
  }

  /** A lower limit disconnects no one. */
  set maxClients(limit: number) {
    this.#maxClients = limit
  }

  /** A lease on standby: it has no route yet. `enter` runs code of the output; by default as it is. */
  lease(options: LiveRouteOptions, enter: (run: () => void) => void = (run) => run()): RouteLease {
    return new RouteLease(options, this.#leases, enter)
  }

  routes(): readonly RouteStatus[] {
    return Array.from(this.#routes, ({ status }) => status)
  }

  /** The route of a node; undefined if it has none. */
  routeOf(node: string): RouteStatus | undefined {
    return this.#entryOf(node)?.status
  }

  /** The watcher is notified of every session of every route until disposed. */
  watchSessions(watcher: SessionWatcher): Disposable {
    return this.#sessions.add(watcher)
  }

  /** Viewers of one output, or of all, in order of arrival. */
  viewers(node?: string): readonly ClientStatus[] {
    const { clock } = this.#options
    return [...this.#routes]
      .filter(({ route }) => node === undefined || route.options.id === node)
      .flatMap(({ route }) => Array.from(route.viewers, (viewer) => describeViewer(viewer, route.options.id, clock)))
  }

  /** Cuts a viewer and returns its status; undefined if no viewer has this id. */
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

  /** Refuses new viewers from now on; present ones stay. */
  stopAccepting(): void {
    this.#isClosing = true
  }

  /**
   * For shutdown: refuses new viewers, and gives present ones the rest of the windows and a clean end. Viewers that
   * remain after `withinMs` are cut. Resolves when all have left.
   */
  async endAll(withinMs: number): Promise<void> {
    this.#isClosing = true
    const routes = [...this.#routes]
    const timer = this.#options.clock.after(withinMs, () => routes.forEach(({ route }) => route.cutAll('cut')))
    for (const { route } of routes) route.end()
    await Promise.all(routes.map(({ route }) => route.drained()))
    timer[Symbol.dispose]()
  }

  /** Cuts all viewers. Safe twice. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true
    await Promise.all([...this.#routes].map(({ route }) => route[Symbol.asyncDispose]()))
    this.#stopSweep()
  }

  #openRoute(options: LiveRouteOptions): OpenRoute {
    const { clock, log, auth, sweepMs } = this.#options
    const route: ServedRoute = new ServedRoute(options, {
      clock,
      log,
      joins: this.#joins,
      refusal: (routePath) => this.#refusal(routePath),
      onClients: (change, routePath) => this.#count(change, routePath),
      nextId: () => this.#ids.next(),
      sessions: this.#sessions,
      onLimitChange: ({ event, ...data }) => this.#options.onEvent?.({ kind: event, node: route.options.id, data }),
    })
    const paths = new RoutePaths(options, {
      clock,
      listenerOf: (name) => this.#options.listeners.http(name),
      handlerOf: (routePath) => new AuthorizedHandler(route, auth, routePath),
    })
    const status = new RouteView(route, paths)
    const entry: ListedRoute = { route, paths, status }
    route.onDispose = () => {
      paths.claims.withdraw()
      this.#routes.delete(entry)
      this.#byOwner = undefined
      this.#changes.next({ kind: 'closed', route: status })
      if (this.#routes.size === 0) this.#stopSweep()
    }
    this.#add(entry)
    this.#changes.next({ kind: 'opened', route: status })
    this.#sweep ??= clock.every(sweepMs ?? 1000, () => this.#sweepAll())
    return entry
  }

  #entryOf(owner: string): ListedRoute | undefined {
    this.#byOwner ??= new Map([...this.#routes].reverse().map((entry) => [entry.route.options.id, entry]))
    return this.#byOwner.get(owner)
  }

  /** Before routes of the same owner, which have ended and only wait for their viewers to leave. */
  #add(entry: ListedRoute): void {
    const before = [...this.#routes].filter(({ route }) => route.options.id === entry.route.options.id)
    this.#routes.add(entry)
    this.#byOwner = undefined
    for (const old of before) {
      this.#routes.delete(old)
      this.#routes.add(old)
    }
  }

  #count(change: number, routePath: RoutePath): void {
    this.#clients += change
    routePath.viewers += change
    this.#perListener.set(routePath.listener, (this.#perListener.get(routePath.listener) ?? 0) + change)
  }

  #refusal({ listener }: RoutePath): RouteRefusal | undefined {
    if (this.#isClosing) return 'closing'
    const { maxClients } = listener
    if (maxClients > 0 && (this.#perListener.get(listener) ?? 0) >= maxClients) return 'listener-max-clients'
    return this.#maxClients > 0 && this.#clients >= this.#maxClients ? 'engine-max-clients' : undefined
  }

  #sweepAll(): void {
    const nowMs = this.#options.clock.nowMs()
    for (const { route, paths } of this.#routes) {
      route.sweep(nowMs)
      paths.sweep(nowMs)
    }
  }

  #stopSweep(): void {
    this.#sweep?.[Symbol.dispose]()
    this.#sweep = undefined
  }
}
