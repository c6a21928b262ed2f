// Binds the engine's own metrics to the parts they read.
import type { RouteChange } from '../deliver/live-delivery.js'
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
  logDropped(): number
}

export function addEngineMetrics(settings: EngineMetricsSettings): void {
  const { registry, clock, lag } = settings
  addProcessMetrics(registry)
  lag.addTo(registry, clock)
  addLogMetrics(settings)
}

function addLogMetrics({ registry, authRefused, accessLogDropped, logDropped }: EngineMetricsSettings): void {
  const add = (name: CoreMetricName, read: MetricRead): void => {
    const declaration = CORE_METRICS.find((metric) => metric.name === name)
    if (declaration !== undefined) registry.add(declaration, {}, read)
  }
  add('auth_refused_total', () => [...authRefused].map(([reason, count]) => [{ reason }, count]))
  add('access_log_dropped_lines_total', accessLogDropped)
  add('log_dropped_lines_total', logDropped)
}

type Labels = Readonly<Record<string, string>>

interface ShownHistograms {
  readonly id: string
  readonly series: readonly Disposable[]
}

/** The histograms of routes, added and removed with them. */
export class RouteHistograms {
  readonly #registry: MetricsRegistry
  readonly #labelsOf: (id: string) => Labels | undefined
  readonly #open = new Map<RouteStatus, ShownHistograms | undefined>()

  /** `labelsOf`: `pipeline`, `node` and `type` of a node id; undefined for a node that is not in the graph yet. */
  constructor(registry: MetricsRegistry, labelsOf: (id: string) => Labels | undefined) {
    this.#registry = registry
    this.#labelsOf = labelsOf
  }

  note({ kind, route }: RouteChange): void {
    if (kind !== 'closed') return this.#show(route)
    for (const member of this.#open.get(route)?.series ?? []) member[Symbol.dispose]()
    this.#open.delete(route)
  }

  /** Labels the routes of nodes that have joined the graph since. */
  update(): void {
    for (const route of this.#open.keys()) this.#show(route)
  }

  #show(route: RouteStatus): void {
    const shown = this.#open.get(route)
    const labels = this.#labelsOf(route.id)
    if (shown !== undefined && (labels === undefined || shown.id === route.id)) return
    for (const member of shown?.series ?? []) member[Symbol.dispose]()
    const [start, late] = CORE_HISTOGRAMS
    const series = labels && [
      this.#registry.addHistogram(start.name, start.help, labels, route.startDelay),
      this.#registry.addHistogram(late.name, late.help, labels, route.latency),
    ]
    this.#open.set(route, series && { id: route.id, series })
  }
}
