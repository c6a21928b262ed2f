// Notices that nothing has arrived for some time.
import type { Clock } from '@millrace/engine/plugin'

const CHECK_MS = 500

export class Silence implements Disposable {
  readonly #timer: Disposable
  readonly #clock: Clock
  #lastMs: number

  /** Calls `onSilent` when nothing was noted for `timeoutMs()`, which is 0 for never; then waits as long again. */
  constructor(clock: Clock, timeoutMs: () => number, onSilent: (timeoutMs: number) => void) {
    this.#clock = clock
    this.#lastMs = clock.nowMs()
    this.#timer = clock.every(CHECK_MS, () => {
      const limitMs = timeoutMs()
      if (limitMs === 0 || clock.nowMs() - this.#lastMs < limitMs) return
      this.note()
      onSilent(limitMs)
    })
  }

  note(): void {
    this.#lastMs = this.#clock.nowMs()
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]()
  }
}
