// An output's handle on its route. An output that takes the route over gets a handle of its own, and the previous
// handle no longer has any effect: neither a last chunk nor an end from the old output reaches the viewers.
import type { LiveEntry, LiveRoute, LiveRouteOptions, RouteCounters } from '../plugin/live-route.js'
import type { ServedRoute } from './served-route.js'

export class RouteHandle implements LiveRoute {
  readonly counters: RouteCounters
  readonly #update: (options: LiveRouteOptions) => void
  #route: ServedRoute | undefined

  /** `update` changes the options of the route, including its listener and path. */
  constructor(route: ServedRoute, update: (options: LiveRouteOptions) => void) {
    this.#route = route
    this.#update = update
    this.counters = route.counters
  }

  push(entry: LiveEntry): void {
    this.#route?.push(entry)
  }

  end(): void {
    this.#route?.end()
  }

  async drained(): Promise<void> {
    await this.#route?.drained()
  }

  update(options: LiveRouteOptions): void {
    if (this.#route !== undefined) this.#update(options)
  }

  get behindBytes(): number {
    return this.#route?.behindBytes ?? 0
  }

  get onCaughtUp(): (() => void) | undefined {
    return this.#route?.onCaughtUp
  }

  set onCaughtUp(listen: (() => void) | undefined) {
    if (this.#route !== undefined) this.#route.onCaughtUp = listen
  }

  /** Another handle has the route from now on. */
  detach(): void {
    this.onCaughtUp = undefined
    this.#route = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#route?.[Symbol.asyncDispose]()
  }
}
