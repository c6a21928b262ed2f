// How many lines of one kind the log takes: some a second, and more at once after a quiet time. Clients and publishers
// choose how often they come and go.
import type { Clock } from '../plugin/tokens.js'

export class LineBudget {
  readonly #clock: Pick<Clock, 'nowMs'>
  readonly #perSecond: number
  readonly #most: number
  #left: number
  #atMs: number

  /** `most`: can be saved up. */
  constructor(clock: Pick<Clock, 'nowMs'>, perSecond: number, most: number) {
    this.#clock = clock
    this.#perSecond = perSecond
    this.#most = this.#left = most
    this.#atMs = clock.nowMs()
  }

  /** Whether a line may be written now; then it has been. */
  take(): boolean {
    const nowMs = this.#clock.nowMs()
    this.#left = Math.min(this.#most, this.#left + ((nowMs - this.#atMs) / 1000) * this.#perSecond)
    this.#atMs = nowMs
    if (this.#left < 1) return false
    this.#left--
    return true
  }
}
