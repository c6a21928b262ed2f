// What a route shows of itself.
import type { AliasStatus } from '../observe/status.js'
import type { Histogram } from '../observe/histogram.js'
import type { ClientLimits, RouteCounters } from '../plugin/live-route.js'
import type { RoutePaths } from './route-paths.js'
import type { ServedRoute } from './served-route.js'

/** One route, for status and metrics; each value is that of the moment it is read. */
export interface RouteStatus {
  readonly id: string
  readonly listener: string
  /** None while its path is withdrawn. */
  readonly urls: readonly string[]
  /** Of paths that it had before. */
  readonly aliases: readonly AliasStatus[]
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

  get counters(): RouteCounters {
    return this.#route.counters
  }

  get maxClients(): number {
    return this.limits.max
  }

  get limits(): ClientLimits {
    return this.#route.options.clients
  }

  get limitsReached(): readonly ('soft' | 'max')[] {
    return this.#route.seats.reached
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
