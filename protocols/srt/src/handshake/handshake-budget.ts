// How many handshake packets of one kind a listener looks at: a flood from many ports must not take the time of everything else in
// the process. Callers repeat themselves, so one that is passed over comes in later. A flood from few addresses leaves room for
// others: while there is one, each address has a share only.

const WINDOW_US = 10_000
/** Of the packets of a window, what one address has in a flood. */
const SHARE = 0.4
const BUCKETS = 1024

export class HandshakeBudget {
  readonly #most: number
  readonly #share: number
  /** Packets by a hash of their address, which changes with each window. */
  readonly #buckets = new Uint16Array(BUCKETS)
  #windowStartUs = -Infinity
  #seed = 0
  #packets = 0
  /** Packets were passed over in the window before. */
  #isFlooded = false
  #hasPassedOver = false

  /** @param most in each 10 ms */
  constructor(most: number) {
    this.#most = most
    this.#share = Math.ceil(most * SHARE)
  }

  /** Returns false if the packet is to be passed over. */
  take(address: string, nowUs: number): boolean {
    if (nowUs - this.#windowStartUs >= WINDOW_US) this.#begin(nowUs)
    const bucket = hashOf(networkOf(address), this.#seed) % BUCKETS
    const ofAddress = this.#buckets[bucket]!
    if (this.#packets >= this.#most || (this.#isFlooded && ofAddress >= this.#share)) {
      this.#hasPassedOver = true
      return false
    }
    this.#packets++
    this.#buckets[bucket] = ofAddress + 1
    return true
  }

  #begin(nowUs: number): void {
    this.#isFlooded = this.#hasPassedOver && nowUs - this.#windowStartUs < 2 * WINDOW_US
    this.#hasPassedOver = false
    this.#windowStartUs = nowUs
    this.#packets = 0
    this.#buckets.fill(0)
    this.#seed = Math.floor(Math.random() * 2 ** 32)
  }
}

/** IPv6 callers have a network of addresses: its first four groups. */
function networkOf(address: string): string {
  let at = address.indexOf(':')
  if (at < 0) return address
  for (let groups = 1; groups < 4 && at >= 0 && address[at + 1] !== ':'; groups++) at = address.indexOf(':', at + 1)
  return at < 0 ? address : address.slice(0, at)
}

function hashOf(text: string, seed: number): number {
  let hash = seed
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x0100_0193)
  return (hash ^ (hash >>> 15)) >>> 0
}
