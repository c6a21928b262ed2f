// Whether a hook that keeps failing is asked: after five failures in a row only once in a while, until it answers.

const MOST_FAILURES = 5
/** Doubled after each failed attempt, up to the second one. */
const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 30_000

export class CircuitBreaker {
  #failures = 0
  #attemptAtMs = 0
  #isAttempting = false

  get isOpen(): boolean {
    return this.#failures >= MOST_FAILURES
  }

  /** True if the hook may be asked now. While it is open, that is one attempt, until `succeed` or `fail`. */
  mayAsk(nowMs: number): boolean {
    if (!this.isOpen) return true
    if (this.#isAttempting || nowMs < this.#attemptAtMs) return false
    this.#isAttempting = true
    return true
  }

  succeed(): void {
    this.#failures = 0
    this.#isAttempting = false
  }

  fail(nowMs: number): void {
    // Requests that were sent before it opened say nothing new.
    const isNews = !this.isOpen || this.#isAttempting
    this.#isAttempting = false
    if (!isNews) return
    this.#failures++
    const pauseMs = FIRST_PAUSE_MS * 2 ** Math.max(0, this.#failures - MOST_FAILURES)
    this.#attemptAtMs = nowMs + Math.min(pauseMs, LONGEST_PAUSE_MS)
  }
}
