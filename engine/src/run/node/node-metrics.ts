// The metrics of one node: declared by its type, read at scrape time, labelled with its id. Those of a standby node are
// hidden until it is activated.
import type { NodeSettings } from '../../graph/graph.js'
import type { MetricsRegistry } from '../../observe/metrics-registry.js'
import type { MetricDeclaration, MetricRead } from '../../plugin/contract.js'
import { continueMetric } from './continue-metric.js'

type Labels = Readonly<Record<string, string>>

interface Series {
  readonly declaration: MetricDeclaration
  read: MetricRead
  shown?: Disposable
}

/** `pipeline`, `node` and `type`, which every series of a node has. */
export function labelsOf({ id, definition }: NodeSettings): Labels {
  const [pipeline = '', node = ''] = id.split('/')
  return { pipeline, node, type: definition.type }
}

export class NodeMetrics {
  readonly #registry: MetricsRegistry
  readonly #labels: () => Labels
  readonly #byName = new Map<string, Series>()
  #isShown: boolean

  constructor(registry: MetricsRegistry, labels: () => Labels, isShown: boolean) {
    this.#registry = registry
    this.#labels = labels
    this.#isShown = isShown
  }

  /** From now on the metric is read with this function. */
  set(declaration: MetricDeclaration, read: MetricRead): void {
    this.#byName.get(declaration.name)?.shown?.[Symbol.dispose]()
    const series: Series = { declaration, read }
    this.#byName.set(declaration.name, series)
    if (this.#isShown) this.#show(series)
  }

  /** Shows the metrics from now on; counters continue from the values of the node it replaces. */
  show(before?: NodeMetrics): void {
    this.#isShown = true
    for (const [name, series] of this.#byName) {
      const old = before === undefined ? undefined : before.#byName.get(name)
      if (old !== undefined && series.declaration.kind === 'counter')
        series.read = continueMetric(old.read, series.read)
      this.#show(series)
    }
  }

  /** The id of the node has changed. */
  relabel(): void {
    if (this.#isShown) for (const series of this.#byName.values()) this.#show(series)
  }

  clear(): void {
    for (const { shown } of this.#byName.values()) shown?.[Symbol.dispose]()
    this.#byName.clear()
  }

  #show(series: Series): void {
    series.shown?.[Symbol.dispose]()
    series.shown = this.#registry.add(series.declaration, this.#labels(), series.read)
  }
}
