// The endpoints one node owns on shared listeners: mounts of ordinary requests, leases of live routes, audiences. The node asks
// for them through the usual tokens. A standby node receives them only when it is activated; a reload withdraws and
// restores those of all nodes that move.
import { authorizeRequests, type FindSession } from '../../access/authorized-requests.js'
import type { EngineAudiences } from '../../audience/engine-audiences.js'
import type { LiveDelivery } from '../../deliver/live-delivery.js'
import type { RouteLease } from '../../deliver/route-lease.js'
import type { SourceView } from '../../deliver/source-view.js'
import { type NamedListener, RouteClaims } from '../../listen/route-claims.js'
import { listedBeside, type RouteListing } from '../../listen/route-listing.js'
import type { Auth } from '../../plugin/auth.js'
import type { HttpHandler, HttpRoutes, MountOptions } from '../../plugin/http-routes.js'
import type { LiveRouteOptions } from '../../plugin/live-route.js'
import type { Audiences, Delivery, Listeners } from '../../plugin/tokens.js'
import { NodeAudiences } from './node-audiences.js'
import { runError } from './run-errors.js'
import { ScopedProvided } from './scoped-provided.js'

export interface SharedEndpoints {
  readonly audiences: Pick<EngineAudiences, 'open'>
  readonly delivery: Pick<LiveDelivery, 'lease' | 'memory' | 'window'>
  /** Throws LISTEN_UNKNOWN. */
  readonly listeners: { http(name: string): NamedListener & Pick<HttpRoutes, 'origins'> } & Pick<Listeners, 'of'>
  /** Authorizes requests to mounts that name a provider; without it no one may use those. */
  readonly auth?: Auth
}

export interface EndpointSettings extends SharedEndpoints {
  /** Id of the node, which a reload may rename. */
  owner(): string
  /** Runs code of the node; its result or error goes to the caller. */
  call<T>(run: () => T): T
  /** Runs code of the node; an error that it throws fails the node. */
  enter(run: () => void): void
  /** What it reads. By default nothing is known of it. */
  readonly source?: SourceView
  /** Nothing is claimed before `activate`. */
  readonly isStandby: boolean
}

interface Retained {
  readonly route: RouteLease
  readonly order: number
}

export class NodeEndpoints {
  readonly audiences: NodeAudiences
  readonly #settings: EndpointSettings
  readonly #mounts: RouteClaims
  readonly #leases = new Set<RouteLease>()
  readonly #provided: ScopedProvided
  #isStandby: boolean
  #isRetaining = false
  /** Identifies the opened node. */
  #opened = {}
  /** The paths of its mounts, without those below a prefix. */
  readonly #paths = new Set<{ readonly listener: Pick<HttpRoutes, 'origins'>; readonly path: string }>()
  /** Leases of routes that the node has disposed, kept for the node that replaces it; in the order they were opened. */
  #retained: readonly Retained[] = []
  #routesOpened = 0

  constructor(settings: EndpointSettings) {
    this.#settings = settings
    this.#isStandby = settings.isStandby
    this.#mounts = new RouteClaims(settings.isStandby)
    this.audiences = new NodeAudiences(settings)
    this.#provided = new ScopedProvided(settings.enter)
  }

  /** Where its mounts can be opened. */
  get urls(): readonly string[] {
    return [...this.#paths].flatMap(({ listener, path }) => listener.origins.map((origin) => origin + encodeURI(path)))
  }

  /** Delivery serves it live. */
  get hasRoute(): boolean {
    return this.#leases.size > 0
  }

  /** For the node that is opened now: until `release`, or until another is opened, it can ask for endpoints. */
  forOpening(): { readonly audiences: Audiences; readonly delivery: Delivery; readonly listeners: Listeners } {
    const opened = {}
    this.#opened = opened
    const checked = <A, R>(ask: (given: A) => R): ((given: A) => R) => {
      return (given) => {
        if (this.#opened !== opened) throw runError('NODE_OVER', `${this.#settings.owner()} is over`)
        return ask(given)
      }
    }
    const mount = (name: string) => checked((asked: [MountOptions, HttpHandler]) => this.#mount(name, ...asked))
    return {
      audiences: { open: checked((options) => this.audiences.open(options)) },
      delivery: {
        open: checked((options) => this.#openRoute(options)),
        memory: (limitBytes) => this.#settings.delivery.memory(limitBytes),
        window: (bounds) => this.#settings.delivery.window(bounds),
      },
      listeners: {
        http: (name) => this.#routesOf(name, mount(name)),
        of: (token, name) => this.#provided.scope(this.#settings.listeners.of(token, name)),
      },
    }
  }

  /**
   * Claims the endpoints the node has asked for. It takes over those of the node it replaces, and their viewers stay.
   * Throws LISTEN_PATH_TAKEN, LISTEN_UNKNOWN; the replaced node then has its paths back.
   */
  activate(before?: NodeEndpoints): void {
    if (!this.#isStandby) return
    try {
      before?.withdraw(this)
      this.reserve(before)
      if (before !== undefined) this.#takeOver(before)
    } catch (error) {
      this.withdraw()
      before?.restore()
      throw error
    }
    this.#isStandby = false
  }

  /**
   * Frees its paths at once: other nodes can claim them. With `next`, the node that replaces it, those that both have
   * stay until that one is activated. Viewers stay.
   */
  withdraw(next?: NodeEndpoints): void {
    this.#mounts.withdraw(next === undefined ? undefined : next.#mounts)
    const wanted = next === undefined ? [] : [...next.#leases]
    for (const [index, route] of this.#passable().entries()) route.withdraw(wanted[index])
  }

  /** It has left the graph, and still delivers what it holds: requests reach it wherever nobody else has its paths. */
  linger(): void {
    this.#mounts.linger()
  }

  /** Claims its own paths again. Throws LISTEN_PATH_TAKEN, LISTEN_UNKNOWN; `withdraw` releases what it has claimed. */
  restore(): void {
    this.audiences.restore()
    this.#mounts.restore()
    for (const route of this.#passable()) {
      if (route.isOpen) route.restore()
      else this.#openLease(route)
    }
  }

  /**
   * Before activation: claims the paths that the replaced node, withdrawn for this one, does not hold. Its live routes
   * move there at once. Throws as `restore` does.
   */
  reserve(before?: NodeEndpoints): void {
    this.audiences.activate(before?.audiences)
    this.#mounts.restore(before === undefined ? undefined : before.#mounts)
    const routes = before === undefined ? [] : before.#passable()
    for (const [index, lease] of [...this.#leases].entries()) {
      const route = routes[index]
      if (lease.isOpen) continue
      if (route === undefined) lease.open()
      else if (route.hasEnded) lease.takeOver(route)
      else route.restore(lease)
    }
  }

  /** The node has another id now. */
  rename(id: string): void {
    this.audiences.rename(id)
    for (const route of this.#passable()) route.rename(id)
  }

  /**
   * While true, viewers of a node that fails stay connected for the node that replaces it. When it turns false, they
   * are disconnected, unless a node has taken them over.
   */
  retain(isRetaining: boolean): void {
    this.#isRetaining = isRetaining
    if (!isRetaining) {
      for (const { route } of this.#retained) void route[Symbol.asyncDispose]()
      this.#retained = []
    }
    this.audiences.retain(isRetaining)
  }

  /** The node has been disposed: releases what it has not. */
  release(): void {
    this.#opened = {}
    this.#provided.close()
    this.#mounts.release()
    this.#paths.clear()
    for (const lease of this.#leases) void lease[Symbol.asyncDispose]()
    this.audiences.release()
  }

  /** The rest: the paths that the replaced node still holds, and its live routes. */
  #takeOver(before: NodeEndpoints): void {
    before.#mounts.withdraw()
    this.#mounts.restore()
    const routes = before.#passable()
    for (const [index, lease] of [...this.#leases].entries()) {
      const route = routes[index]
      if (route !== undefined && !lease.isOpen) lease.takeOver(route)
    }
  }

  /** Routes that another node can take over, in order. */
  #passable(): readonly RouteLease[] {
    return [...this.#retained.map(({ route }) => route), ...this.#leases]
  }

  #openRoute(options: LiveRouteOptions): RouteLease {
    const { delivery, listeners, owner, enter, source } = this.#settings
    listeners.http(options.listener)
    const lease = delivery.lease({ ...options, id: owner() }, enter, source)
    const order = this.#routesOpened++
    if (!this.#mounts.isWithdrawn) this.#openLease(lease)
    this.#leases.add(lease)
    lease.onDispose = () => {
      this.#leases.delete(lease)
      if (!this.#isRetaining || !lease.isOpen) return
      const retained = [...this.#retained, { route: lease.passOn(), order }]
      this.#retained = retained.sort((a, b) => a.order - b.order)
    }
    return lease
  }

  /** A node that opens again has the viewers that it had. */
  #openLease(lease: RouteLease): void {
    const [retained, ...more] = this.#retained
    if (retained === undefined) return lease.open()
    lease.takeOver(retained.route)
    this.#retained = more
  }

  #routesOf(name: string, mount: (asked: [MountOptions, HttpHandler]) => Disposable): HttpRoutes {
    const listener = this.#settings.listeners.http(name)
    return {
      name,
      get origins() {
        return listener.origins
      },
      listed: () => listedBeside(this.#settings.owner(), listener.listed()),
      mount: (options, handle) => mount([options, handle]),
    }
  }

  #mount(name: string, options: MountOptions, handle: HttpHandler): Disposable {
    const listener = this.#settings.listeners.http(name)
    const { path, prefix: isPrefix = false, methods } = options
    const { auth, call, owner } = this.#settings
    const run: HttpHandler = (request, response, visit) => call(() => handle(request, response, visit))
    const findSession: FindSession = (request) => call(() => options.sessions?.find(request))
    const respond = authorizeRequests({ listener, auth, owner, options, findSession }, run)
    const listing = (): RouteListing | undefined => listingOf(owner(), options)
    const claim = { path, isPrefix, respond, listing, ...(methods === undefined ? {} : { methods }) }
    const held = this.#mounts.claim(listener, claim)
    const shown = { listener, path }
    if (!isPrefix) this.#paths.add(shown)
    return {
      [Symbol.dispose]: () => {
        this.#paths.delete(shown)
        held[Symbol.dispose]()
      },
    }
  }
}

function listingOf(node: string, { listed, auth = [] }: MountOptions): RouteListing | undefined {
  return listed === undefined ? undefined : { ...listed, auth, node }
}
