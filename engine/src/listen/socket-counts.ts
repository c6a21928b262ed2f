// Sockets of all nodes: each takes a file descriptor. Viewers leave room for them.
import type { DescriptorGuard } from './descriptor-guard.js'

export class SocketCounts {
  /** Open now. */
  open = 0
  readonly #descriptors: Pick<DescriptorGuard, 'acquire' | 'release'>

  constructor(descriptors: Pick<DescriptorGuard, 'acquire' | 'release'>) {
    this.#descriptors = descriptors
  }

  /** False if no descriptor is left. */
  acquire(): boolean {
    if (!this.#descriptors.acquire('node')) return false
    this.open++
    return true
  }

  release(): void {
    this.open--
    this.#descriptors.release('node')
  }
}
