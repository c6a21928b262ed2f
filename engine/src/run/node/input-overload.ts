// Whether an input sends more than is processed in time. Looked at once a second.
import type { Clock } from '../../plugin/tokens.js'

/** Bytes that have been waiting without a break for this long. */
const LATE_MS = 2000
/** It counts as over when there was none for this long: it does not come and go all the time. */
const CALM_MS = 5000

/** What waits of an input. */
export interface Waiting {
  readonly lostBytes: number
  readonly waitingSinceMs: number
  /** Its own rate limit makes it wait. */
  readonly isOverRate: boolean
}

export class InputOverload {
  readonly #waiting: Waiting
  readonly #clock: Clock
  readonly #onChange: (why: string | undefined) => void
  #lostBytes = 0
  #lateMs = -Infinity
  #why: string | undefined

  /** `onChange`: called with the reason when it is overloaded, and with undefined when it no longer is. */
  constructor(waiting: Waiting, clock: Clock, onChange: (why: string | undefined) => void) {
    this.#waiting = waiting
    this.#clock = clock
    this.#onChange = onChange
  }

  /** Called once a second. */
  sweep(): void {
    const { lostBytes, waitingSinceMs, isOverRate } = this.#waiting
    const nowMs = this.#clock.nowMs()
    const isLate = nowMs - waitingSinceMs >= LATE_MS || lostBytes > this.#lostBytes
    this.#lostBytes = lostBytes
    if (isLate) {
      this.#lateMs = nowMs
      this.#change(isOverRate ? 'sends more than maxRate' : 'takes more time than it may')
    } else if (nowMs - this.#lateMs >= CALM_MS) this.#change(undefined)
  }

  #change(why: string | undefined): void {
    if (why === this.#why) return
    this.#why = why
    this.#onChange(why)
  }
}
