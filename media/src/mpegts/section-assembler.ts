// Assembles sections from the packets of one PID, ISO/IEC 13818-1 2.4.4: pointer_field, several sections per packet,
// sections over several packets, stuffing, CRC_32. The caller leaves out duplicate packets, and calls `reset` after a
// loss.

import { crc32Mpeg } from './crc32.js'
import {
  hasSectionSyntax,
  MAX_SECTION_LENGTH,
  readSectionLength,
  SECTION_CRC_SIZE,
  SHORT_HEADER_SIZE,
} from './section-header.js'

/** table_id 0xff: the rest of the packet is stuffing, 2.4.4. */
const STUFFING = 0xff
/** The time offset table has a CRC although its section_syntax_indicator is 0, ETSI EN 300 468 5.2.6. */
const TIME_OFFSET_TABLE = 0x73
/** The smallest section with a CRC. */
const MIN_CHECKED = SHORT_HEADER_SIZE + SECTION_CRC_SIZE
/** Size of the first buffer: PAT, CAT and PMT sections fit (section_length up to 1021). */
const FIRST_CAPACITY = 1024

/** Called for each section with a right CRC. `section` belongs to the assembler and is valid only during the call. */
export type OnSection = (section: Uint8Array, length: number) => void
/** Called for each section with a wrong CRC; true: it is to be taken all the same. It still counts as failed. */
export type OnDamaged = (section: Uint8Array, length: number) => boolean

export class SectionAssembler {
  readonly #maxBytes: number
  readonly #onDamaged: OnDamaged | undefined
  #buffer = new Uint8Array(0)
  /** Bytes collected of the current section; 0: there is none. */
  #filled = 0

  /** Sections larger than `maxBytes`, header included, count as failed. By default none with a wrong CRC is taken. */
  constructor(maxBytes = SHORT_HEADER_SIZE + MAX_SECTION_LENGTH, onDamaged?: OnDamaged) {
    this.#onDamaged = onDamaged
    this.#maxBytes = Math.min(maxBytes, SHORT_HEADER_SIZE + MAX_SECTION_LENGTH)
  }

  /** Discards the current section. */
  reset(): void {
    this.#filled = 0
  }

  /**
   * Takes the payload `bytes[payload, end)` of one packet; `unitStart` is its payload_unit_start_indicator. Returns how
   * many sections failed: wrong CRC, impossible length, truncated by the next section, or pointer_field beyond the
   * packet.
   */
  push(bytes: Uint8Array, payload: number, end: number, unitStart: boolean, onSection: OnSection): number {
    if (payload >= end) return 0
    return unitStart
      ? this.#pushStart(bytes, payload, end, onSection)
      : this.#pushContinuation(bytes, payload, end, onSection)
  }

  #pushStart(bytes: Uint8Array, payload: number, end: number, onSection: OnSection): number {
    const first = payload + 1 + bytes[payload]!
    if (first > end) {
      this.#filled = 0
      return 1
    }
    let failed = this.#pushContinuation(bytes, payload + 1, first, onSection)
    if (this.#filled > 0) failed++ // the old section should have ended before the first new one
    this.#filled = 0
    let at = first
    while (at < end && bytes[at] !== STUFFING) {
      this.#reserve(SHORT_HEADER_SIZE)
      at = this.#fill(bytes, at, end)
      if (this.#isTooLong()) {
        this.#filled = 0
        return failed + 1
      }
      if (this.#isWhole()) failed += this.#finish(onSection)
    }
    return failed
  }

  #pushContinuation(bytes: Uint8Array, at: number, end: number, onSection: OnSection): number {
    if (this.#filled === 0) return 0
    this.#fill(bytes, at, end)
    if (this.#isTooLong()) {
      this.#filled = 0
      return 1
    }
    return this.#isWhole() ? this.#finish(onSection) : 0
  }

  /** Appends what belongs to the current section; returns the offset after it. */
  #fill(bytes: Uint8Array, start: number, end: number): number {
    let at = start
    while (this.#filled < SHORT_HEADER_SIZE && at < end) this.#buffer[this.#filled++] = bytes[at++]!
    if (this.#filled < SHORT_HEADER_SIZE || this.#isTooLong()) return at
    const size = this.#size()
    this.#reserve(size)
    const stop = Math.min(end, at + size - this.#filled)
    while (at < stop) this.#buffer[this.#filled++] = bytes[at++]!
    return at
  }

  #finish(onSection: OnSection): number {
    const length = this.#filled
    this.#filled = 0
    if (hasCrc(this.#buffer) && !hasGoodCrc(this.#buffer, length)) {
      if (length >= MIN_CHECKED && this.#onDamaged?.(this.#buffer, length) === true) onSection(this.#buffer, length)
      return 1
    }
    onSection(this.#buffer, length)
    return 0
  }

  #size(): number {
    return SHORT_HEADER_SIZE + readSectionLength(this.#buffer)
  }

  #isTooLong(): boolean {
    return this.#filled >= SHORT_HEADER_SIZE && this.#size() > this.#maxBytes
  }

  #isWhole(): boolean {
    return this.#filled >= SHORT_HEADER_SIZE && this.#filled === this.#size()
  }

  /** Grows once or twice in the life of a PID, so thousands of PIDs without sections cost nothing. */
  #reserve(size: number): void {
    if (size <= this.#buffer.length) return
    const larger = new Uint8Array(size <= FIRST_CAPACITY ? FIRST_CAPACITY : SHORT_HEADER_SIZE + MAX_SECTION_LENGTH)
    larger.set(this.#buffer)
    this.#buffer = larger
  }
}

function hasCrc(section: Uint8Array): boolean {
  return hasSectionSyntax(section) || section[0] === TIME_OFFSET_TABLE
}

function hasGoodCrc(section: Uint8Array, length: number): boolean {
  return length >= MIN_CHECKED && crc32Mpeg(section, 0, length) === 0
}
