// A rate from a counter: the newest value, and one value for each second of the last minute, in a ring.

const SECONDS = 60

export class RateHistory {
  readonly #ring = new Float64Array(SECONDS)
  #length = 0
  #next = 0
  #counter: number | undefined
  #atMs = 0
  /** Bits per second, between the last two samples. */
  latest = 0

  /** `counter`: bytes, ever growing; a smaller one belongs to a new process. `atMs`: always of the same clock. */
  push(counter: number, atMs: number): void {
    const elapsedMs = atMs - this.#atMs
    const before = this.#counter
    // A clock that was put back begins anew.
    if (before !== undefined && elapsedMs < 500 && elapsedMs >= 0) return
    this.#counter = counter
    this.#atMs = atMs
    if (before === undefined || counter < before || elapsedMs < 0) return
    this.latest = ((counter - before) * 8000) / elapsedMs
    // The mean stands for each second that it is of, so that old values leave in time.
    for (let left = Math.min(SECONDS, Math.max(1, Math.round(elapsedMs / 1000))); left > 0; left--)
      this.#add(this.latest)
  }

  #add(rate: number): void {
    this.#ring[this.#next] = rate
    this.#next = (this.#next + 1) % SECONDS
    this.#length = Math.min(SECONDS, this.#length + 1)
  }

  /** Oldest first. */
  samples(): number[] {
    const start = this.#next - this.#length + SECONDS
    return Array.from({ length: this.#length }, (_, at) => this.#ring[(start + at) % SECONDS] ?? 0)
  }
}
