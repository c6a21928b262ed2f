// All metrics of the engine and its nodes, in one registry of prom-client. The data path only changes plain numbers; they
// are read at scrape time. A disposed metric is gone from the next scrape.
import { setImmediate } from 'node:timers/promises'
import { Registry, type Metric } from 'prom-client'
import type { MetricDeclaration, MetricRead } from '../plugin/contract.js'
import type { MetricsSource } from '../plugin/tokens.js'
import type { Histogram } from './histogram.js'
import { MetricFamily, ROWS_PER_TURN, type Labels, type Member, type ReadFailure } from './metric-family.js'

const PREFIX = 'millrace_'
/** Names that Prometheus accepts; its data model also allows colons, which are for recording rules. */
const NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/

const READ_ERRORS = {
  name: 'metric_read_errors_total',
  kind: 'counter',
  help: 'Metrics left out of a scrape because reading them failed.',
} as const satisfies MetricDeclaration

type OnReadError = (metric: string, error: unknown, labels: Labels) => void

export class MetricsRegistry implements MetricsSource {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE
  readonly #registry = new Registry()
  readonly #onReadError: OnReadError
  /** Metrics that the last scrape could not read or render at all. */
  readonly #failing = new Set<string>()
  #readErrors = 0
  #rendering: Promise<string> | undefined
  /** Rows that can be rendered before the event loop has to turn. */
  #room = 0

  /**
   * `onReadError` is called for each metric that a scrape leaves out, once until it can be read again. By default it is
   * only counted.
   */
  constructor(onReadError: OnReadError = () => undefined) {
    this.#onReadError = onReadError
    this.add(READ_ERRORS, {}, () => this.#readErrors)
  }

  /**
   * Adds a metric under the prefix `millrace_` until disposed. `labels` are constant and take precedence over those of
   * a row. Throws TypeError for a malformed name, and if the name exists with another kind or help text.
   */
  add(declaration: MetricDeclaration, labels: Labels, read: MetricRead): Disposable {
    return this.#addNumbers(PREFIX + declaration.name, declaration, labels, read)
  }

  /** Like `add`, for names that Prometheus' conventions fix, such as `process_open_fds`. */
  addUnprefixed(declaration: MetricDeclaration, labels: Labels, read: MetricRead): Disposable {
    return this.#addNumbers(declaration.name, declaration, labels, read)
  }

  addHistogram(name: string, help: string, labels: Labels, histogram: Histogram): Disposable {
    return this.#join(PREFIX + name, 'histogram', help, { labels, rowLabels: new Set(), read: histogram })
  }

  /** All histograms that were added under this name, with their labels. */
  histogramsOf(name: string): readonly (readonly [Labels, Histogram])[] {
    const family: unknown = this.#registry.getSingleMetric(PREFIX + name)
    return family instanceof MetricFamily ? family.histograms : []
  }

  /** Adds a metric that prom-client reads itself. Throws if its name is taken. */
  adopt(metric: Metric): void {
    this.#registry.registerMetric(metric)
  }

  /**
   * The text of a scrape. All rows of a family are read in one turn of the event loop, and at most 500 rows are rendered
   * per turn. Calls during a rendering share its text.
   */
  render(): Promise<string> {
    this.#rendering ??= this.#renderAll().finally(() => (this.#rendering = undefined))
    return this.#rendering
  }

  #addNumbers(name: string, declaration: MetricDeclaration, labels: Labels, read: MetricRead): Disposable {
    if (declaration.kind === 'counter' && !name.endsWith('_total')) {
      throw new TypeError(`the counter ${name} must end in _total`)
    }
    const rowLabels = new Set(declaration.labels)
    return this.#join(name, declaration.kind, declaration.help, { labels, rowLabels, read })
  }

  #join(name: string, kind: MetricFamily['kind'], help: string, member: Member): Disposable {
    for (const each of [name, ...Object.keys(member.labels), ...member.rowLabels]) {
      if (!NAME.test(each)) throw new TypeError(`${JSON.stringify(each)} is not a valid name for a metric or a label`)
    }
    const family = this.#familyOf(name) ?? new MetricFamily(name, kind, help)
    if (family.kind !== kind || family.help !== help) {
      throw new TypeError(`the metric ${name} exists as a ${family.kind} with the help text "${family.help}"`)
    }
    // A family has what prom-client needs to render a metric; its type also asks for the methods that change one.
    this.#registry.registerMetric(family as unknown as Metric)
    family.add(member)
    return {
      [Symbol.dispose]: () => {
        family.delete(member)
        if (family.isEmpty && this.#familyOf(name) === family) this.#registry.removeSingleMetric(name)
      },
    }
  }

  /** Also undefined for prom-client's own metrics. */
  #familyOf(name: string): MetricFamily | undefined {
    const metric: unknown = this.#registry.getSingleMetric(name)
    return metric instanceof MetricFamily ? metric : undefined
  }

  async #renderAll(): Promise<string> {
    const errors = PREFIX + READ_ERRORS.name
    const names = this.#registry.getMetricsAsArray().map(({ name }) => name)
    let text = ''
    this.#room = 0
    // The error counter comes last: it includes the errors of this scrape.
    for (const name of [...names.filter((each) => each !== errors), errors]) {
      try {
        text += await this.#renderFamily(name)
        this.#failing.delete(name)
      } catch (error) {
        this.#leaveOut(name, { error, labels: {}, isRepeated: this.#failing.has(name) })
        this.#failing.add(name)
      }
    }
    return text
  }

  /** Empty if the family has no rows, or is removed meanwhile. */
  async #renderFamily(name: string): Promise<string> {
    const family = this.#familyOf(name)
    if (family === undefined) await this.#turn()
    family?.read((failure) => this.#leaveOut(name, failure))
    const lines: string[] = []
    do {
      if (family !== undefined && Math.min(family.waiting, ROWS_PER_TURN) > this.#room) await this.#turn()
      if (this.#registry.getSingleMetric(name) === undefined || this.#familyOf(name) !== family) return ''
      const [help = '', type = '', ...rows] = (await this.#registry.getSingleMetricAsString(name)).split('\n')
      if (lines.length === 0) lines.push(help, type)
      lines.push(...rows)
      this.#room -= rows.length
    } while (family !== undefined && family.waiting > 0)
    return lines.length > 2 ? `${lines.join('\n')}\n` : ''
  }

  async #turn(): Promise<void> {
    await setImmediate()
    this.#room = ROWS_PER_TURN
  }

  #leaveOut(name: string, { error, labels, isRepeated }: ReadFailure): void {
    this.#readErrors++
    if (!isRepeated) this.#onReadError(name, error, labels)
  }
}
