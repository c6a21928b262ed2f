// Writes bit fields, most significant bit first.

export class BitField {
  readonly #bits: number[] = []

  constructor(...fields: readonly (readonly [value: number, count: number])[]) {
    this.add(...fields)
  }

  get count(): number {
    return this.#bits.length
  }

  /** Filled with zeros to the end of the last byte. */
  get bytes(): readonly number[] {
    const bytes = Array.from({ length: Math.ceil(this.#bits.length / 8) }, () => 0)
    for (const [at, bit] of this.#bits.entries()) bytes[at >>> 3]! |= bit << (7 - (at & 7))
    return bytes
  }

  add(...fields: readonly (readonly [value: number, count: number])[]): this {
    for (const [value, count] of fields) {
      for (let bit = count - 1; bit >= 0; bit--) this.#bits.push(Math.floor(value / 2 ** bit) & 1)
    }
    return this
  }

  /** Exp-Golomb, unsigned. */
  ue(...values: readonly number[]): this {
    for (const value of values) {
      const length = Math.floor(Math.log2(value + 1))
      this.add([0, length], [value + 1, length + 1])
    }
    return this
  }

  append(other: BitField): this {
    this.#bits.push(...other.#bits)
    return this
  }
}
