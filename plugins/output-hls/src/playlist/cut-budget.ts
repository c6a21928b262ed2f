// How many cuts a stream can cause. What is over it waits, so that a stream of which each packet begins another segment
// costs no more than a sensible one.

/** At once: a stream that was held up, or a file. */
const MOST = 500
/** More than a hundred times real time, with segments of two seconds. */
const PER_SECOND = 100

export class CutBudget {
  #left = MOST
  #atMs = -Infinity

  isLeft(nowMs: number): boolean {
    const earned = ((nowMs - this.#atMs) * PER_SECOND) / 1000
    this.#left = Math.min(MOST, this.#left + earned)
    this.#atMs = nowMs
    return this.#left >= 1
  }

  take(): void {
    this.#left--
  }
}
