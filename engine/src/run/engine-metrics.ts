// Binds the engine's own metrics to the parts they read.
import type { RouteStatus } from '../observe/route-status.js'
import { CORE_HISTOGRAMS, CORE_METRICS, type CoreMetricName } from '../observe/core-metrics.js'
import type { EventLoopLag } from '../observe/event-loop-lag.js'
import type { MetricsRegistry } from '../observe/metrics-registry.js'
import { addProcessMetrics } from '../observe/process-metrics.js'
import type { MetricRead } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'

export interface EngineMetricsSettings {
  readonly registry: MetricsRegistry
  readonly clock: Clock
  readonly lag: EventLoopLag
  /** Requests refused by every auth provider, by reason. */
  readonly authRefused: ReadonlyMap<string, number>
  accessLogDropped(): number
}

export function addEngineMetrics(settings: EngineMetricsSettings): void {
  const { registry, clock, lag } = settings
  addProcessMetrics(registry)
  lag.addTo(registry, clock)
  addAccessMetrics(settings)
}

function addAccessMetrics({ registry, authRefused, accessLogDropped }: EngineMetricsSettings): void {
  const add = (name: CoreMetricName, read: MetricRead): void => {
    const declaration = CORE_METRICS.find((metric) => metric.name === name)
    if (declaration !== undefined) registry.add(declaration, {}, read)
  }
  add('auth_refused_total', () => [...authRefused].map(([reason, count]) => [{ reason }, count]))
  add('access_log_dropped_lines_total', accessLogDropped)
}

type Labels = Readonly<Record<string, string>>

/** The histograms of routes, added and removed with their outputs. */
export class RouteHistograms {
  readonly #registry: MetricsRegistry
  readonly #labelsOf: (id: string) => Labels
  readonly #added = new Map<RouteStatus['startDelay'], readonly Disposable[]>()

  /** `labelsOf`: `pipeline`, `node` and `type` of a node id. */
  constructor(registry: MetricsRegistry, labelsOf: (id: string) => Labels) {
    this.#registry = registry
    this.#labelsOf = labelsOf
  }

  /** Adds those of new routes, and removes those of routes that are gone. */
  refresh(routes: readonly RouteStatus[]): void {
    const present = new Set(routes.map(({ startDelay }) => startDelay))
    for (const [histogram, series] of this.#added) {
      if (present.has(histogram)) continue
      this.#added.delete(histogram)
      for (const member of series) member[Symbol.dispose]()
    }
    for (const { id, startDelay, latency } of routes) {
      if (this.#added.has(startDelay)) continue
      const labels = this.#labelsOf(id)
      const [start, late] = CORE_HISTOGRAMS
      this.#added.set(startDelay, [
        this.#registry.addHistogram(start.name, start.help, labels, startDelay),
        this.#registry.addHistogram(late.name, late.help, labels, latency),
      ])
    }
  }
}
