// The status of a route, read at the moment of access.
import type { AliasStatus } from '../observe/status.js'
import type { RouteStatus } from '../observe/route-status.js'
import type { Histogram } from '../observe/histogram.js'
import type { RoutePaths } from './route-paths.js'
import type { ServedRoute } from './served-route.js'

export class RouteView implements RouteStatus {
  readonly #route: ServedRoute
  readonly #paths: RoutePaths

  constructor(route: ServedRoute, paths: RoutePaths) {
    this.#route = route
    this.#paths = paths
  }

  get id(): string {
    return this.#route.options.id
  }

  get listener(): string {
    return this.#route.options.listener
  }

  get urls(): readonly string[] {
    return this.#paths.urls
  }

  get aliases(): readonly AliasStatus[] {
    return this.#paths.aliases
  }

  get isOnline(): boolean {
    return this.#route.isOnline
  }

  get behindBytes(): number {
    return this.#route.behindBytes
  }

  get windowEntries(): number {
    return this.#route.window.next - this.#route.window.first
  }

  get windowBytes(): number {
    return this.#route.window.retainedBytes
  }

  get windowDurationMs(): number {
    return this.#route.window.durationMs
  }

  get startDelay(): Histogram {
    return this.#route.startDelay
  }

  get latency(): Histogram {
    return this.#route.latency
  }
}
