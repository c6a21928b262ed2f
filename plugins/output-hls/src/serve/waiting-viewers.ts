// Requests that came before there was a playlist: they wait for it, at most so many and so long. They outlive the node that
// received them: another one that takes over lets them wait on.
import type { Clock } from '@millrace/engine/plugin'
import { networkOf } from '../viewers/network-of.js'

/** A further one is refused at once. */
const MOST = 1000
/** Of one IPv4 address, or one IPv6 /64. */
const MOST_OF_NETWORK = 200
const AGAIN_MS = 1000

/** Asked when the time is over, and again and again: what they wait for is coming. */
export type CanWait = (waitedMs: number) => boolean

/** A request that waits. */
export interface Waiter {
  /** Of the client. */
  readonly address: string
  /** What it waits for is there, or will not come. */
  isReady(): boolean
  /** Called once: when it is ready, when the time is over, or at once if too many wait. */
  go(): void
}

export class WaitingViewers {
  readonly #clock: Pick<Clock, 'after'>
  /** Of the nodes that let them wait: while one replaces another there are two. */
  readonly #nodes = new Set<CanWait>()
  /** How each of them is woken. */
  readonly #waiting = new Map<Waiter, () => void>()
  readonly #ofNetworks = new Map<string, number>()

  constructor(clock: Pick<Clock, 'after'>) {
    this.#clock = clock
  }

  get size(): number {
    return this.#waiting.size
  }

  /** A node lets them wait, until the result is disposed of. When none is left, nobody waits. */
  open(canWait: CanWait): Disposable {
    const node: CanWait = (waitedMs) => canWait(waitedMs)
    this.#nodes.add(node)
    return {
      [Symbol.dispose]: () => {
        this.#nodes.delete(node)
        if (this.#nodes.size === 0) for (const wake of [...this.#waiting.values()]) wake()
      },
    }
  }

  /** The result ends the wait. */
  wait(forMs: number, waiter: Waiter): () => void {
    const network = networkOf(waiter.address)
    const isCrowded = this.#waiting.size >= MOST || (this.#ofNetworks.get(network) ?? 0) >= MOST_OF_NETWORK
    if (this.#nodes.size === 0 || forMs <= 0 || isCrowded) {
      waiter.go()
      return () => undefined
    }
    const leave = (): void => {
      if (!this.#waiting.delete(waiter)) return
      timer[Symbol.dispose]()
      this.#count(network, -1)
    }
    const wake = (): void => {
      leave()
      waiter.go()
    }
    let waitedMs = forMs
    const onTime = (): void => {
      if (![...this.#nodes].some((canWait) => canWait(waitedMs))) return wake()
      waitedMs += AGAIN_MS
      timer = this.#clock.after(AGAIN_MS, onTime)
    }
    let timer = this.#clock.after(forMs, onTime)
    this.#waiting.set(waiter, wake)
    this.#count(network, 1)
    return leave
  }

  /** There is a new version of the playlists: whoever is ready goes. */
  wakeReady(): void {
    for (const [waiter, wake] of [...this.#waiting]) if (waiter.isReady()) wake()
  }

  #count(network: string, change: 1 | -1): void {
    const count = (this.#ofNetworks.get(network) ?? 0) + change
    if (count > 0) this.#ofNetworks.set(network, count)
    else this.#ofNetworks.delete(network)
  }
}
