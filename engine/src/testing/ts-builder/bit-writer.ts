// Writes the bit fields of headers, parameter sets and sections: most significant bit first, as in all MPEG syntax.

export class BitWriter {
  readonly #bytes: number[] = []
  #bits = 0

  /** The lowest `count` bits of `value`, at most 32. */
  bits(value: number, count: number): this {
    for (let bit = count - 1; bit >= 0; bit--) this.#bit(Math.floor(value / 2 ** bit) & 1)
    return this
  }

  /** A row of `[value, count]` fields. */
  fields(...fields: readonly (readonly [value: number, count: number])[]): this {
    for (const [value, count] of fields) this.bits(value, count)
    return this
  }

  /** Exp-Golomb, unsigned: ITU-T H.264 clause 9.1. */
  ue(...values: readonly number[]): this {
    for (const value of values) {
      const length = Math.floor(Math.log2(value + 1))
      this.bits(0, length).bits(value + 1, length + 1)
    }
    return this
  }

  /** Exp-Golomb, signed: ITU-T H.264 clause 9.1.1. */
  se(...values: readonly number[]): this {
    for (const value of values) this.ue(value > 0 ? 2 * value - 1 : -2 * value)
    return this
  }

  /** Fills the last byte with zero bits. */
  align(): this {
    while (this.#bits % 8 !== 0) this.#bit(0)
    return this
  }

  /** rbsp_trailing_bits: a one, then zeros to the end of the byte. */
  trailing(): this {
    this.#bit(1)
    return this.align()
  }

  /** Whole bytes, at a byte boundary. */
  append(bytes: Iterable<number>): this {
    if (this.#bits % 8 !== 0) throw new Error('BitWriter.append: not at a byte boundary')
    for (const byte of bytes) this.#bytes.push(byte)
    this.#bits = this.#bytes.length * 8
    return this
  }

  get bitCount(): number {
    return this.#bits
  }

  toBytes(): Uint8Array {
    return Uint8Array.from(this.#bytes)
  }

  #bit(bit: number): void {
    const index = this.#bits >> 3
    if (this.#bits % 8 === 0) this.#bytes.push(0)
    this.#bytes[index] = (this.#bytes[index] ?? 0) | (bit << (7 - (this.#bits % 8)))
    this.#bits++
  }
}
