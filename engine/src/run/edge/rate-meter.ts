// The bit rate over the last seconds, from a byte counter that is read once a second.

/** Seconds that the rate is averaged over. */
const SAMPLES = 5

export class RateMeter {
  readonly #totals: number[] = [0]

  /** `totalBytes`: all bytes so far. Called once a second. */
  sample(totalBytes: number): void {
    this.#totals.push(totalBytes)
    if (this.#totals.length > SAMPLES + 1) this.#totals.shift()
  }

  get bitsPerSecond(): number {
    const [oldest = 0] = this.#totals
    return Math.round(((this.#totals.at(-1)! - oldest) * 8) / Math.max(1, this.#totals.length - 1))
  }
}
