// Encrypts segments with AES-128 in CBC mode with PKCS7 padding, each as a whole (RFC 8216, 4.3.2.4). A slice at a time,
// so that a large segment does not hold up the event loop: one MiB takes about a millisecond.
import { createCipheriv, type Cipher } from 'node:crypto'

export interface AesKey {
  readonly key: Uint8Array
  readonly iv: Uint8Array
}

const ALGORITHM = 'aes-128-cbc'

export class SegmentEncryption {
  readonly #key: AesKey
  readonly #plain: readonly (readonly Uint8Array[])[]
  readonly #encrypted: Uint8Array[][] = []
  #cipher: Cipher | undefined
  /** What is encrypted next: a part of a segment. */
  #part = 0

  /** `segments`: the parts of each. Their memory must stay as it is until all are encrypted. */
  constructor(segments: readonly (readonly Uint8Array[])[], key: AesKey) {
    this.#plain = segments
    this.#key = key
  }

  get isDone(): boolean {
    return this.#encrypted.length === this.#plain.length && this.#cipher === undefined
  }

  /** The encrypted parts of each segment, in order. Complete when it is done. */
  get segments(): readonly (readonly Uint8Array[])[] {
    return this.#encrypted
  }

  /** Encrypts at least this many bytes, and goes on to the end of a part. */
  encrypt(bytes: number): void {
    for (let left = bytes; left > 0 && !this.isDone;) left -= this.#step()
  }

  /** Returns how many bytes have been taken. */
  #step(): number {
    if (this.#cipher === undefined) {
      this.#cipher = createCipheriv(ALGORITHM, this.#key.key, this.#key.iv)
      this.#encrypted.push([])
      this.#part = 0
    }
    const plain = this.#plain[this.#encrypted.length - 1] ?? []
    const encrypted = this.#encrypted.at(-1)!
    const part = plain[this.#part]
    if (part === undefined) {
      encrypted.push(this.#cipher.final())
      this.#cipher = undefined
      return 0
    }
    this.#part++
    const made = this.#cipher.update(part)
    if (made.length > 0) encrypted.push(made)
    return part.length
  }
}
