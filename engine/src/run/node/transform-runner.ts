// Runs a transform: connects its inlets, and connects its observables to ports.
import { Subscription } from 'rxjs'
import type { AnyChunk, Transform } from '../../plugin/contract.js'
import { continueCounters } from '../edge/edge.js'
import type { NodeSettings } from '../../graph/graph.js'
import { type AnyNodeRunner, type NodePlacement, NodeRunner } from './node-runner.js'
import { Port } from '../edge/port.js'
import { runError } from './run-errors.js'
import type { NodeServices } from './node-services.js'

export class TransformRunner extends NodeRunner<Transform> {
  readonly ports: ReadonlyMap<string, Port>
  #subscriptions = new Subscription()
  #open = 0
  #isDraining = false

  constructor(settings: NodeSettings, services: NodeServices, placement: NodePlacement = {}) {
    super(settings, services, placement)
    const { before, isHandoff } = placement
    const shared = isHandoff === true && before instanceof TransformRunner ? before.ports : new Map<string, Port>()
    const names = settings.definition.kind === 'transform' ? settings.definition.ports : []
    this.ports = new Map(names.map((name) => [name, shared.get(name) ?? new Port()]))
  }

  /** The port of that name; the graph check has made sure that it is declared. */
  port(name: string): Port {
    const port = this.ports.get(name)
    if (port === undefined) throw new TypeError(`${this.id} has no port ${name}`)
    return port
  }

  get receivedBytes(): number {
    return this.edges.reduce((sum, edge) => sum + edge.counters.receivedBytes, 0)
  }

  get sentBytes(): number {
    let sum = 0
    for (const port of this.ports.values()) sum += port.sentBytes
    return sum
  }

  /** It receives no more chunks. If it is down, or goes down later, its ports complete. */
  drain(): void {
    this.#isDraining = true
    this.#completeIfDown()
  }

  protected override takeOver(before: AnyNodeRunner): void {
    if (!(before instanceof TransformRunner)) return
    for (const [name, port] of this.ports) port.sentBytes = before.ports.get(name)?.sentBytes ?? 0
    continueCounters(before.edges, this.edges)
  }

  protected override connectStreams(): void {
    const { definition } = this.settings
    const transform = this.node
    if (definition.kind !== 'transform' || transform === undefined) return
    for (const edge of this.edges) edge.attach()
    const fail = (error: unknown): void => this.fail(error)
    this.calls.enter(() => {
      const outlets = transform.apply(this.edges.map((edge) => edge.inlet))
      this.#open = definition.ports.length
      for (const name of definition.ports) {
        const outlet = outlets[name]
        if (outlet === undefined)
          throw runError('NODE_NO_SUCH_PORT', `${definition.type} returned no observable for port ${name}`)
        const port = this.port(name)
        const next = (chunk: AnyChunk): void => {
          if (chunk.discontinuity === 'marked' && this.isStandby) port.isMarked = true
          port.push(chunk)
        }
        this.#subscriptions.add(outlet.subscribe({ next, error: fail, complete: () => this.#complete(port) }))
      }
    })
    if (this.state === 'opening') this.settle('ready')
  }

  protected override disconnectStreams(): void {
    const subscriptions = this.#subscriptions
    this.#subscriptions = new Subscription()
    for (const edge of this.edges) edge.detach()
    subscriptions.unsubscribe()
  }

  protected override end(): void {
    for (const port of this.ports.values()) port.complete()
    super.end()
  }

  protected override setState(...change: Parameters<NodeRunner<Transform>['setState']>): void {
    super.setState(...change)
    this.#completeIfDown()
  }

  #completeIfDown(): void {
    if (!this.#isDraining || this.isLive) return
    for (const port of this.ports.values()) port.complete()
  }

  #complete(port: Port): void {
    port.complete()
    if (--this.#open === 0) this.end()
  }
}
