// How often the clients of an address may reset streams of HTTP/2 ("rapid reset", CVE-2023-44487): a stream that is opened
// and reset costs the server a request, the client next to nothing, and no limit on open streams holds. nghttp2 has the
// same bounds for one connection; here all connections of an address share them, one after the other too.
import { limitKeyOf } from './ip-address.js'

/** At once. */
const BURST = 1000
const PER_SECOND = 33
/** Addresses that are remembered; the one that has reset nothing for longest is forgotten for a new one. */
const MOST_ADDRESSES = 10_000

interface Budget {
  left: number
  atMs: number
}

export class ResetLimit {
  readonly #most: number
  /** Those that reset last come last. */
  readonly #byAddress = new Map<string, Budget>()

  constructor(mostAddresses = MOST_ADDRESSES) {
    this.#most = mostAddresses
  }

  /** Number of remembered addresses. */
  get size(): number {
    return this.#byAddress.size
  }

  /** A client of the address has reset a stream. Returns false if that is one too many: it counts all the same. */
  take(address: string, nowMs: number): boolean {
    const key = limitKeyOf(address)
    const left = this.#leftOf(key, nowMs)
    this.#byAddress.delete(key)
    const [oldest] = this.#byAddress.keys()
    if (this.#byAddress.size >= this.#most && oldest !== undefined) this.#byAddress.delete(oldest)
    this.#byAddress.set(key, { left: Math.max(-BURST, left - 1), atMs: nowMs })
    return left >= 1
  }

  /** Its next reset would be one too many. */
  isUsedUp(address: string, nowMs: number): boolean {
    return this.#leftOf(limitKeyOf(address), nowMs) < 1
  }

  #leftOf(key: string, nowMs: number): number {
    const budget = this.#byAddress.get(key)
    if (budget === undefined) return BURST
    return Math.min(BURST, budget.left + ((nowMs - budget.atMs) / 1000) * PER_SECOND)
  }
}
