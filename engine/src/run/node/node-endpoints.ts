// The endpoints one node owns on shared listeners: paths and live routes. The node asks for them through the usual
// tokens; a standby node receives them only when it is activated, from the node it replaces.
import type { LiveDelivery } from '../../deliver/live-delivery.js'
import type { LiveEntry, LiveRoute, LiveRouteOptions, RouteCounters } from '../../plugin/live-route.js'
import { startRouteCounters } from '../../plugin/live-route.js'
import type { Delivery, HttpRoutes, Listeners } from '../../plugin/tokens.js'

export type RouteSource = Pick<LiveDelivery, 'open' | 'takeOver' | 'move'>

export interface EndpointSettings {
  readonly delivery: RouteSource
  readonly listeners: Listeners
  /** Id of the node, which a reload may rename. */
  owner(): string
  /** Runs code of the node; its result or error goes to the caller. */
  call<T>(run: () => T): T
  /** Runs code of the node; an error that it throws fails the node. */
  enter(run: () => void): void
  /** Nothing is claimed before `activate`. */
  readonly isStandby: boolean
}

type Respond = Parameters<HttpRoutes['handle']>[1]

export class NodeEndpoints {
  readonly delivery: Delivery = { open: (options) => this.#openRoute(options) }
  readonly listeners: Listeners = { http: (name) => this.#handler(name) }
  readonly #settings: EndpointSettings
  readonly #routes = new Set<ClaimedRoute>()
  readonly #paths = new Set<ClaimedPath>()
  #isStandby: boolean
  #isRetaining = false
  /** Routes that the node has disposed, kept for the node that replaces it. */
  readonly #retained = new Set<LiveRoute>()

  constructor(settings: EndpointSettings) {
    this.#settings = settings
    this.#isStandby = settings.isStandby
  }

  /**
   * Claims the endpoints the node has asked for. It takes over those of the node it replaces, and their viewers stay;
   * `before.id` is the id under which delivery knows them. Throws LISTEN_PATH_TAKEN, LISTEN_UNKNOWN; the replaced node
   * then has its paths back.
   */
  activate(before?: { readonly id: string; readonly endpoints: NodeEndpoints | undefined }): void {
    if (!this.#isStandby) return
    const { delivery } = this.#settings
    before?.endpoints?.withdrawPaths()
    try {
      for (const route of this.#routes) {
        const taken = before === undefined ? undefined : delivery.takeOver(before.id, route.options)
        route.settle(taken ?? delivery.open(route.options))
      }
      for (const path of this.#paths) path.claim()
    } catch (error) {
      for (const path of this.#paths) path.withdraw()
      before?.endpoints?.claimPaths()
      throw error
    }
    this.#isStandby = false
  }

  /**
   * While true, viewers of a node that fails stay connected for the node that replaces it. When it turns false, they
   * are disconnected, unless a node has taken them over.
   */
  retain(isRetaining: boolean): void {
    this.#isRetaining = isRetaining
    if (isRetaining) return
    for (const route of this.#retained) void route[Symbol.asyncDispose]()
    this.#retained.clear()
  }

  /** Moves the routes of the replaced node to the paths this one will have, at once. Throws as `activate` does. */
  movePaths(before: string): void {
    for (const route of this.#routes) this.#settings.delivery.move(before, route.options)
  }

  withdrawPaths(): void {
    for (const path of this.#paths) path.withdraw()
  }

  claimPaths(): void {
    for (const path of this.#paths) path.claim()
  }

  #openRoute(options: LiveRouteOptions): LiveRoute {
    const { delivery, owner, enter } = this.#settings
    const route = new ClaimedRoute(options, owner, enter)
    if (!this.#isStandby) route.settle(delivery.open(route.options))
    this.#routes.add(route)
    route.onDispose = (held) => {
      this.#routes.delete(route)
      if (this.#isRetaining && held !== undefined) this.#retained.add(held)
      return this.#isRetaining
    }
    return route
  }

  #handler(name: string): HttpRoutes {
    const { listeners } = this.#settings
    const handler = listeners.http(name)
    return {
      name,
      get origins() {
        return handler.origins
      },
      handle: (path, respond) => this.#handle(handler, path, respond),
    }
  }

  #handle(handler: HttpRoutes, path: string, respond: Respond): Disposable {
    const { call } = this.#settings
    const claimed = new ClaimedPath(handler, path, (request, response) => call(() => respond(request, response)))
    if (!this.#isStandby) claimed.claim()
    this.#paths.add(claimed)
    return {
      [Symbol.dispose]: () => {
        this.#paths.delete(claimed)
        claimed.withdraw()
      },
    }
  }
}

class ClaimedPath {
  readonly #handler: HttpRoutes
  readonly #path: string
  readonly #respond: Respond
  #held: Disposable | undefined

  constructor(handler: HttpRoutes, path: string, respond: Respond) {
    this.#handler = handler
    this.#path = path
    this.#respond = respond
  }

  claim(): void {
    this.#held ??= this.#handler.handle(this.#path, this.#respond)
  }

  withdraw(): void {
    this.#held?.[Symbol.dispose]()
    this.#held = undefined
  }
}

/** A route as its output sees it; it may have no live route behind it yet. */
class ClaimedRoute implements LiveRoute {
  /** Called when the node disposes it; true if the live route behind it stays. */
  onDispose: (route: LiveRoute | undefined) => boolean = () => false
  #options: LiveRouteOptions
  readonly #owner: () => string
  readonly #enter: EndpointSettings['enter']
  #route: LiveRoute | undefined
  #onCaughtUp: (() => void) | undefined
  #isEnded = false
  readonly #noCounters = startRouteCounters()

  constructor(options: LiveRouteOptions, owner: () => string, enter: EndpointSettings['enter']) {
    this.#options = options
    this.#owner = owner
    this.#enter = enter
  }

  get options(): LiveRouteOptions {
    return { ...this.#options, id: this.#owner() }
  }

  settle(route: LiveRoute): void {
    this.#route = route
    this.#listen(route)
    if (this.#isEnded) route.end()
  }

  push(entry: LiveEntry): void {
    this.#route?.push(entry)
  }

  end(): void {
    this.#isEnded = true
    this.#route?.end()
  }

  async drained(): Promise<void> {
    await this.#route?.drained()
  }

  update(options: LiveRouteOptions): void {
    const before = this.#options
    this.#options = options
    try {
      this.#route?.update(this.options)
    } catch (error) {
      this.#options = before
      throw error
    }
  }

  get behindBytes(): number {
    return this.#route?.behindBytes ?? 0
  }

  get onCaughtUp(): (() => void) | undefined {
    return this.#onCaughtUp
  }

  set onCaughtUp(listen: (() => void) | undefined) {
    this.#onCaughtUp = listen
    if (this.#route !== undefined) this.#listen(this.#route)
  }

  #listen(route: LiveRoute): void {
    const listen = this.#onCaughtUp
    route.onCaughtUp = listen && ((): void => this.#enter(listen))
  }

  get counters(): RouteCounters {
    return this.#route?.counters ?? this.#noCounters
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const route = this.#route
    this.#route = undefined
    if (!this.onDispose(route)) await route?.[Symbol.asyncDispose]()
  }
}
