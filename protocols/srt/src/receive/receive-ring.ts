// The packets received and not yet delivered, by packet index, in a ring that grows as far as it may.

const INITIAL_PACKETS = 256

export class ReceiveRing {
  readonly maxPackets: number
  #mask: number
  #payloads: (Uint8Array | undefined)[]
  /** Time of the sender, unwrapped. */
  #sentUs: Float64Array
  /** Position in the message, and the key flags of a payload that is still encrypted. */
  #flags: Uint8Array
  /** Packets stored. */
  packets = 0
  bytes = 0

  /** @param maxPackets a power of two */
  constructor(maxPackets: number) {
    this.maxPackets = maxPackets
    const size = Math.min(INITIAL_PACKETS, maxPackets)
    this.#mask = size - 1
    this.#payloads = Array.from({ length: size })
    this.#sentUs = new Float64Array(size)
    this.#flags = new Uint8Array(size)
  }

  /** @param oldest the oldest index that may be stored */
  has(index: number, oldest: number): boolean {
    return index - oldest <= this.#mask && this.#payloads[index & this.#mask] !== undefined
  }

  /** Stores a packet at `index`, which is at most `maxPackets` - 1 after `oldest`. */
  put(index: number, oldest: number, payload: Uint8Array, sentUs: number, flags: number): void {
    while (index - oldest > this.#mask) this.#grow(oldest)
    const at = index & this.#mask
    this.#payloads[at] = payload
    this.#sentUs[at] = sentUs
    this.#flags[at] = flags
    this.packets++
    this.bytes += payload.length
  }

  sentUs(index: number): number {
    return this.#sentUs[index & this.#mask]!
  }

  flags(index: number): number {
    return this.#flags[index & this.#mask]!
  }

  /** Removes the packet at `index`, which is there. */
  take(index: number): Uint8Array {
    const at = index & this.#mask
    const payload = this.#payloads[at]!
    this.#payloads[at] = undefined
    this.packets--
    this.bytes -= payload.length
    return payload
  }

  #grow(oldest: number): void {
    const old = { mask: this.#mask, payloads: this.#payloads, sentUs: this.#sentUs, flags: this.#flags }
    const size = (old.mask + 1) * 2
    this.#mask = size - 1
    this.#payloads = Array.from({ length: size })
    this.#sentUs = new Float64Array(size)
    this.#flags = new Uint8Array(size)
    for (let index = oldest; index <= oldest + old.mask; index++) {
      const from = index & old.mask
      const to = index & this.#mask
      this.#payloads[to] = old.payloads[from]
      this.#sentUs[to] = old.sentUs[from]!
      this.#flags[to] = old.flags[from]!
    }
  }
}
