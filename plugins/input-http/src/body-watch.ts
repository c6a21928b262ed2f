// Does a body still come? No byte for the read timeout is silence; so is a trickle that has not brought one packet in
// twice that time. No timers: somebody asks now and then.

const PACKET_BYTES = 188

export class BodyWatch {
  readonly #readTimeoutMs: () => number
  #lastByteMs: number
  /** When the last whole packet's worth of bytes was complete, and how many came since. */
  #lastPacketMs: number
  #bytes = 0
  #askedMs: number

  /** `readTimeoutMs` is read at each `check`: it may change meanwhile. */
  constructor(readTimeoutMs: () => number, nowMs: number) {
    this.#readTimeoutMs = readTimeoutMs
    this.#lastByteMs = nowMs
    this.#lastPacketMs = nowMs
    this.#askedMs = nowMs
  }

  took(bytes: number, nowMs: number): void {
    this.#lastByteMs = nowMs
    this.#bytes += bytes
    if (this.#bytes < PACKET_BYTES) return
    this.#bytes = 0
    this.#lastPacketMs = nowMs
  }

  /**
   * What is wrong, or undefined. To be asked every `periodMs`: time by which it was asked later is time in which the
   * process could not read, and not the upstream's silence.
   */
  check(nowMs: number, periodMs: number): string | undefined {
    const lateMs = nowMs - this.#askedMs - periodMs
    this.#askedMs = nowMs
    if (lateMs > periodMs) {
      this.#lastByteMs = Math.min(nowMs, this.#lastByteMs + lateMs)
      this.#lastPacketMs = Math.min(nowMs, this.#lastPacketMs + lateMs)
    }
    const timeoutMs = this.#readTimeoutMs()
    if (nowMs - this.#lastByteMs >= timeoutMs) return `no byte for ${timeoutMs / 1000} s`
    if (nowMs - this.#lastPacketMs < 2 * timeoutMs) return undefined
    return `only ${this.#bytes} bytes in ${(2 * timeoutMs) / 1000} s`
  }
}
