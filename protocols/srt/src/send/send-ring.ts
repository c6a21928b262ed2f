// What a sender knows of the packets that are not acknowledged, by packet index, in a ring that grows as far as it may,
// and shrinks again. A payload is kept here, or read from a source by its position each time that it is sent.

const INITIAL_PACKETS = 64
/** A ring of which less than this part is used is halved. */
const SHRINK_BELOW = 1 / 8

/** Where a sender reads payloads that it does not keep: a window that many connections share. */
export interface SendSource {
  /**
   * Returns the `bytes` bytes at `position`, or undefined if they are no longer there: then the packet counts as
   * dropped. They are used before anything else happens.
   */
  read(position: number, bytes: number): Uint8Array | undefined
}

export class SendRing {
  readonly #source: SendSource | undefined
  #mask = INITIAL_PACKETS - 1
  /** Payloads that are not read from the source, by index. */
  readonly #owned = new Map<number, Uint8Array>()
  #positions = new Float64Array(INITIAL_PACKETS)
  #sizes = new Uint16Array(INITIAL_PACKETS)
  #originUs = new Float64Array(INITIAL_PACKETS)
  /** When it was last sent. */
  #sentUs = new Float64Array(INITIAL_PACKETS)
  /** Key flags, and whether it was sent again. */
  #keys = new Uint8Array(INITIAL_PACKETS)
  #repeated = new Uint8Array(INITIAL_PACKETS)

  constructor(source: SendSource | undefined) {
    this.#source = source
  }

  /** Packets for which it has room. */
  get capacity(): number {
    return this.#mask + 1
  }

  put(index: number, oldest: number, packet: { payload: Uint8Array | number; bytes: number; originUs: number }): void {
    const used = index - oldest
    if (used > this.#mask) this.#resize(this.capacity * 2, oldest, index)
    else if (this.capacity > INITIAL_PACKETS && used < this.capacity * SHRINK_BELOW)
      this.#resize(this.capacity / 2, oldest, index)
    const at = index & this.#mask
    const { payload } = packet
    if (typeof payload === 'number') this.#positions[at] = payload
    else this.#owned.set(index, payload)
    this.#sizes[at] = packet.bytes
    this.#originUs[at] = packet.originUs
    this.#sentUs[at] = -Infinity
    this.#repeated[at] = 0
    this.#keys[at] = 0
  }

  payload(index: number): Uint8Array | undefined {
    const at = index & this.#mask
    return this.#owned.get(index) ?? this.#source?.read(this.#positions[at]!, this.#sizes[at]!)
  }

  size(index: number): number {
    return this.#sizes[index & this.#mask]!
  }

  originUs(index: number): number {
    return this.#originUs[index & this.#mask]!
  }

  sentUs(index: number): number {
    return this.#sentUs[index & this.#mask]!
  }

  isRepeated(index: number): boolean {
    return this.#repeated[index & this.#mask] === 1
  }

  key(index: number): number {
    return this.#keys[index & this.#mask]!
  }

  setKey(index: number, key: number): void {
    this.#keys[index & this.#mask] = key
  }

  /** Notes that a packet is sent now; the second time it is a repetition. */
  sent(index: number, nowUs: number): void {
    const at = index & this.#mask
    if (this.#sentUs[at] !== -Infinity) this.#repeated[at] = 1
    this.#sentUs[at] = nowUs
  }

  release(index: number): void {
    if (this.#owned.size > 0) this.#owned.delete(index)
  }

  /** Keeps the packets from `oldest` up to `end` (exclusive). */
  #resize(size: number, oldest: number, end: number): void {
    const oldMask = this.#mask
    const mask = size - 1
    const move = <T extends Float64Array | Uint16Array | Uint8Array>(from: T, to: T): T => {
      for (let index = oldest; index < end; index++) to[index & mask] = from[index & oldMask]!
      return to
    }
    this.#positions = move(this.#positions, new Float64Array(size))
    this.#sizes = move(this.#sizes, new Uint16Array(size))
    this.#originUs = move(this.#originUs, new Float64Array(size))
    this.#sentUs = move(this.#sentUs, new Float64Array(size))
    this.#keys = move(this.#keys, new Uint8Array(size))
    this.#repeated = move(this.#repeated, new Uint8Array(size))
    this.#mask = mask
  }
}
