// Who reads the indexes of the archive: one after the other, since each is read from the disk in many pieces. Only so many
// wait for that, and of one network fewer, so that no client takes the places of all.
import { networkOf } from '../viewers/network-of.js'

/** Those that read, or wait for that. */
const MOST = 16
/** Of one IPv4 address, or one IPv6 /64. */
const MOST_OF_NETWORK = 4

export class ReadingTurns {
  readonly #ofNetworks = new Map<string, number>()
  #count = 0
  #last: Promise<unknown> = Promise.resolve()

  /** `busy`: too many wait. `address`: of the client. */
  run<T>(address: string, read: () => Promise<T>): Promise<T> | 'busy' {
    const network = networkOf(address)
    if (this.#count >= MOST || (this.#ofNetworks.get(network) ?? 0) >= MOST_OF_NETWORK) return 'busy'
    this.#add(network, 1)
    const result = this.#last.then(read).finally(() => this.#add(network, -1))
    this.#last = result.catch(() => undefined)
    return result
  }

  #add(network: string, change: 1 | -1): void {
    this.#count += change
    const count = (this.#ofNetworks.get(network) ?? 0) + change
    if (count > 0) this.#ofNetworks.set(network, count)
    else this.#ofNetworks.delete(network)
  }
}
