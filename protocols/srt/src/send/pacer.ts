// How fast packets leave: a token bucket at the rate of the input plus room for retransmissions, faster while there is a
// backlog, and never above `maxBytesPerSecond`. Bursts would overrun the receiver's socket buffer.

const OVERHEAD = 1.25
/** A backlog is to be sent within this time ... */
const BACKLOG_US = 10_000
/** ... but not at more than so many times the input's rate, or this rate if that is higher (32 Mbit/s). */
const BACKLOG_FACTOR = 4
const BACKLOG_BYTES_PER_SECOND = 4_000_000
/** Tokens for this time are kept while nothing is sent, and for some packets. */
const BURST_US = 2_000
const BURST_BYTES = 12_000
/** Tokens for this time at most while packets wait. */
const LATE_US = 50_000
/** The input's rate is measured over this time; a shorter time counts as `LEAST_WINDOW_US`. */
const WINDOW_US = 500_000
const LEAST_WINDOW_US = 50_000
/** A timer is not set for less. */
const LEAST_WAIT_US = 1_000

export class Pacer {
  /** Whether packets wait for tokens. */
  isHolding = false
  readonly #max: number
  #tokens = BURST_BYTES
  #filledUs: number
  #windowUs: number
  #windowBytes = 0
  #lastRate = 0

  constructor(maxBytesPerSecond: number, nowUs: number) {
    this.#max = maxBytesPerSecond
    this.#filledUs = nowUs
    this.#windowUs = nowUs
  }

  /** Counts bytes of the input. */
  count(bytes: number, nowUs: number): void {
    this.#roll(nowUs)
    this.#windowBytes += bytes
  }

  /** Adds the tokens since the last call. Returns whether a packet may be sent. */
  fill(backlogBytes: number, nowUs: number): boolean {
    const rate = this.#rate(backlogBytes, nowUs)
    const elapsedUs = nowUs - this.#filledUs
    // Packets that wait because the timer was late have earned all of that time.
    const keptUs = this.isHolding ? Math.max(BURST_US, Math.min(elapsedUs, LATE_US)) : BURST_US
    const tokens = this.#tokens + (rate * elapsedUs) / 1e6
    this.#tokens = Math.min(tokens, Math.max(BURST_BYTES, (rate * keptUs) / 1e6))
    this.#filledUs = nowUs
    return this.#tokens > 0
  }

  get maySend(): boolean {
    return this.#tokens > 0
  }

  sent(bytes: number): void {
    this.#tokens -= bytes
  }

  /** When there will be tokens again. */
  readyUs(backlogBytes: number): number {
    const rate = this.#rate(backlogBytes, this.#filledUs)
    return this.#filledUs + Math.max(LEAST_WAIT_US, (-this.#tokens / rate) * 1e6)
  }

  #rate(backlogBytes: number, nowUs: number): number {
    const input = this.#inputRate(nowUs)
    const backlog = Math.min(
      (backlogBytes * 1e6) / BACKLOG_US,
      Math.max(input * BACKLOG_FACTOR, BACKLOG_BYTES_PER_SECOND),
    )
    return Math.min(this.#max, Math.max(input * OVERHEAD, backlog, BURST_BYTES))
  }

  #inputRate(nowUs: number): number {
    this.#roll(nowUs)
    const elapsedUs = Math.max(LEAST_WINDOW_US, nowUs - this.#windowUs)
    return Math.max(this.#lastRate, (this.#windowBytes * 1e6) / elapsedUs)
  }

  #roll(nowUs: number): void {
    const elapsedUs = nowUs - this.#windowUs
    if (elapsedUs < WINDOW_US) return
    this.#lastRate = (this.#windowBytes * 1e6) / elapsedUs
    this.#windowUs = nowUs
    this.#windowBytes = 0
  }
}
