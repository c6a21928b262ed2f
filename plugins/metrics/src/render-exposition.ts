// Metric families as text in Prometheus' exposition format, version 0.0.4. The only file that knows prom-client: its
// package has moved, and the successor needs a later Node. A registry of its own is filled for each scrape and thrown
// away, so a series whose node has gone is gone.
import type { MetricFamily, MetricRow } from '@millrace/engine/plugin'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'

export const EXPOSITION_TYPE = Registry.PROMETHEUS_CONTENT_TYPE

/** Called with a family that could not be rendered; the others are. */
export type OnSkipped = (family: MetricFamily, error: unknown) => void

export async function renderExposition(families: readonly MetricFamily[], onSkipped: OnSkipped): Promise<string> {
  const registry = new Registry()
  for (const family of families) {
    try {
      registry.registerMetric(fill(family))
    } catch (error) {
      onSkipped(family, error)
    }
  }
  return registry.metrics()
}

function fill(family: MetricFamily): Counter | Gauge | Histogram {
  const { name, kind, help, rows } = family
  // An empty list keeps the metric out of the library's global registry.
  const configuration = { name, help, labelNames: [...family.labelNames], registers: [] }
  if (kind === 'histogram') return new CumulativeHistogram(configuration, rows)
  if (kind === 'gauge') {
    const gauge = new Gauge(configuration)
    for (const { labels, value } of rows) gauge.set(labels, value)
    return gauge
  }
  const counter = new Counter(configuration)
  for (const { labels, value } of rows) counter.inc(labels, value)
  return counter
}

type HistogramConfiguration = ConstructorParameters<typeof Histogram>[0]

interface Sample {
  readonly metricName: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A histogram whose buckets have been counted elsewhere; the library's own only takes single observations. */
class CumulativeHistogram extends Histogram {
  readonly #name: string
  readonly #help: string
  readonly #samples: readonly Sample[]

  constructor(configuration: HistogramConfiguration, rows: readonly MetricRow[]) {
    super(configuration)
    this.#name = configuration.name
    this.#help = configuration.help
    this.#samples = rows.flatMap((row) => histogramSamples(configuration.name, row))
  }

  /** What the library's text renderer asks a histogram for. */
  async getForPromString(): Promise<object> {
    return { name: this.#name, help: this.#help, type: 'histogram', aggregator: 'sum', values: this.#samples }
  }
}

/** Every histogram has a bucket `+Inf` that equals its count. */
function histogramSamples(name: string, { labels, value, buckets = [], count = 0 }: MetricRow): Sample[] {
  const finite = buckets.filter(([upperBound]) => upperBound !== Infinity)
  const bucket = (le: string, below: number): Sample => ({
    metricName: `${name}_bucket`,
    labels: { ...labels, le },
    value: below,
  })
  return [
    ...finite.map(([upperBound, below]) => bucket(String(upperBound), below)),
    bucket('+Inf', count),
    { metricName: `${name}_sum`, labels, value },
    { metricName: `${name}_count`, labels, value: count },
  ]
}
