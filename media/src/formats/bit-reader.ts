// Reads bit fields, most significant bit first, of bytes without emulation prevention: audio headers and the like.

export class BitReader {
  readonly #bytes: Uint8Array
  readonly #end: number
  /** In bits from the start of the bytes. */
  #at: number
  #hasFailed = false

  /** Of `bytes[start, end)`. */
  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes
    this.#at = start * 8
    this.#end = Math.min(end, bytes.length) * 8
  }

  /** Something was read past the end: whoever reads a long structure asks once, at its end. */
  get hasFailed(): boolean {
    return this.#hasFailed
  }

  /** In bits from the start of the bytes. */
  get position(): number {
    return this.#at
  }

  /** That many bits, at most 32; 0 past the end. */
  bits(count: number): number {
    if (this.#at + count > this.#end) {
      this.#hasFailed = true
      this.#at = this.#end
      return 0
    }
    let value = 0
    for (let left = count; left > 0; left--, this.#at++) {
      value = value * 2 + ((this.#bytes[this.#at >>> 3]! >>> (7 - (this.#at & 7))) & 1)
    }
    return value
  }

  flag(): boolean {
    return this.bits(1) === 1
  }

  skip(count: number): void {
    if (this.#at + count > this.#end) this.#hasFailed = true
    this.#at = Math.min(this.#end, this.#at + count)
  }
}
