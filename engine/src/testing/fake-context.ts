// The context that a node is opened with in tests: it records the calls of the node, and reads its declared metrics.
import { Histogram } from '../observe/histogram.js'
import { guardCallback } from '../run/node/guard-callback.js'
import type { Json, Logger, MetricHistogram, MetricRead, NodeContext } from '../plugin/contract.js'

export interface LoggedLine {
  readonly level: string
  readonly data: unknown
  readonly text: string
}

export class FakeContext implements NodeContext {
  readonly id: string
  readonly log: Logger
  readonly lines: LoggedLine[] = []
  /** What the node has reported, in order: `ready`, `idle: why`, `waiting: why`, `degraded: why`, and names of events. */
  readonly reported: string[] = []
  /** Errors that guarded callbacks have thrown, or that their promises have rejected with. */
  readonly failures: unknown[] = []
  readonly #abort = new AbortController()
  readonly #metrics = new Map<string, MetricRead>()
  readonly #histograms = new Map<string, Histogram>()
  /** Sum of the bytes that the node has reported with `sent`. */
  sentBytes = 0
  /** What the status would show as its details; undefined before it has set them. */
  readDetails: (() => Json) | undefined
  readonly #guarded = new WeakSet<object>()

  constructor(id = 'test/node') {
    this.id = id
    const at =
      (level: string) =>
      (data: unknown, text = ''): void => {
        this.lines.push({ level, data, text })
      }
    this.log = {
      trace: at('trace'),
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      fatal: at('fatal'),
      isLevelEnabled: () => true,
    }
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  abort(reason: string): void {
    this.#abort.abort(reason)
  }

  readMetric(name: string, read: MetricRead): void {
    this.#metrics.set(name, read)
  }

  /** The value of a metric without labels; for a metric with labels, its values by label value. */
  metric(name: string): number | Readonly<Record<string, number>> {
    const read = this.#metrics.get(name)
    if (read === undefined) throw new Error(`the node does not read the metric ${name}`)
    const value = read()
    if (typeof value === 'number') return value
    return Object.fromEntries([...value].map(([labels, count]) => [Object.values(labels).join(' '), count]))
  }

  /** Names that the node has passed to `readMetric` and `histogram`. */
  get metricNames(): readonly string[] {
    return [...this.#metrics.keys(), ...this.#histograms.keys()]
  }

  /** What the node says for a metric; 0 for a histogram, which the engine owns. */
  readRows(name: string): ReturnType<MetricRead> {
    return this.#metrics.get(name)?.() ?? 0
  }

  /** Counts and sum alone: it has one bucket. */
  histogram(name: string): Histogram {
    const histogram = this.#histograms.get(name) ?? new Histogram([])
    this.#histograms.set(name, histogram)
    return histogram
  }

  /** What the node has observed in its latency, seconds; undefined if it leaves that to the engine. */
  latencies: number[] | undefined

  latency(): MetricHistogram {
    const latencies = (this.latencies ??= [])
    return { observe: (value) => void latencies.push(value) }
  }

  sent(bytes: number): void {
    this.sentBytes += bytes
  }

  /** What `whyNoStart` returns; tests set it. */
  lack = ''

  whyNoStart(): string {
    return this.lack
  }

  details(read: () => Json): void {
    this.readDetails = read
  }

  ready(): void {
    this.reported.push('ready')
  }

  idle(why: string): void {
    this.reported.push(`idle: ${why}`)
  }

  waiting(why: string): void {
    this.reported.push(`waiting: ${why}`)
  }

  degraded(why: string): void {
    this.reported.push(`degraded: ${why}`)
  }

  event(name: string): void {
    this.reported.push(name)
  }

  guard<A extends readonly unknown[], R>(run: (...args: A) => R): (...args: A) => R | undefined {
    const guarded = guardCallback(run, { call: (inner) => inner(), fail: (error) => this.failures.push(error) })
    this.#guarded.add(guarded)
    return guarded
  }

  /** `guard` returned it. */
  isGuarded(callback: unknown): boolean {
    return this.#guarded.has(callback as object)
  }
}
