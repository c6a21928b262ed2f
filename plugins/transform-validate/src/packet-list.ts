// Collects packets of one chunk for another, with the marks of each. It copies runs of packets, and nothing at all if
// every packet is kept.
import { CONTINUITY_ERROR, PACKET_SIZE, RANDOM_ACCESS, SYNC_BYTE_ERROR, SYNC_LOSS } from '@millrace/media/mpegts'
import type { PriorMarks } from '@millrace/media/mpegts'

/** Flags that only the framer can set, or sets more reliably: it has also seen the bytes before and after the chunk. */
const KEPT_FLAGS = RANDOM_ACCESS | SYNC_LOSS | SYNC_BYTE_ERROR | CONTINUITY_ERROR

export class PacketList implements PriorMarks {
  arrivalMs = 0
  ms: Int32Array
  flags: Int32Array
  readonly #source: Uint8Array
  /** Undefined until a packet is dropped or inserted. */
  #bytes: Uint8Array | undefined
  #count = 0
  /** Packets taken until now, except those of the current run. */
  #copied = 0
  #runStart = 0
  #runEnd = 0

  constructor(source: Uint8Array) {
    const packets = source.length / PACKET_SIZE
    this.#source = source
    this.ms = new Int32Array(packets)
    this.flags = new Int32Array(packets)
  }

  /** Takes the packet at `offset` of the source. */
  pass(offset: number, ms: number, flags: number): void {
    if (offset !== this.#runEnd) {
      this.#copyRun()
      this.#runStart = offset
    }
    this.#runEnd = offset + PACKET_SIZE
    this.#note(ms, flags)
  }

  /** Inserts other packets. */
  add(packets: Uint8Array, ms: number): void {
    this.#copyRun()
    const count = packets.length / PACKET_SIZE
    this.#reserve(count).set(packets, this.#copied * PACKET_SIZE)
    this.#copied += count
    for (let index = 0; index < count; index++) this.#note(ms, 0)
  }

  /**
   * Returns exactly the packets taken, or the source itself if all of it was taken. No packets can be taken afterwards.
   */
  finish(): Uint8Array {
    if (this.#bytes === undefined && this.#runStart === 0 && this.#runEnd === this.#source.length) return this.#source
    this.#copyRun()
    return this.#bytes?.slice(0, this.#copied * PACKET_SIZE) ?? new Uint8Array(0)
  }

  #note(ms: number, flags: number): void {
    if (this.#count === this.ms.length) {
      this.ms = grown(this.ms)
      this.flags = grown(this.flags)
    }
    this.ms[this.#count] = ms
    this.flags[this.#count] = flags & KEPT_FLAGS
    this.#count++
  }

  #copyRun(): void {
    const run = this.#source.subarray(this.#runStart, this.#runEnd)
    this.#runStart = this.#runEnd
    if (run.length === 0) return
    this.#reserve(run.length / PACKET_SIZE).set(run, this.#copied * PACKET_SIZE)
    this.#copied += run.length / PACKET_SIZE
  }

  /** Makes room for `count` more packets. */
  #reserve(count: number): Uint8Array {
    const needed = (this.#copied + count) * PACKET_SIZE
    this.#bytes ??= new Uint8Array(Math.max(this.#source.length, needed))
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(needed * 2)
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    return this.#bytes
  }
}

function grown(numbers: Int32Array): Int32Array {
  const larger = new Int32Array(numbers.length * 2 + 1)
  larger.set(numbers)
  return larger
}
