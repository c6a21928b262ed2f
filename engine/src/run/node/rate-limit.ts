// A limit on the rate of a stream, averaged over a second: what was not used in the last second can be used at once.

export class RateLimit {
  readonly #maxBytesPerS: () => number | undefined
  #leftBytes = Infinity
  #atMs = 0

  /** By default there is no limit. */
  constructor(maxBytesPerS: () => number | undefined) {
    this.#maxBytesPerS = maxBytesPerS
  }

  /** More may be taken: as much as comes in one piece. */
  allows(nowMs: number): boolean {
    const perS = this.#maxBytesPerS()
    if (perS === undefined) {
      this.#leftBytes = Infinity
      return true
    }
    this.#leftBytes = Math.min(perS, this.#leftBytes + ((nowMs - this.#atMs) * perS) / 1000)
    this.#atMs = nowMs
    return this.#leftBytes > 0
  }

  /** Called after `allows`, for what has been taken. */
  note(bytes: number): void {
    this.#leftBytes -= bytes
  }
}
