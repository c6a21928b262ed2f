// Digests under a key that only this process knows. Secrets are compared by them, in constant time: neither the length
// nor a common beginning shows, and what is kept of a secret is worth nothing outside of the process.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

export class KeyedDigest {
  readonly #key = randomBytes(32)

  of(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest()
  }

  isOf(digest: Buffer, text: string): boolean {
    return timingSafeEqual(digest, this.of(text))
  }
}
