// At most one log line per period; the next one states how many were left out. Plugins and clients can cause the same line
// at any rate.
import type { Clock } from '../plugin/tokens.js'

export class LogLimit {
  readonly #clock: Pick<Clock, 'nowMs'>
  readonly #everyMs: number
  #nextMs = -Infinity
  #leftOut = 0

  constructor(clock: Pick<Clock, 'nowMs'>, everyMs = 1000) {
    this.#clock = clock
    this.#everyMs = everyMs
  }

  /** Calls `write` with what to add to the line, unless the period of the last line lasts. */
  log(write: (leftOut: { readonly leftOut?: number }) => void): void {
    const nowMs = this.#clock.nowMs()
    if (nowMs < this.#nextMs) {
      this.#leftOut++
      return
    }
    this.#nextMs = nowMs + this.#everyMs
    const leftOut = this.#leftOut
    this.#leftOut = 0
    write(leftOut === 0 ? {} : { leftOut })
  }
}
