// Gives the sections on one PID another version_number as their packets pass, and corrects their CRC, which is linear:
// changing one byte changes the CRC by an amount that depends only on how many bytes follow.
import { crc32Delta } from './crc32.js'
import { isUnitStart, PACKET_SIZE, payloadOffset } from './packet.js'

/** table_id and section_length: what it takes to find the CRC. ISO/IEC 13818-1 2.4.4. */
const LENGTH_HEADER = 3
/** Offset of the byte with version_number (5 bits, above current_next_indicator). */
const VERSION_AT = 5
const CRC_SIZE = 4
/** table_id of the PMT; those of PAT and CAT are lower: table 2-31. */
const LAST_TABLE = 0x02
const MIN_SECTION = 12

export class SectionVersion {
  /** Added to every version_number, modulo 32. */
  shift: number
  /** Bytes from here to the end of the current section. */
  #left = 0
  #delta = 0

  constructor(shift: number) {
    this.shift = shift
  }

  /**
   * Rewrites one packet of the PID, in order. A section whose first six bytes are not in one packet is left unchanged.
   */
  apply(bytes: Uint8Array, offset: number): void {
    const end = offset + PACKET_SIZE
    let at = payloadOffset(bytes, offset)
    if (at >= end) return
    if (!isUnitStart(bytes, offset)) {
      this.#pass(bytes, at, end)
      return
    }
    const first = at + 1 + bytes[at]!
    this.#pass(bytes, at + 1, Math.min(first, end))
    this.#left = 0
    at = first
    while (at + VERSION_AT < end && bytes[at] !== 0xff) {
      this.#begin(bytes, at)
      const length = this.#left
      this.#pass(bytes, at, end)
      at += length
    }
  }

  #begin(bytes: Uint8Array, at: number): void {
    const length = LENGTH_HEADER + (((bytes[at + 1]! & 0x0f) << 8) | bytes[at + 2]!)
    this.#left = length
    this.#delta = 0
    // Only PAT, CAT and PMT: private sections on their PIDs are left unchanged.
    const hasSyntax = (bytes[at + 1]! & 0x80) !== 0
    if (this.shift === 0 || length < MIN_SECTION || !hasSyntax || bytes[at]! > LAST_TABLE) return
    const before = bytes[at + VERSION_AT]!
    const version = ((before >>> 1) + this.shift) & 0x1f
    const after = (before & 0xc1) | (version << 1)
    bytes[at + VERSION_AT] = after
    this.#delta = crc32Delta(before ^ after, length - VERSION_AT - 1 - CRC_SIZE)
  }

  /** Passes bytes of the section; changes those of the CRC. */
  #pass(bytes: Uint8Array, from: number, end: number): void {
    for (let at = from; at < end && this.#left > 0; at++, this.#left--) {
      if (this.#left > CRC_SIZE || this.#delta === 0) continue
      bytes[at] = bytes[at]! ^ ((this.#delta >>> ((this.#left - 1) * 8)) & 0xff)
    }
  }
}
