// Reads numbers and text from bytes. What would be read past the end is 0 or empty, and the cursor is damaged from then on.
const decoder = new TextDecoder()

export class ByteCursor {
  readonly bytes: Uint8Array
  readonly #view: DataView
  at: number
  isDamaged = false

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.at = at
  }

  get left(): number {
    return this.bytes.length - this.at
  }

  damage(): void {
    this.isDamaged = true
    this.at = this.bytes.length
  }

  u8(): number {
    return this.#has(1) ? this.#view.getUint8(this.#advance(1)) : 0
  }

  u16(): number {
    return this.#has(2) ? this.#view.getUint16(this.#advance(2)) : 0
  }

  u32(): number {
    return this.#has(4) ? this.#view.getUint32(this.#advance(4)) : 0
  }

  f64(): number {
    return this.#has(8) ? this.#view.getFloat64(this.#advance(8)) : 0
  }

  text(length: number): string {
    return decoder.decode(this.view(length))
  }

  /** The bytes themselves, not a copy. */
  view(length: number): Uint8Array {
    if (!this.#has(length)) return this.bytes.subarray(0, 0)
    return this.bytes.subarray(this.at, this.#advance(length) + length)
  }

  /** AMF3 specification, clause 1.3.1: an unsigned integer of 29 bits in one to four bytes. */
  u29(): number {
    let value = 0
    for (let count = 0; count < 3; count++) {
      const byte = this.u8()
      if (byte < 0x80) return value * 128 + byte
      value = value * 128 + (byte & 0x7f)
    }
    return value * 256 + this.u8()
  }

  #has(length: number): boolean {
    if (length <= this.left) return true
    this.damage()
    return false
  }

  #advance(length: number): number {
    const from = this.at
    this.at += length
    return from
  }
}
