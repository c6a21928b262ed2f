// A rate from a counter: the newest value, and one value for each second of the last minute, in a ring.

const SECONDS = 60
/** Bits per second: less is no stream. */
const LEAST_RATE = 1000

export class RateHistory {
  readonly #ring = new Float64Array(SECONDS)
  #length = 0
  #next = 0
  #counter: number | undefined
  #atMs = 0
  /** Seconds since something came. */
  #idleSeconds = 0
  /** Bits per second, between the last two samples. */
  latest = 0
  /** The last rate of the last minute at which something came; undefined if nothing has. */
  lastFlowing: number | undefined

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
    this.#idleSeconds = rate < LEAST_RATE ? this.#idleSeconds + 1 : 0
    if (this.#idleSeconds === 0) this.lastFlowing = rate
    else if (this.#idleSeconds >= SECONDS) this.lastFlowing = undefined
    this.#next = (this.#next + 1) % SECONDS
    this.#length = Math.min(SECONDS, this.#length + 1)
  }

  /** Oldest first. */
  samples(): number[] {
    const start = this.#next - this.#length + SECONDS
    return Array.from({ length: this.#length }, (_, at) => this.#ring[(start + at) % SECONDS] ?? 0)
  }
}
