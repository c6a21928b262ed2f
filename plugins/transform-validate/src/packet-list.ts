// Packets on their way into a new chunk, with what the marks of the old one said of each.
import { MARK_FLAGS, MARK_MS, PACKET_SIZE, RANDOM_ACCESS, SYNC_BYTE_ERROR, SYNC_LOSS } from '@millrace/media/mpegts'
import type { KnownOfPackets } from '@millrace/media/mpegts'

/** What only the framer could know of a packet, or knew better: it has seen what came behind the chunk. */
const KEPT_FLAGS = RANDOM_ACCESS | SYNC_LOSS | SYNC_BYTE_ERROR

export class PacketList implements KnownOfPackets {
  ms: Int32Array
  flags: Int32Array
  #bytes: Uint8Array
  #count = 0

  /** `packets` is a first guess. */
  constructor(packets: number) {
    this.ms = new Int32Array(packets)
    this.flags = new Int32Array(packets)
    this.#bytes = new Uint8Array(packets * PACKET_SIZE)
  }

  /** Exactly the packets that were added. */
  get bytes(): Uint8Array {
    const length = this.#count * PACKET_SIZE
    return length === this.#bytes.length ? this.#bytes : this.#bytes.slice(0, length)
  }

  /** Adds one packet, or several: copies them. `marks[at]` is the record that speaks of it, or of one before it. */
  add(packets: Uint8Array, ms: number, flags: number): void {
    const count = packets.length / PACKET_SIZE
    if ((this.#count + count) * PACKET_SIZE > this.#bytes.length) this.#grow(count)
    this.#bytes.set(packets, this.#count * PACKET_SIZE)
    this.ms.fill(ms, this.#count, this.#count + count)
    this.flags[this.#count] = flags & KEPT_FLAGS
    this.#count += count
  }

  #grow(count: number): void {
    const capacity = this.#count * 2 + count
    const grown = { bytes: new Uint8Array(capacity * PACKET_SIZE), ms: new Int32Array(capacity) }
    const flags = new Int32Array(capacity)
    grown.bytes.set(this.#bytes)
    grown.ms.set(this.ms)
    flags.set(this.flags)
    this.#bytes = grown.bytes
    this.ms = grown.ms
    this.flags = flags
  }
}
