// Collects bytes of the stream until they fill whole payloads.
import { PAYLOAD_BYTES } from './payload.js'

/** A payload that is not full waits so long for more bytes. */
const REST_MS = 20

export class RunBuffer {
  #bytes = new Uint8Array(8 * PAYLOAD_BYTES)
  #length = 0
  #fromMs = 0
  #toMs = 0
  /** When its oldest byte was added. */
  #sinceMs = 0

  get isEmpty(): boolean {
    return this.#length === 0
  }

  add(bytes: Uint8Array, from: number, to: number, dueMs: number, nowMs: number): void {
    const length = this.#length + to - from
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#bytes.length))
      larger.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = larger
    }
    if (this.#length === 0) {
      this.#fromMs = dueMs
      this.#sinceMs = nowMs
    }
    this.#bytes.set(bytes.subarray(from, to), this.#length)
    this.#length = length
    this.#toMs = Math.max(this.#fromMs, dueMs)
  }

  /**
   * Hands on whole payloads, and with `isAll`, or if it has waited for long enough, also the last one. The bytes are
   * valid during the call.
   */
  take(nowMs: number, isAll: boolean, run: (bytes: Uint8Array, fromMs: number, toMs: number) => void): void {
    const whole = this.#length - (this.#length % PAYLOAD_BYTES)
    const taken = isAll || (whole === 0 && nowMs - this.#sinceMs >= REST_MS) ? this.#length : whole
    if (taken === 0) return
    run(this.#bytes.subarray(0, taken), this.#fromMs, this.#toMs)
    this.#bytes.copyWithin(0, taken, this.#length)
    this.#length -= taken
    this.#fromMs = this.#toMs
    this.#sinceMs = nowMs
  }
}
