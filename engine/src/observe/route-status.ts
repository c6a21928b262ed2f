// The state of a live route in status and metrics.
import type { Histogram } from './histogram.js'
import type { AliasStatus } from './status.js'

/** One route, for status and metrics; each value is current when it is read. */
export interface RouteStatus {
  readonly id: string
  readonly listener: string
  /** Empty while its path is withdrawn. */
  readonly urls: readonly string[]
  /** Paths that it had before. */
  readonly aliases: readonly AliasStatus[]
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
