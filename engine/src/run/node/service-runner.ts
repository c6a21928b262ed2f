// Runs a service: a node outside the pipelines that runs as long as the engine does.
import type { Service } from '../../plugin/contract.js'
import { NodeRunner } from './node-runner.js'

export class ServiceRunner extends NodeRunner<Service> {
  readonly receivedBytes = 0
  readonly sentBytes = 0

  protected override connectStreams(): void {
    this.node?.done?.catch((error: unknown) => this.fail(error))
    if (this.state === 'opening') this.settle('ready')
  }

  protected override takeOver(): void {
    // A service has no streams, so it has no counters to continue.
  }

  protected override disconnectStreams(): void {
    // A service has no streams to disconnect.
  }
}
