// Writes transport stream packets (ISO/IEC 13818-1 2.4.3.2) into memory that is used again, and hands them on in batches.
// Behind the packets lies the frame that is being written: copying within one array needs no object per packet.
import { DISCONTINUITY_FLAG, PACKET_SIZE, PCR_FLAG, SYNC_BYTE } from '../packet.js'
import { writePcr27M } from '../pcr.js'

const HEADER_SIZE = 4
const ROOM = PACKET_SIZE - HEADER_SIZE
/** adaptation_field_length and flags; then program_clock_reference. */
const FLAGS_END = 2
const PCR_END = FLAGS_END + 6
const UNIT_START = 0x40
const ADAPTATION = 0x20
const PAYLOAD = 0x10
/** A batch is at most this long: 192,512 bytes. */
const BATCH_PACKETS = 1024
const BATCH_BYTES = BATCH_PACKETS * PACKET_SIZE
const FIRST_SCRATCH = 64 * 1024
/** Below this, a loop is faster than a call. */
const SHORT = 32
const NO_PCR = -1

/** Called with whole packets: `bytes[0, length)`, valid during the call only. */
export type PacketConsumer = (bytes: Uint8Array, length: number) => void

/** A PID and the continuity_counter of its next packet with payload. */
export interface PidCounter {
  readonly pid: number
  next: number
}

export class PacketWriter {
  readonly #consume: PacketConsumer
  #bytes = new Uint8Array(BATCH_BYTES + FIRST_SCRATCH)
  #length = 0
  #loadedFrom = 0
  /** Of the unit that is open: where the next byte goes, where its packet ends, and how many bytes follow. */
  #at = 0
  #end = 0
  #left = 0
  #isStuffed = false
  #counter: PidCounter = { pid: 0, next: 0 }
  /** What is inserted: when so many bytes are left, and then after each `#insertEvery`. */
  #insert: () => void = () => {}
  #insertAt = -1
  #insertEvery = 0

  constructor(consume: PacketConsumer) {
    this.#consume = consume
  }

  /** Hands on what has been written. */
  emit(): void {
    const length = this.#length
    this.#length = 0
    if (length > 0) this.#consume(this.#bytes, length)
  }

  /** Takes `source[start, end)` for `putLoaded`, whose offsets are those of `source`. */
  load(source: Uint8Array, start: number, end: number): void {
    const size = end - start
    if (BATCH_BYTES + size > this.#bytes.length) {
      this.emit()
      this.#bytes = new Uint8Array(BATCH_BYTES + 2 ** Math.ceil(Math.log2(size)))
    }
    this.#bytes.set(size === source.length ? source : source.subarray(start, end), BATCH_BYTES)
    this.#loadedFrom = BATCH_BYTES - start
  }

  /**
   * Begins a unit of exactly `size` bytes, which `put` and `putLoaded` supply. `flags` are those of the adaptation field
   * of its first packet, `pcr27M` is its PCR or negative. `isStuffed`: the last packet has stuffing, also where the unit
   * would fill it: nothing else says that the unit is whole.
   */
  open(counter: PidCounter, size: number, flags: number, pcr27M: number, isStuffed = false): void {
    this.#counter = counter
    this.#left = size
    this.#isStuffed = isStuffed
    this.#insertAt = -1
    this.#openPacket(UNIT_START, pcr27M < 0 ? flags : flags | PCR_FLAG, pcr27M)
  }

  /** Between the packets of the unit that is open, `insert` is called so many times, spread over its bytes, to write others. */
  spread(count: number, insert: () => void): void {
    this.#insert = insert
    this.#insertEvery = this.#left / (count + 1)
    this.#insertAt = this.#left - this.#insertEvery
  }

  /** The bytes `source[start, end)` are the next of the unit: few. */
  put(source: ArrayLike<number>, start: number, end: number): void {
    for (let from = start; from < end;) {
      if (this.#at === this.#end) this.#openPacket(0, 0, NO_PCR)
      const stop = Math.min(end, from + this.#end - this.#at)
      const bytes = this.#bytes
      let at = this.#at
      while (from < stop) bytes[at++] = source[from++]!
      this.#at = at
    }
  }

  /** Like `put`, of what was loaded. */
  putLoaded(start: number, end: number): void {
    let from = start + this.#loadedFrom
    const last = end + this.#loadedFrom
    while (from < last) {
      if (this.#at === this.#end) this.#openPacket(0, 0, NO_PCR)
      const count = Math.min(last - from, this.#end - this.#at)
      if (count < SHORT)
        for (let index = 0; index < count; index++) this.#bytes[this.#at + index] = this.#bytes[from + index]!
      else this.#bytes.copyWithin(this.#at, from, from + count)
      this.#at += count
      from += count
    }
  }

  /** A packet without payload, which does not advance the counter. */
  writePcr(counter: PidCounter, pcr27M: number, isDiscontinuity: boolean): void {
    const at = this.#reserve()
    const bytes = this.#bytes
    writeHead(bytes, at, counter.pid, 0, ADAPTATION | ((counter.next + 15) & 15))
    bytes[at + HEADER_SIZE] = ROOM - 1
    bytes[at + HEADER_SIZE + 1] = PCR_FLAG | (isDiscontinuity ? DISCONTINUITY_FLAG : 0)
    writePcr27M(bytes, at, pcr27M)
    bytes.fill(0xff, at + HEADER_SIZE + PCR_END, at + PACKET_SIZE)
  }

  /** The packets of a section, as `packetise` renders them, with the counters that follow. */
  writeSection(counter: PidCounter, packets: Uint8Array): void {
    for (let from = 0; from < packets.length; from += PACKET_SIZE) {
      const at = this.#reserve()
      for (let index = 0; index < PACKET_SIZE; index++) this.#bytes[at + index] = packets[from + index]!
      this.#bytes[at + 3] = PAYLOAD | counter.next
      counter.next = (counter.next + 1) & 15
    }
  }

  #openPacket(unitStart: number, flags: number, pcr27M: number): void {
    if (this.#left <= this.#insertAt) {
      this.#insertAt -= this.#insertEvery
      this.#insert()
    }
    const at = this.#reserve()
    const bytes = this.#bytes
    const needed = pcr27M >= 0 ? PCR_END : flags === 0 ? 0 : FLAGS_END
    const room = ROOM - needed
    const payload = this.#isStuffed && this.#left === room ? room - 1 : Math.min(this.#left, room)
    const field = ROOM - payload
    writeHead(bytes, at, this.#counter.pid, unitStart, (field > 0 ? ADAPTATION : 0) | PAYLOAD | this.#counter.next)
    this.#counter.next = (this.#counter.next + 1) & 15
    this.#left -= payload
    this.#at = at + HEADER_SIZE + field
    this.#end = at + PACKET_SIZE
    if (field === 0) return
    bytes[at + HEADER_SIZE] = field - 1
    if (field > 1) bytes[at + HEADER_SIZE + 1] = flags
    if (pcr27M >= 0) writePcr27M(bytes, at, pcr27M)
    if (field > FLAGS_END) bytes.fill(0xff, at + HEADER_SIZE + Math.max(needed, FLAGS_END), this.#at)
  }

  #reserve(): number {
    if (this.#length === BATCH_BYTES) this.emit()
    const at = this.#length
    this.#length += PACKET_SIZE
    return at
  }
}

function writeHead(bytes: Uint8Array, at: number, pid: number, unitStart: number, control: number): void {
  bytes[at] = SYNC_BYTE
  bytes[at + 1] = unitStart | (pid >>> 8)
  bytes[at + 2] = pid & 0xff
  bytes[at + 3] = control
}
