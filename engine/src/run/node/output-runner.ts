// Runs an output: connects its inlets, and knows when everything it accepted has been delivered.
import type { Subscription } from 'rxjs'
import { CORE_HISTOGRAMS } from '../../observe/core-metrics.js'
import { DELAY_BOUNDS_SECONDS, type Histogram } from '../../observe/histogram.js'
import type { MetricDeclaration, Output } from '../../plugin/contract.js'
import { continueCounters } from '../edge/edge.js'
import { type AnyNodeRunner, NodeRunner } from './node-runner.js'

const [, { name, help }] = CORE_HISTOGRAMS
const LATENCY: MetricDeclaration = { name, help, kind: 'histogram', buckets: DELAY_BOUNDS_SECONDS }

export class OutputRunner extends NodeRunner<Output> {
  #subscription: Subscription | undefined
  /** Delivery measures the latency of what it serves. */
  #measuresItself = false

  protected override readonly ownLatency = (): Histogram => {
    this.#measuresItself = true
    return this.metrics.histogram(LATENCY)
  }

  get receivedBytes(): number {
    return this.edges.reduce((sum, edge) => sum + edge.counters.receivedBytes, 0)
  }

  get sentBytes(): number {
    return this.services.sentBytesOf(this.id) + this.sent.bytes
  }

  /** Resolves when everything that arrived before the inlets completed has been delivered; never rejects. */
  async drained(): Promise<void> {
    try {
      await Promise.all(this.edges.map((edge) => edge.delivered()))
      await this.calls.call(() => this.node?.drained?.())
    } catch (error) {
      this.fail(error)
    }
    if (this.isLive) this.end()
  }

  protected override takeOver(before: AnyNodeRunner): void {
    if (!(before instanceof OutputRunner)) return
    continueCounters(before.edges, this.edges)
    before.sent.bytes += this.sent.bytes
    this.sent = before.sent
  }

  protected override connectStreams(): void {
    const output = this.node
    if (output === undefined) return
    this.#measure()
    for (const edge of this.edges) edge.attach()
    this.calls.enter(() => {
      this.#subscription = output.accept(this.edges.map((edge) => edge.inlet))
    })
    if (this.state === 'opening') this.settle('ready')
  }

  #measure(): void {
    if (this.#measuresItself || this.endpoints.hasRoute) return
    const latency = this.metrics.histogram(LATENCY)
    const { clock } = this.services
    const onTaken = (receivedAtMs: number): void => latency.observe((clock.nowMs() - receivedAtMs) / 1000)
    for (const edge of this.edges) edge.onTaken = onTaken
  }

  protected override disconnectStreams(): void {
    const subscription = this.#subscription
    this.#subscription = undefined
    for (const edge of this.edges) edge.detach()
    subscription?.unsubscribe()
  }
}
