// Digests with a key that only this process knows, to compare secrets in constant time: neither their length nor a
// common prefix leaks, and a stored digest is worthless outside the process.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

export class KeyedDigest {
  readonly #key = randomBytes(32)

  of(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest()
  }

  matches(digest: Buffer, text: string): boolean {
    return timingSafeEqual(digest, this.of(text))
  }
}
