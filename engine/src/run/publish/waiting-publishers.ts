// The publishers that wait to be admitted, a bounded number. Where all places are taken, the oldest one of the client that
// has the most makes room for another client: a real publisher waits for a moment only, so those that never send a stream
// keep nobody out.
import { limitKeyOf } from '../../listen/ip-address.js'
import type { Publisher } from '../../plugin/publisher.js'
import type { PublishRefusal } from './publish-access.js'

/** In all, and of one IPv4 address or one /64 of IPv6. */
const MOST_WAITING = 256
const MOST_WAITING_PER_ADDRESS = 64

type Settle = (refusal: PublishRefusal) => void

export class WaitingPublishers {
  /** Oldest first. */
  readonly #waiting = new Map<Publisher, { readonly client: string; settle: Settle }>()
  /** How many there are, by client. */
  readonly #byClient = new Map<string, number>()

  get size(): number {
    return this.#waiting.size
  }

  has(publisher: Publisher): boolean {
    return this.#waiting.has(publisher)
  }

  /** It waits from now on, unless it is refused. */
  add(publisher: Publisher): PublishRefusal | undefined {
    const client = limitKeyOf(publisher.who.address)
    const count = this.#countOf(client)
    if (count >= MOST_WAITING_PER_ADDRESS) {
      return { code: 'overloaded', why: `${MOST_WAITING_PER_ADDRESS} publishers of this address are being admitted` }
    }
    if (this.#waiting.size >= MOST_WAITING && !this.#makeRoom(count)) return CROWDED
    this.#waiting.set(publisher, { client, settle: () => undefined })
    this.#byClient.set(client, count + 1)
    return undefined
  }

  /** `settle` ends the wait of a publisher that is here. */
  settleBy(publisher: Publisher, settle: Settle): void {
    const waiting = this.#waiting.get(publisher)
    if (waiting !== undefined) waiting.settle = settle
  }

  /** Safe twice. */
  remove(publisher: Publisher): void {
    const waiting = this.#waiting.get(publisher)
    if (waiting === undefined) return
    this.#waiting.delete(publisher)
    const left = this.#countOf(waiting.client) - 1
    if (left > 0) this.#byClient.set(waiting.client, left)
    else this.#byClient.delete(waiting.client)
  }

  refuseAll(refusal: PublishRefusal): void {
    for (const { settle } of [...this.#waiting.values()]) settle(refusal)
  }

  /** For a client that has so many: false if none has more. */
  #makeRoom(count: number): boolean {
    const most = Math.max(...this.#byClient.values())
    if (most <= count) return false
    for (const [publisher, { client, settle }] of this.#waiting) {
      if (this.#countOf(client) !== most) continue
      this.remove(publisher)
      settle(CROWDED)
      return true
    }
    return false
  }

  #countOf(client: string): number {
    return this.#byClient.get(client) ?? 0
  }
}

/** Also for one that has made room. */
export const CROWDED: PublishRefusal = { code: 'overloaded', why: `${MOST_WAITING} publishers are being admitted` }
