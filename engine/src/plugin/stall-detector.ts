// Detects that an upstream has stalled: no byte within the read timeout, or a trickle of less than one packet in
// twice that time. It has no timers: the caller checks periodically.

const PACKET_BYTES = 188

export class StallDetector {
  readonly #readTimeoutMs: () => number
  #lastByteMs: number
  /** When the last full packet's worth of bytes was complete, and the number of bytes since. */
  #lastPacketMs: number
  #bytes = 0
  #checkedMs: number
  /** Nobody reads what arrives: that is no silence of the upstream. */
  isPaused = false

  /** `readTimeoutMs` is read at each `check`, because it can change in between. */
  constructor(readTimeoutMs: () => number, nowMs: number) {
    this.#readTimeoutMs = readTimeoutMs
    this.#lastByteMs = nowMs
    this.#lastPacketMs = nowMs
    this.#checkedMs = nowMs
  }

  /** Notes bytes that have arrived. */
  note(bytes: number, nowMs: number): void {
    this.#lastByteMs = nowMs
    this.#bytes += bytes
    if (this.#bytes < PACKET_BYTES) return
    this.#bytes = 0
    this.#lastPacketMs = nowMs
  }

  /**
   * Returns what is wrong, or undefined. The caller checks every `periodMs`. If a check is late, the process was
   * blocked and could not read: that time does not count as silence of the upstream.
   */
  check(nowMs: number, periodMs: number): string | undefined {
    const lateMs = nowMs - this.#checkedMs - periodMs
    this.#checkedMs = nowMs
    if (lateMs > periodMs) {
      this.#lastByteMs = Math.min(nowMs, this.#lastByteMs + lateMs)
      this.#lastPacketMs = Math.min(nowMs, this.#lastPacketMs + lateMs)
    }
    if (this.isPaused) {
      this.#lastByteMs = nowMs
      this.#lastPacketMs = nowMs
    }
    const timeoutMs = this.#readTimeoutMs()
    if (nowMs - this.#lastByteMs >= timeoutMs) return `no byte for ${timeoutMs / 1000} s`
    if (nowMs - this.#lastPacketMs < 2 * timeoutMs) return undefined
    return `only ${this.#bytes} bytes in ${(2 * timeoutMs) / 1000} s`
  }
}
