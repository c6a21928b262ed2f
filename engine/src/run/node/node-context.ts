// The context that a node receives at `open`. Calls from a node that has been replaced are ignored.
import type { Definition, Logger, MetricDeclaration, MetricRead, NodeContext } from '../../plugin/contract.js'

export interface ContextSettings {
  readonly definition: Definition
  readonly signal: AbortSignal
  /** The node is still the one that was opened last. */
  isCurrent(): boolean
  /** A reload may rename the node. */
  id(): string
  log(): Logger
  readonly guard: NodeContext['guard']
  setMetric(declaration: MetricDeclaration, read: MetricRead): void
  ready(): void
  degraded(why: string): void
  event(...event: Parameters<NodeContext['event']>): void
}

export function makeContext(settings: ContextSettings): NodeContext {
  const { definition, signal, isCurrent } = settings
  const declared = new Map((definition.metrics ?? []).map((metric) => [metric.name, metric]))
  return {
    get id() {
      return settings.id()
    },
    signal,
    get log() {
      return settings.log()
    },
    readMetric: (name, read) => {
      const declaration = declared.get(name)
      if (declaration === undefined) throw new TypeError(`${definition.type} does not declare the metric ${name}`)
      if (isCurrent()) settings.setMetric(declaration, read)
    },
    ready: () => {
      if (isCurrent()) settings.ready()
    },
    degraded: (why) => {
      if (isCurrent()) settings.degraded(why)
    },
    event: (name, data) => settings.event(name, data),
    guard: settings.guard,
  }
}
