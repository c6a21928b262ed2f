// Runs a service: something beside the pipelines that is up while the engine is.
import type { Service } from '../../plugin/contract.js'
import { NodeRunner } from './node-runner.js'

export class ServiceRunner extends NodeRunner<Service> {
  readonly receivedBytes = 0
  readonly sentBytes = 0

  protected override connectStreams(): void {
    this.node?.done?.catch((error: unknown) => this.fail(error))
    if (this.state === 'opening') this.ready()
  }

  override continues(): boolean {
    return true
  }

  protected override inherit(): void {
    // It has no streams, so there are no numbers.
  }

  protected override disconnectStreams(): void {
    // A service has no streams to let go of.
  }
}
