// The payload of a NAL unit without its emulation prevention bytes, ITU-T H.264 7.4.1 and H.265 7.4.2: in 00 00 03 the
// third byte is not part of the payload.

/** An exp-Golomb code with more leading zeros is damaged: no value in use is that large. */
const MAX_LEADING_ZEROS = 31
/** The bytes end inside the value. */
export const TRUNCATED = -1
/** No such value is possible. */
export const DAMAGED = -2

/** `at`, or the next offset if `at` holds an emulation prevention byte. `start` is the first payload byte. */
export function skipEmulation(bytes: Uint8Array, at: number, start: number, end: number): number {
  const isEmulation = at < end && at - 2 >= start && bytes[at] === 3 && bytes[at - 1] === 0 && bytes[at - 2] === 0
  return isEmulation ? at + 1 : at
}

/** Reads bits from the payload of one NAL unit, `bytes[start, end)`; returns TRUNCATED past the end. */
export class RbspBitReader {
  readonly #bytes: Uint8Array
  readonly #start: number
  readonly #end: number
  #at: number
  /** The next bit to read of the current byte, 7 first. */
  #bit = 7
  #hasFailed = false

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes
    this.#start = start
    this.#end = end
    this.#at = start
  }

  /** A value was truncated or damaged: whoever reads a long structure asks once, at its end. */
  get hasFailed(): boolean {
    return this.#hasFailed
  }

  /** 0, 1, or TRUNCATED. */
  readBit(): number {
    if (this.#at >= this.#end) {
      this.#hasFailed = true
      return TRUNCATED
    }
    const bit = (this.#bytes[this.#at]! >>> this.#bit) & 1
    if (this.#bit > 0) {
      this.#bit--
    } else {
      this.#bit = 7
      this.#at = skipEmulation(this.#bytes, this.#at + 1, this.#start, this.#end)
    }
    return bit
  }

  /** Skips that many bits; false if the payload ends before. */
  skip(count: number): boolean {
    for (let left = count; left > 0; left--) if (this.readBit() === TRUNCATED) return false
    return true
  }

  /** An unsigned exp-Golomb code, ue(v), H.264 9.1; or TRUNCATED, or DAMAGED. */
  readUe(): number {
    let zeros = 0
    for (let bit = this.readBit(); bit !== 1; bit = this.readBit()) {
      if (bit === TRUNCATED) return TRUNCATED
      if (++zeros > MAX_LEADING_ZEROS) {
        this.#hasFailed = true
        return DAMAGED
      }
    }
    const suffix = this.readBits(zeros)
    return suffix === TRUNCATED ? TRUNCATED : 2 ** zeros - 1 + suffix
  }

  /** A signed exp-Golomb code, se(v), H.264 9.1.1; 0 if it is truncated or damaged. */
  readSe(): number {
    const code = this.readUe()
    if (code <= 0) return 0
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2
  }

  /** That many bits as one number, at most 32; or TRUNCATED. */
  readBits(count: number): number {
    let value = 0
    for (let left = count; left > 0; left--) {
      const bit = this.readBit()
      if (bit === TRUNCATED) return TRUNCATED
      value = value * 2 + bit
    }
    return value
  }

  /** One flag; false past the end. */
  readFlag(): boolean {
    return this.readBit() === 1
  }
}
