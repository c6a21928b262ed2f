// The engine's own series for running nodes and listeners, added and removed with them.
import type { AudienceStatus } from '../observe/audience-status.js'
import type { PublisherStatus } from '../observe/publisher-status.js'
import type { RouteStatus } from '../observe/route-status.js'
import { addNodeMetrics, type NodeReadings } from '../observe/core-metrics.js'
import { addListenerMetrics, type ListenerReadings } from '../observe/listener-metrics.js'
import type { MetricsRegistry } from '../observe/metrics-registry.js'
import { labelsOf } from './node/node-metrics.js'
import type { EngineNode } from './running-nodes.js'

interface Shown {
  readonly id: string
  readonly series: Disposable
}

/** What the nodes of these ids have; undefined if nothing. */
export interface OutputReadings {
  /** False for a listener whose address could not be bound again. */
  isBound(listener: string): boolean
  routeOf(id: string): RouteStatus | undefined
  audienceOf(id: string): AudienceStatus | undefined
  publishersOf(id: string): PublisherStatus | undefined
}

export class EngineNodeMetrics {
  readonly #registry: MetricsRegistry
  readonly #outputs: OutputReadings
  readonly #shown = new Map<EngineNode | ListenerReadings, Shown>()

  constructor(registry: MetricsRegistry, outputs: OutputReadings) {
    this.#registry = registry
    this.#outputs = outputs
  }

  /** Adds the series of new or renamed nodes and listeners, and removes those of the ones that are gone. */
  update(nodes: readonly EngineNode[], listeners: readonly ListenerReadings[]): void {
    const present = new Set<EngineNode | ListenerReadings>([...nodes, ...listeners])
    for (const [part, { id, series }] of this.#shown) {
      if (present.has(part) && id === nameOf(part)) continue
      this.#shown.delete(part)
      series[Symbol.dispose]()
    }
    for (const node of nodes) if (!this.#shown.has(node)) this.#show(node, this.#addNode(node))
    for (const each of listeners) if (!this.#shown.has(each)) this.#show(each, this.#addListener(each))
  }

  #show(part: EngineNode | ListenerReadings, series: Disposable): void {
    this.#shown.set(part, { id: nameOf(part), series })
  }

  #addListener(listener: ListenerReadings): Disposable {
    return addListenerMetrics(this.#registry, listener, () => this.#outputs.isBound(listener.name))
  }

  #addNode(node: EngineNode): Disposable {
    return addNodeMetrics(this.#registry, labelsOf(node.settings), new EngineNodeReadings(node, this.#outputs))
  }
}

/** Each value is read on its own: a scrape asks for one after another. */
class EngineNodeReadings implements NodeReadings {
  readonly kind: string
  readonly #node: EngineNode
  readonly #outputs: OutputReadings

  constructor(node: EngineNode, outputs: OutputReadings) {
    this.kind = node.settings.definition.kind
    this.#node = node
    this.#outputs = outputs
  }

  get isUp(): boolean {
    return this.#node.state === 'ready' || this.#node.state === 'idle'
  }

  get isConnected(): boolean {
    return this.#node.isConnected
  }

  get restarts(): number {
    return this.#node.restarts
  }

  get stalls(): number {
    return this.#node.calls.stalls
  }

  get stalledMs(): number {
    return this.#node.calls.stalledMs
  }

  get receivedBytes(): number {
    return this.#node.receivedBytes
  }

  get sentBytes(): number {
    return this.#node.sentBytes
  }

  get droppedPackets(): number | undefined {
    return 'droppedPackets' in this.#node ? this.#node.droppedPackets : undefined
  }

  get losses(): number | undefined {
    return 'losses' in this.#node ? this.#node.losses : undefined
  }

  get oddities(): NodeReadings['oddities'] {
    return 'oddities' in this.#node ? this.#node.oddities : undefined
  }

  get edges(): NodeReadings['edges'] {
    if (!('edges' in this.#node)) return []
    return this.#node.edges.map(({ id, counters: { queuedBytes, drops } }) => ({ id, queuedBytes, drops }))
  }

  get takesPublishers(): boolean {
    return this.#node.settings.publish !== undefined
  }

  get publishers(): PublisherStatus | undefined {
    return this.takesPublishers ? this.#outputs.publishersOf(this.#node.id) : undefined
  }

  get route(): RouteStatus | undefined {
    return this.kind === 'output' ? this.#outputs.routeOf(this.#node.id) : undefined
  }

  get audience(): AudienceStatus | undefined {
    return this.kind === 'output' ? this.#outputs.audienceOf(this.#node.id) : undefined
  }
}

function nameOf(part: EngineNode | ListenerReadings): string {
  return 'id' in part ? part.id : part.name
}
