// Keeps everything that shows the nodes of the running graph in line with it: the list of nodes, their metrics, and the
// histograms of their routes. A change costs the same, however many nodes and routes there are.
import type { EngineAudiences } from '../audience/engine-audiences.js'
import type { LiveDelivery } from '../deliver/live-delivery.js'
import type { EngineListeners } from '../listen/engine-listeners.js'
import type { MetricsRegistry } from '../observe/metrics-registry.js'
import type { PublisherStatuses } from '../observe/publisher-status.js'
import type { Running } from './change/reload-transaction.js'
import { RouteHistograms } from './engine-metrics.js'
import { EngineNodeMetrics } from './engine-node-metrics.js'
import { labelsOf } from './node/node-metrics.js'
import type { RunningNodes } from './running-nodes.js'

export interface ShownNodesParts {
  readonly running: Running
  readonly nodes: RunningNodes
  readonly registry: MetricsRegistry
  readonly audiences: Pick<EngineAudiences, 'of'>
  readonly publishers: Pick<PublisherStatuses, 'of'>
  readonly delivery: Pick<LiveDelivery, 'routeOf' | 'routes$'>
  readonly listeners: Pick<EngineListeners, 'all' | 'unbound'>
}

export class ShownNodes {
  readonly #parts: ShownNodesParts
  readonly #histograms: RouteHistograms
  readonly #metrics: EngineNodeMetrics

  constructor(parts: ShownNodesParts) {
    this.#parts = parts
    const { registry, nodes, audiences, delivery, publishers, listeners } = parts
    this.#histograms = new RouteHistograms(registry, (id) => {
      const node = nodes.get(id)
      return node && labelsOf(node.settings)
    })
    this.#metrics = new EngineNodeMetrics(registry, {
      routeOf: (id) => delivery.routeOf(id),
      audienceOf: (id) => audiences.of(id),
      publishersOf: (id) => publishers.of(id),
      isBound: (listener) => !listeners.unbound().has(listener),
    })
    delivery.routes$.subscribe((change) => this.#histograms.note(change))
  }

  /** Nodes have been added, removed, replaced or renamed. */
  update(): void {
    const { nodes, running, listeners } = this.#parts
    nodes.update([...running.services, ...running.pipelines.flatMap((pipeline) => pipeline.nodes)])
    this.#histograms.update()
    this.#metrics.update(nodes.all, listeners.all())
  }
}
