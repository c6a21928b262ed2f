// The packets of one PID to the payload of its PES packets: continuity, headers over several packets, lengths.
import { DISCONTINUITY_FLAG, hasPayload, hasTransportError, isScrambled, isUnitStart } from '../packet.js'
import { PACKET_SIZE, payloadOffset, RANDOM_ACCESS_FLAG, readAdaptationFlags, readCounter } from '../packet.js'
import { hasOptionalHeader, isPesStart, pesHeaderEnd, pesPacketLength, readDts, readPts } from '../pes.js'
import type { ElementaryReader } from './elementary-reader.js'

/** Up to PES_header_data_length, and the longest header. */
const FIXED_SIZE = 9
const MAX_HEADER = FIXED_SIZE + 255
/** packet_start_code_prefix, stream_id, PES_packet_length: not counted by it. */
const UNCOUNTED = 6

/** Nothing is read until a PES packet begins. */
const WAITING = 0
const IN_HEADER = 1
const IN_PAYLOAD = 2

export interface PacketCounters {
  continuityErrors: number
  /** PES packets that end before their length, or whose header is none. */
  brokenPes: number
}

export class PidReader {
  readonly #reader: ElementaryReader
  readonly #counters: PacketCounters
  readonly #header = new Uint8Array(MAX_HEADER)
  #headerLength = 0
  #state = WAITING
  /** Bytes of the payload to come; Infinity if the PES packet has no length. */
  #left = 0
  #counter = -1
  #isDuplicate = false
  #mayJump = false
  #isIndicated = false

  constructor(reader: ElementaryReader, counters: PacketCounters) {
    this.#reader = reader
    this.#counters = counters
  }

  push(bytes: Uint8Array, packet: number): void {
    if (hasTransportError(bytes, packet) || isScrambled(bytes, packet)) return this.#break()
    const flags = readAdaptationFlags(bytes, packet)
    if ((flags & DISCONTINUITY_FLAG) !== 0) this.#counter = -1
    if (!hasPayload(bytes, packet)) return
    if (!this.#follows(readCounter(bytes, packet))) return
    const end = packet + PACKET_SIZE
    const payload = payloadOffset(bytes, packet)
    if (isUnitStart(bytes, packet)) this.#begin((flags & RANDOM_ACCESS_FLAG) !== 0)
    if (this.#state === IN_PAYLOAD) this.#take(bytes, payload, end)
    else if (this.#state === IN_HEADER) this.#readHeader(bytes, payload, end)
  }

  /** What follows does not continue what was. `isComplete`: what is open has its end. */
  reset(isComplete: boolean): void {
    if (isComplete && (this.#state === WAITING || this.#left === Infinity)) this.#reader.flush()
    else this.#reader.damage()
    this.#state = WAITING
    this.#counter = -1
  }

  /** The counter of the next packet may be any: what is open goes on only if it is the next one. */
  mayJump(): void {
    this.#mayJump = true
  }

  /** False for the second copy of a packet, ISO/IEC 13818-1 2.4.3.3. */
  #follows(counter: number): boolean {
    const last = this.#counter
    const mayJump = this.#mayJump
    this.#counter = counter
    this.#mayJump = false
    if (last < 0 || counter === ((last + 1) & 0x0f)) {
      this.#isDuplicate = false
      return true
    }
    if (mayJump) {
      this.#isDuplicate = false
      this.#break()
      return true
    }
    if (counter === last && !this.#isDuplicate) {
      this.#isDuplicate = true
      return false
    }
    this.#isDuplicate = false
    this.#counters.continuityErrors++
    this.#break()
    return true
  }

  #break(): void {
    this.#state = WAITING
    this.#reader.damage()
  }

  #begin(isIndicated: boolean): void {
    if (this.#state === IN_HEADER || (this.#state === IN_PAYLOAD && this.#left !== Infinity)) {
      this.#counters.brokenPes++
      this.#break()
    } else if (this.#state === IN_PAYLOAD) this.#reader.end()
    this.#state = IN_HEADER
    this.#headerLength = 0
    this.#isIndicated = isIndicated
  }

  #readHeader(bytes: Uint8Array, from: number, end: number): void {
    if (this.#headerLength === 0) {
      const start = pesHeaderEnd(bytes, from, end)
      // Nearly always all of it is in the first packet.
      if (isPesStart(bytes, from, end) && start < end) return this.#enter(bytes, from, start, bytes, start, end)
    }
    let at = from
    while (at < end && this.#headerLength < this.#headerSize()) this.#header[this.#headerLength++] = bytes[at++]!
    const size = this.#headerLength
    if (size >= 3 && !(this.#header[0] === 0 && this.#header[1] === 0 && this.#header[2] === 1)) {
      this.#counters.brokenPes++
      return this.#break()
    }
    if (size === this.#headerSize()) this.#enter(this.#header, 0, size, bytes, at, end)
  }

  /** As far as it is known. */
  #headerSize(): number {
    if (this.#headerLength < UNCOUNTED) return UNCOUNTED
    if (!hasOptionalHeader(this.#header[3]!)) return UNCOUNTED
    return this.#headerLength < FIXED_SIZE ? FIXED_SIZE : FIXED_SIZE + this.#header[8]!
  }

  /** The header is `header[start, headerEnd)`, and the payload begins at `from`. */
  #enter(header: Uint8Array, start: number, headerEnd: number, bytes: Uint8Array, from: number, end: number): void {
    if (!hasOptionalHeader(header[start + 3]!)) {
      this.#state = WAITING
      return
    }
    const length = pesPacketLength(header, start, headerEnd)
    this.#state = IN_PAYLOAD
    this.#left = length === 0 ? Infinity : length + UNCOUNTED - (headerEnd - start)
    const pts90k = readPts(header, start, headerEnd)
    this.#reader.begin(pts90k, readDts(header, start, headerEnd), this.#isIndicated)
    this.#take(bytes, from, end)
  }

  #take(bytes: Uint8Array, from: number, end: number): void {
    const stop = end - from > this.#left ? from + Math.max(0, this.#left) : end
    if (stop > from) this.#reader.push(bytes, from, stop)
    this.#left -= stop - from
    if (this.#left > 0) return
    this.#state = WAITING
    this.#reader.end()
  }
}
