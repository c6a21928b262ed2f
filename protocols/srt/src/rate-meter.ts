// Packets and bytes per second, over the last whole second.

const WINDOW_US = 1_000_000

export class RateMeter {
  #startUs: number
  #packets = 0
  #bytes = 0
  packetsPerSecond = 0
  bytesPerSecond = 0

  constructor(nowUs: number) {
    this.#startUs = nowUs
  }

  add(bytes: number, nowUs: number): void {
    this.roll(nowUs)
    this.#packets++
    this.#bytes += bytes
  }

  /** Ends the current second if it is over. To be called before the rates are read. */
  roll(nowUs: number): void {
    const elapsedUs = nowUs - this.#startUs
    if (elapsedUs < WINDOW_US) return
    this.packetsPerSecond = Math.round((this.#packets * WINDOW_US) / elapsedUs)
    this.bytesPerSecond = Math.round((this.#bytes * WINDOW_US) / elapsedUs)
    this.#startUs = nowUs
    this.#packets = 0
    this.#bytes = 0
  }
}
