// Runs an output: connects its inlets, and knows when everything it accepted has been delivered.
import type { Subscription } from 'rxjs'
import type { Output } from '../../plugin/contract.js'
import { continueCounters } from '../edge/edge.js'
import { type AnyNodeRunner, NodeRunner } from './node-runner.js'

export class OutputRunner extends NodeRunner<Output> {
  #subscription: Subscription | undefined

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
    for (const edge of this.edges) edge.attach()
    this.calls.enter(() => {
      this.#subscription = output.accept(this.edges.map((edge) => edge.inlet))
    })
    if (this.state === 'opening') this.settle('ready')
  }

  protected override disconnectStreams(): void {
    const subscription = this.#subscription
    this.#subscription = undefined
    for (const edge of this.edges) edge.detach()
    subscription?.unsubscribe()
  }
}
