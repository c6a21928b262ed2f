// The context that a node receives at `open`. Calls from a node that has been replaced are ignored.
import type { AnyDefinition } from '../../plugin/auth-definition.js'
import type { Logger, MetricDeclaration, NodeContext } from '../../plugin/contract.js'
import type { EventData } from '../../observe/events.js'
import { Histogram } from '../../observe/histogram.js'
import type { NodeCalls } from './node-calls.js'
import type { NodeDetails } from './node-details.js'
import type { NodeMetrics } from './node-metrics.js'

export interface ContextSettings {
  readonly definition: Pick<AnyDefinition, 'kind' | 'type' | 'metrics'>
  readonly signal: AbortSignal
  /** The node is still the one that was opened last. */
  isCurrent(): boolean
  /** A reload may rename the node. */
  id(): string
  log(): Logger
  readonly metrics: Pick<NodeMetrics, 'set' | 'histogram'>
  readonly details: Pick<NodeDetails, 'set'>
  sent(bytes: number): void
  /** Undefined unless it is an output. */
  latency(): Histogram | undefined
  /** Empty if it reads nothing. */
  whyNoStart(): string
  readonly calls: Pick<NodeCalls, 'call' | 'guard' | 'leave'>
  ready(): void
  idle(why: string): void
  waiting(why: string): void
  degraded(why: string): void
  event(...event: Parameters<NodeContext['event']>): void
}

export function makeContext(settings: ContextSettings): NodeContext {
  const { definition, signal, isCurrent, calls } = settings
  const declared = new Map((definition.metrics ?? []).map((metric) => [metric.name, metric]))
  const declaration = (name: string, isHistogram: boolean): MetricDeclaration => {
    const found = declared.get(name)
    if (found === undefined) throw new TypeError(`${definition.type} does not declare the metric ${name}`)
    if ((found.kind === 'histogram') !== isHistogram) throw new TypeError(`the metric ${name} is a ${found.kind}`)
    return found
  }
  return {
    get id() {
      return settings.id()
    },
    signal,
    get log() {
      return settings.log()
    },
    readMetric: (name, read) => {
      const found = declaration(name, false)
      if (isCurrent()) settings.metrics.set(found, () => calls.call(read))
    },
    histogram: (name) => {
      const found = declaration(name, true)
      return isCurrent() ? settings.metrics.histogram(found) : new Histogram(found.buckets ?? [])
    },
    ready: () => {
      if (isCurrent()) settings.ready()
    },
    idle: (why) => {
      if (isCurrent()) settings.idle(why)
    },
    waiting: (why) => {
      if (definition.kind !== 'input') throw new TypeError(`${definition.type} is not an input: nobody sends to it`)
      if (isCurrent()) settings.waiting(why)
    },
    degraded: (why) => {
      if (isCurrent()) settings.degraded(why)
    },
    event: (name, data) => {
      const recorded = checkEvent(name, data)
      calls.leave(() => settings.event(name, recorded))
    },
    sent: (bytes) => {
      if (definition.kind !== 'output') throw new TypeError(`${definition.type} is not an output: its ports count`)
      if (!Number.isFinite(bytes) || bytes < 0) throw new RangeError(`${bytes} is not a number of bytes`)
      if (isCurrent()) settings.sent(bytes)
    },
    latency: () => {
      if (definition.kind !== 'output') throw new TypeError(`${definition.type} is not an output`)
      return (isCurrent() ? settings.latency() : undefined) ?? new Histogram([])
    },
    whyNoStart: () => (isCurrent() ? settings.whyNoStart() : ''),
    details: (read) => {
      if (isCurrent()) settings.details.set(() => calls.call(read))
    },
    guard: calls.guard(isCurrent),
  }
}

/** A copy of the data. Throws TypeError for what readers of events cannot show. */
function checkEvent(name: unknown, data: Readonly<Record<string, unknown>> = {}): EventData {
  if (typeof name !== 'string') throw new TypeError('the name of an event must be text')
  const entries = Object.entries(data).map(([key, value]) => {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return [key, value]
    throw new TypeError(`${key} of the event ${name} must be text, a number or a boolean`)
  })
  return Object.fromEntries(entries) as EventData
}
