// How long to wait before a process is started again: at once after one that has worked, and longer each time for one that
// does not even begin to.

/** After this much work, what failed before no longer counts. */
const HEALTHY_MS = 5000
const FIRST_MS = 250
const MOST_MS = 30_000
/** A process that has worked and fails again at once, over and over: at most so many starts without delay, each ... */
const FREE_STARTS = 5
const FREE_PERIOD_MS = 10_000

export class RestartDelay {
  #failures = 0
  readonly #free: number[] = []

  /** `workedMs`: from the first output to the end; 0 if there was none. */
  next(workedMs: number, nowMs: number): number {
    if (workedMs >= HEALTHY_MS) this.#failures = 0
    if (workedMs > 0 && this.#takeFree(nowMs)) {
      this.#failures = 0
      return 0
    }
    return Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(this.#failures++, 10))
  }

  #takeFree(nowMs: number): boolean {
    while (this.#free.length > 0 && nowMs - this.#free[0]! > FREE_PERIOD_MS) this.#free.shift()
    if (this.#free.length >= FREE_STARTS) return false
    this.#free.push(nowMs)
    return true
  }
}
