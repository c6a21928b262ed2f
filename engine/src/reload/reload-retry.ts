// Tries a reload again that has failed only because something did not answer: a source that is not up yet, a name that
// does not resolve. A newer request takes its place.
import type { Clock } from '../plugin/tokens.js'

const FIRST_MS = 5000
const LONGEST_MS = 60_000

export class ReloadRetry {
  readonly #clock: Pick<Clock, 'nowMs' | 'after'>
  readonly #again: (isForced: boolean) => void
  #delayMs = FIRST_MS
  #timer: Disposable | undefined
  /** Monotonic; undefined if nothing is tried again. */
  atMs: number | undefined

  constructor(clock: Pick<Clock, 'nowMs' | 'after'>, again: (isForced: boolean) => void) {
    this.#clock = clock
    this.#again = again
  }

  /** After each failure twice the time, up to a minute. `isForced`: as what has failed. Returns the time until then. */
  schedule(isForced = false): number {
    const delayMs = this.#delayMs
    this.#delayMs = Math.min(2 * delayMs, LONGEST_MS)
    this.#after(delayMs, isForced)
    return delayMs
  }

  /** It was due while something else was in progress. */
  postpone(isForced: boolean): void {
    this.#after(FIRST_MS, isForced)
  }

  /** Somebody has asked, or it has worked. */
  cancel(): void {
    this.#clear()
    this.#delayMs = FIRST_MS
  }

  #after(delayMs: number, isForced: boolean): void {
    this.#clear()
    this.atMs = this.#clock.nowMs() + delayMs
    this.#timer = this.#clock.after(delayMs, () => {
      this.#clear()
      this.#again(isForced)
    })
  }

  #clear(): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = undefined
    this.atMs = undefined
  }
}
