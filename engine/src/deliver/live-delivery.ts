// Delivery of live byte streams over HTTP: the routes of all outputs, the limits across them, and their shutdown.
import { type Observable, Subject } from 'rxjs'
import type { Auth } from '../plugin/auth.js'
import { AudienceLease } from '../audience/audience-lease.js'
import type { EngineAudiences } from '../audience/engine-audiences.js'
import type { ClientLimits } from '../plugin/audience.js'
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import { AuthorizedHandler } from './authorized-handler.js'
import type { MediaMemory } from '../plugin/media-memory.js'
import { checkRouteOptions } from './check-route.js'
import { MediaBlocks } from './media-blocks.js'
import type { LiveRouteOptions } from '../plugin/live-route.js'
import { type LeaseContext, type OpenRoute, RouteLease } from './route-lease.js'
import type { RouteListing } from '../listen/route-listing.js'
import { type LiveListener, RoutePaths } from './route-paths.js'
import type { RouteStatus } from '../observe/route-status.js'
import { RouteView } from './route-view.js'
import { ServedRoute } from './served-route.js'
import { type SourceView, UNKNOWN_SOURCE } from './source-view.js'
import { SharedWindow } from './shared-window.js'
import type { StreamWindow, StreamWindowBounds } from '../plugin/stream-window.js'
import { TurnQueue } from './turn-queue.js'

export interface LiveDeliveryOptions {
  /** Throws LISTEN_UNKNOWN. */
  readonly listeners: { http(name: string): LiveListener }
  readonly clock: Clock
  readonly log: Logger
  readonly audiences: EngineAudiences
  /** Authorizes viewers of routes that name a provider; without it no one may watch those. */
  readonly auth?: Auth
  /** How often viewers are checked for stalls, waits and absent sources. By default once a second. */
  readonly sweepMs?: number
  /** Maximum number of viewers started in one turn of the event loop, so that delivery is not delayed. By default 64. */
  readonly joinsPerTurn?: number
}

const NO_LIMITS: ClientLimits = { max: 0, soft: 0, perAddress: 0, overLimitStatus: 503 }

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
  readonly #routes = new Set<ListedRoute>()
  /** The first route of each owner; built on demand. */
  #byOwner: Map<string, ListedRoute> | undefined
  readonly #leases: LeaseContext = {
    openRoute: (options) => this.#openRoute(options),
    onOwnerChange: () => {
      this.#byOwner = undefined
    },
  }
  #sweep: Disposable | undefined

  constructor(options: LiveDeliveryOptions) {
    this.routes$ = this.#changes.asObservable()
    this.#options = options
    this.#joins = new TurnQueue(options.joinsPerTurn ?? 64, (start) => start())
  }

  /**
   * A lease on standby: it has no route yet. `enter` runs code of the output; by default as it is. `source`: what the
   * output reads; by default nothing is known of it.
   */
  lease(
    options: LiveRouteOptions,
    enter: (run: () => void) => void = (run) => run(),
    source: SourceView = UNKNOWN_SOURCE,
  ): RouteLease {
    checkRouteOptions(options)
    checkAudience(options)
    return new RouteLease(options, this.#leases, { enter, source })
  }

  /** Memory for media that an output keeps, at most this much. */
  memory(limitBytes: number): MediaMemory {
    return new MediaBlocks(limitBytes, this.#options.clock)
  }

  /** A window for an output that sends to its viewers itself. */
  window(bounds: StreamWindowBounds): StreamWindow {
    return new SharedWindow(bounds)
  }

  routes(): readonly RouteStatus[] {
    return Array.from(this.#routes, ({ status }) => status)
  }

  /** The route of a node; undefined if it has none. */
  routeOf(node: string): RouteStatus | undefined {
    return this.#entryOf(node)?.status
  }

  /**
   * For shutdown: refuses new viewers, and gives present ones the rest of the windows and a clean end. Viewers that
   * remain after `withinMs` are cut. Resolves when all have left.
   */
  async endAll(withinMs: number): Promise<void> {
    this.#options.audiences.stopAccepting()
    const routes = [...this.#routes]
    const timer = this.#options.clock.after(withinMs, () => routes.forEach(({ route }) => route.cutAll('cut')))
    for (const { route } of routes) route.end()
    await Promise.all(routes.map(({ route }) => route.drained()))
    timer[Symbol.dispose]()
  }

  /** Cuts all viewers. Safe twice. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#options.audiences.stopAccepting()
    await Promise.all([...this.#routes].map(({ route }) => route[Symbol.asyncDispose]()))
    this.#stopSweep()
  }

  #openRoute(options: LiveRouteOptions): OpenRoute {
    const { clock, log, auth, sweepMs } = this.#options
    const { audiences } = this.#options
    const own = new AudienceLease(
      { limits: NO_LIMITS },
      { audiences, owner: () => route.options.id, enter: (run) => run() },
    )
    const route: ServedRoute = new ServedRoute(options, {
      clock,
      log,
      joins: this.#joins,
      audience: () => (route.options.audience instanceof AudienceLease ? route.options.audience : own).audience,
    })
    const paths = new RoutePaths(options, {
      clock,
      listenerOf: (name) => this.#options.listeners.http(name),
      handlerOf: (routePath) => new AuthorizedHandler(route, auth, routePath),
      listing: () => listingOf(route.options),
    })
    const status = new RouteView(route, paths)
    const entry: ListedRoute = { route, paths, ownAudience: own, status }
    route.onDispose = () => {
      paths.claims.withdraw()
      this.#routes.delete(entry)
      this.#byOwner = undefined
      this.#changes.next({ kind: 'closed', route: status })
      void route.drained().then(() => own.close())
      if (this.#routes.size === 0) this.#stopSweep()
    }
    this.#add(entry)
    // From now on it is in lists and metrics, with no viewers.
    void route.audience
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

function checkAudience({ audience }: LiveRouteOptions): void {
  if (audience !== undefined && !(audience instanceof AudienceLease))
    throw new TypeError('the audience of a live route has to come from AUDIENCE')
}

function listingOf({ id, auth = [], listed }: LiveRouteOptions): RouteListing | undefined {
  return listed === undefined ? undefined : { ...listed, auth, node: id }
}
