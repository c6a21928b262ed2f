// Finds the units of an elementary stream, packet by packet: start codes (see start-code.ts) wherever they lie, also
// across the borders of packets. Collects as many bytes of a unit as its reader wants, in one buffer. No allocation.
import { nextStartCode, START_CODE_SIZE } from './start-code.js'

/** As much of a unit is collected at most: parameter sets and SEI messages are far smaller. */
export const MAX_UNIT_BYTES = 4096

export interface UnitReader {
  /**
   * A unit begins: `header` is the offset of the byte after the prefix in `bytes`. `isAligned`: there is nothing but
   * zeros between it and the beginning of the PES packet. Returns how many bytes of the unit are wanted: 0 for none,
   * MAX_UNIT_BYTES for all.
   */
  beginUnit(bytes: Uint8Array, header: number, isAligned: boolean): number
  /** The bytes wanted are there, or the unit has ended; `unit` is valid during the call. */
  readUnit(unit: Uint8Array, length: number): void
  /** Nothing more of this packet is of interest. */
  readonly isSatisfied: boolean
}

export class UnitScanner {
  readonly #reader: UnitReader
  readonly #unit = new Uint8Array(MAX_UNIT_BYTES)
  #length = 0
  /** More than #length while a unit is being collected. */
  #wanted = 0
  /** Zeros (at most 2) at the end of the previous packet; 3 if it ends with a whole prefix. */
  #carry = 0
  /** Bytes of the PES packet so far if all of them are zeros, else -1. */
  #zeros = -1

  constructor(reader: UnitReader) {
    this.#reader = reader
  }

  /** Bytes are missing before the next ones. */
  reset(): void {
    this.#carry = 0
    this.#wanted = 0
    this.#length = 0
    this.#zeros = -1
  }

  /** The next bytes are the first of a PES packet. */
  beginPes(): void {
    this.#zeros = 0
  }

  /** The PES packet has bytes other than zeros. */
  get isPastZeros(): boolean {
    return this.#zeros < 0
  }

  push(bytes: Uint8Array, from: number, end: number): void {
    let at = from
    let header = this.#carry === 0 ? nextStartCode(bytes, from, end) : this.#headerAcross(bytes, from, end)
    while (header >= 0) {
      this.#collect(bytes, at, header)
      this.#finish()
      this.#wanted = this.#reader.beginUnit(bytes, header, this.#isAligned(bytes, from, header))
      this.#zeros = -1
      at = header
      // The beginning of a unit is read before its end is searched, which may not be needed then.
      if (this.#wanted <= end - header) this.#collect(bytes, header, end)
      if (this.#reader.isSatisfied) {
        // The rest of these bytes is not read, so the next ones continue nothing.
        this.reset()
        return
      }
      header = nextStartCode(bytes, header, end)
    }
    this.#collect(bytes, at, end)
    this.#countZeros(bytes, from, end)
  }

  /** Like nextStartCode, for a prefix that may have begun in the previous packet. */
  #headerAcross(bytes: Uint8Array, from: number, end: number): number {
    let zeros = this.#carry
    if (zeros === START_CODE_SIZE) return from < end ? from : -1
    for (let at = from; at < end && at < from + 2; at++) {
      if (bytes[at] === 1 && zeros === 2) return at + 1 < end ? at + 1 : -1
      if (bytes[at] !== 0) break
      zeros = 2
    }
    return nextStartCode(bytes, from, end)
  }

  #isAligned(bytes: Uint8Array, from: number, header: number): boolean {
    if (this.#zeros < 0 || header <= from || this.#zeros + header - 1 - from < 2) return false
    for (let at = from; at < header - 1; at++) if (bytes[at] !== 0) return false
    return true
  }

  #countZeros(bytes: Uint8Array, from: number, end: number): void {
    const first = Math.max(from, end - START_CODE_SIZE)
    let carry = first === from ? this.#carry : 0
    for (let at = first; at < end; at++) {
      if (bytes[at] === 0) carry = carry === START_CODE_SIZE ? 1 : Math.min(2, carry + 1)
      else carry = bytes[at] === 1 && carry === 2 ? START_CODE_SIZE : 0
    }
    this.#carry = carry
    if (this.#zeros < 0) return
    for (let at = from; at < end; at++) {
      if (bytes[at] === 0) this.#zeros++
      else {
        this.#zeros = -1
        return
      }
    }
  }

  #collect(bytes: Uint8Array, from: number, end: number): void {
    if (this.#length >= this.#wanted) return
    const unit = this.#unit
    let length = this.#length
    const most = Math.min(this.#wanted, length + end - from)
    for (let at = from; length < most; at++) unit[length++] = bytes[at]!
    this.#length = length
    if (length === this.#wanted) this.#reader.readUnit(unit, length)
  }

  /** The unit has ended: its last bytes are the prefix of the next one. */
  #finish(): void {
    if (this.#length < this.#wanted) {
      let length = Math.max(0, this.#length - START_CODE_SIZE)
      while (length > 0 && this.#unit[length - 1] === 0) length--
      if (length > 0) this.#reader.readUnit(this.#unit, length)
    }
    this.#length = 0
    this.#wanted = 0
  }
}
