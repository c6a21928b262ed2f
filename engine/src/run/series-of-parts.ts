// The engine's own series of the nodes and listeners that run: they come and go with them.
import type { RouteStatus } from '../deliver/live-delivery.js'
import { addNodeMetrics } from '../observe/core-metrics.js'
import { addListenerMetrics, type ListenerReadings } from '../observe/listener-metrics.js'
import type { MetricsRegistry } from '../observe/metrics-registry.js'
import { InputRunner } from './input-runner.js'
import { labelsOf } from './node-series.js'
import type { PipelineNode } from './pipeline-runner.js'
import type { ServiceRunner } from './service-runner.js'

export type EngineNode = ServiceRunner | PipelineNode

interface Shown {
  readonly id: string
  readonly series: Disposable
}

export class SeriesOfParts {
  readonly #registry: MetricsRegistry
  readonly #routeOf: (id: string) => RouteStatus | undefined
  readonly #shown = new Map<EngineNode | ListenerReadings, Shown>()

  constructor(registry: MetricsRegistry, routeOf: (id: string) => RouteStatus | undefined) {
    this.#registry = registry
    this.#routeOf = routeOf
  }

  /** Adds the series of what is new or renamed, and takes out those of what is gone. */
  refresh(nodes: readonly EngineNode[], listeners: readonly ListenerReadings[]): void {
    const present = new Set<EngineNode | ListenerReadings>([...nodes, ...listeners])
    for (const [part, { id, series }] of this.#shown) {
      if (present.has(part) && id === nameOf(part)) continue
      this.#shown.delete(part)
      series[Symbol.dispose]()
    }
    for (const node of nodes) if (!this.#shown.has(node)) this.#show(node, this.#addNode(node))
    for (const each of listeners) if (!this.#shown.has(each)) this.#show(each, addListenerMetrics(this.#registry, each))
  }

  #show(part: EngineNode | ListenerReadings, series: Disposable): void {
    this.#shown.set(part, { id: nameOf(part), series })
  }

  #addNode(node: EngineNode): Disposable {
    const { kind } = node.settings.definition
    return addNodeMetrics(this.#registry, labelsOf(node.settings), () => ({
      kind,
      isUp: node.state === 'ready',
      isConnected: node.state === 'ready' || node.state === 'degraded',
      restarts: node.restarts,
      receivedBytes: node.receivedBytes,
      sentBytes: node.sentBytes,
      droppedPackets: node instanceof InputRunner ? node.droppedPackets : 0,
      edges: 'edges' in node ? node.edges.map(({ id, counters }) => ({ ...counters, id })) : [],
      route: this.#routeOf(node.id),
    }))
  }
}

function nameOf(part: EngineNode | ListenerReadings): string {
  return 'id' in part ? part.id : part.name
}
