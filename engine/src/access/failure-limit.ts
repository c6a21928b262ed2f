// Limits the failures of an address. After MOST_FAILURES within the period it is refused without a check for as long
// again; IPv6 addresses count by /64. Viewers behind one address share its count.
import { limitKeyOf } from '../listen/ip-address.js'

const MOST_FAILURES = 10
const PERIOD_MS = 60_000
/** Addresses that are remembered; the oldest is evicted for a new one. */
const MOST_ADDRESSES = 10_000

interface Failures {
  count: number
  /** End of the period, or of the refusal. */
  untilMs: number
}

export class FailureLimit {
  readonly #mostAddresses: number
  readonly #byAddress = new Map<string, Failures>()

  constructor(mostAddresses = MOST_ADDRESSES) {
    this.#mostAddresses = mostAddresses
  }

  /** Number of remembered addresses. */
  get size(): number {
    return this.#byAddress.size
  }

  /** Seconds for which the address is refused; 0 if it is not. */
  refusedFor(address: string, nowMs: number): number {
    const failures = this.#byAddress.get(limitKeyOf(address))
    if (failures === undefined || failures.count < MOST_FAILURES) return 0
    return Math.max(0, Math.ceil((failures.untilMs - nowMs) / 1000))
  }

  record(address: string, nowMs: number): void {
    const key = limitKeyOf(address)
    const known = this.#byAddress.get(key)
    if (known !== undefined && known.untilMs > nowMs) {
      known.count++
      if (known.count === MOST_FAILURES) known.untilMs = nowMs + PERIOD_MS
      return
    }
    this.#byAddress.delete(key)
    const [oldest] = this.#byAddress.keys()
    if (this.#byAddress.size >= this.#mostAddresses && oldest !== undefined) this.#byAddress.delete(oldest)
    this.#byAddress.set(key, { count: 1, untilMs: nowMs + PERIOD_MS })
  }
}
