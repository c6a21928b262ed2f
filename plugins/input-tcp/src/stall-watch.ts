// Watches whether bytes keep coming.
import { StallDetector } from '@millrace/engine/plugin'
import type { Clock } from '@millrace/engine/plugin'

const MAX_CHECK_PERIOD_MS = 250
const MIN_CHECK_PERIOD_MS = 10

export class StallWatch implements Disposable {
  readonly #clock: Clock
  readonly #stalls: StallDetector
  readonly #timer: Disposable

  /** `onStall`: called with what is wrong, again at each check. */
  constructor(clock: Clock, readTimeoutMs: () => number, onStall: (fault: string) => void) {
    this.#clock = clock
    this.#stalls = new StallDetector(readTimeoutMs, clock.nowMs())
    const periodMs = Math.max(MIN_CHECK_PERIOD_MS, Math.min(MAX_CHECK_PERIOD_MS, readTimeoutMs() / 4))
    this.#timer = clock.every(periodMs, () => {
      const fault = this.#stalls.check(clock.nowMs(), periodMs)
      if (fault !== undefined) onStall(fault)
    })
  }

  /** Nobody reads: that is no silence of the sender. */
  set isPaused(isPaused: boolean) {
    this.#stalls.isPaused = isPaused
  }

  /** Bytes have arrived. */
  note(bytes: number): void {
    this.#stalls.note(bytes, this.#clock.nowMs())
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]()
  }
}
