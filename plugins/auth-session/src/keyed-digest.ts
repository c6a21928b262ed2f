// Secrets are compared and looked up by a digest with a key of its own: how long that takes says nothing about them.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

const KEY_BYTES = 32

export class KeyedDigest {
  readonly #key = randomBytes(KEY_BYTES)

  of(secret: string): Buffer {
    return createHmac('sha256', this.#key).update(secret).digest()
  }

  isSame(a: Buffer, b: Buffer): boolean {
    return timingSafeEqual(a, b)
  }
}
