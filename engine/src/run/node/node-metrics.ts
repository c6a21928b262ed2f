// The metrics of one node: declared by its type, read at scrape time, labelled with its id. Those of a standby node are
// hidden until it is activated.
import type { NodeSettings } from '../../graph/graph.js'
import { nodeName, splitCopyName } from '../../graph/node-id.js'
import { Histogram } from '../../observe/histogram.js'
import type { MetricsRegistry } from '../../observe/metrics-registry.js'
import type { MetricDeclaration, MetricRead } from '../../plugin/contract.js'
import { continueMetric } from './continue-metric.js'

type Labels = Readonly<Record<string, string>>

interface Series {
  readonly declaration: MetricDeclaration
  from: MetricRead | Histogram
  /** Of a node that has failed and is opened again. */
  isPast?: boolean
  shown?: Disposable
}

/** `pipeline`, `node` and `type`, which every series of a node has, and `stream` in a copy of a pattern pipeline. */
export function labelsOf({ id, definition }: NodeSettings): Labels {
  const { pipeline, stream } = splitCopyName(id)
  const labels = { pipeline, node: nodeName(id), type: definition.type }
  return stream === undefined ? labels : { ...labels, stream }
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
    this.#set(declaration, read)
  }

  /** The node is opened again after a failure: counters that it connects now continue from their values. */
  reopen(): void {
    for (const series of this.#byName.values()) series.isPast = true
  }

  /** The histogram of that declaration, created at the first call. */
  histogram(declaration: MetricDeclaration): Histogram {
    const known = this.#byName.get(declaration.name)?.from
    if (known instanceof Histogram) return known
    const histogram = new Histogram(declaration.buckets ?? [])
    this.#set(declaration, histogram)
    return histogram
  }

  /** Shows the metrics from now on; counters and histograms continue from the values of the node it replaces. */
  show(before?: NodeMetrics): void {
    this.#isShown = true
    for (const [name, series] of this.#byName) {
      const old = before === undefined ? undefined : before.#byName.get(name)?.from
      if (series.from instanceof Histogram) series.from.continueFrom(old)
      else if (series.declaration.kind === 'counter' && typeof old === 'function')
        series.from = continueMetric(old, series.from)
      this.#show(series)
    }
  }

  /** The id of the node has changed. */
  relabel(): void {
    if (this.#isShown) for (const series of this.#byName.values()) this.#show(series)
  }

  /** Over all its rows; undefined if the node has no such number, or it cannot be read now. */
  sumOf(name: string): number | undefined {
    const read = this.#byName.get(name)?.from
    if (typeof read !== 'function') return undefined
    try {
      const now = read()
      if (typeof now === 'number') return now
      let sum = 0
      for (const [, value] of now) sum += value
      return sum
    } catch {
      // A scrape says why.
      return undefined
    }
  }

  clear(): void {
    for (const { shown } of this.#byName.values()) shown?.[Symbol.dispose]()
    this.#byName.clear()
  }

  #set(declaration: MetricDeclaration, from: Series['from']): void {
    const past = this.#byName.get(declaration.name)
    past?.shown?.[Symbol.dispose]()
    const series: Series = { declaration, from: past?.isPast === true ? continued(past, from) : from }
    this.#byName.set(declaration.name, series)
    if (this.#isShown) this.#show(series)
    // Throws now, and not at the activation, if the name exists with another kind or help text.
    else this.#add(series)[Symbol.dispose]()
  }

  #show(series: Series): void {
    series.shown?.[Symbol.dispose]()
    series.shown = this.#add(series)
  }

  #add({ declaration, from }: Series): Disposable {
    if (typeof from === 'function') return this.#registry.add(declaration, this.#labels(), from)
    return this.#registry.addHistogram(declaration.name, declaration.help, this.#labels(), from)
  }
}

/** Only counters continue: a histogram is the same one, and a gauge says what is now. */
function continued({ declaration, from: before }: Series, from: Series['from']): Series['from'] {
  const isCounter = declaration.kind === 'counter' && typeof before === 'function' && typeof from === 'function'
  return isCounter ? continueMetric(before, from) : from
}
