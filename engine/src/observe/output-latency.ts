// How long data takes through the engine, as the slowest of hundred chunks see it: the 99th percentile over all outputs that
// pass data on as it comes, of the last seconds. Counted only while somebody reads it.
import type { Clock } from '../plugin/tokens.js'
import { CORE_HISTOGRAMS } from './core-metrics.js'
import { DELAY_BOUNDS_SECONDS } from './histogram.js'
import type { MetricsRegistry } from './metrics-registry.js'

const [, { name: LATENCY }] = CORE_HISTOGRAMS
const WINDOW_MS = 10_000
const QUANTILE = 0.99
/** Types of outputs that keep data for a whole segment: their latency is its length, as in `deploy/prometheus/alerts.yaml`. */
const BY_SEGMENT: ReadonlySet<string> = new Set(['hls'])

interface Reading {
  readonly atMs: number
  /** Of each bucket. */
  readonly counts: readonly number[]
}

export class OutputLatency {
  readonly #registry: Pick<MetricsRegistry, 'histogramsOf'>
  readonly #clock: Pick<Clock, 'nowMs'>
  /** The begin of the window, and what its begin will be next. */
  #begin: Reading | undefined
  #next: Reading | undefined

  constructor(registry: Pick<MetricsRegistry, 'histogramsOf'>, clock: Pick<Clock, 'nowMs'>) {
    this.#registry = registry
    this.#clock = clock
  }

  /**
   * Of the last 10 to 20 s, or since the first reading; undefined if nothing was passed on. However many read it, they
   * share the window. After a pause of the readers it begins anew.
   */
  get seconds(): number | undefined {
    const now: Reading = { atMs: this.#clock.nowMs(), counts: this.#counts() }
    const next = this.#next
    if (next === undefined || now.atMs - next.atMs >= WINDOW_MS) {
      this.#begin = next === undefined || now.atMs - next.atMs >= 2 * WINDOW_MS ? now : next
      this.#next = now
    }
    const begin = this.#begin?.counts ?? []
    // An output that has gone takes its counts with it.
    return quantile(now.counts.map((count, index) => Math.max(0, count - (begin[index] ?? 0))))
  }

  #counts(): readonly number[] {
    const counts = Array.from({ length: DELAY_BOUNDS_SECONDS.length + 1 }, () => 0)
    for (const [{ type = '' }, histogram] of this.#registry.histogramsOf(LATENCY)) {
      if (!BY_SEGMENT.has(type)) histogram.addCountsTo(counts)
    }
    return counts
  }
}

/** Within its bucket as if the values were spread evenly; what lies above all bounds counts as the last bound. */
function quantile(counts: readonly number[]): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total === 0) return undefined
  let left = QUANTILE * total
  for (const [index, count] of counts.entries()) {
    const to = DELAY_BOUNDS_SECONDS[index]
    if (to === undefined) break
    if (left <= count) {
      const from = DELAY_BOUNDS_SECONDS[index - 1] ?? 0
      return from + (to - from) * (left / count)
    }
    left -= count
  }
  return DELAY_BOUNDS_SECONDS.at(-1)
}
