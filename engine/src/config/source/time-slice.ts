// The engine loads configuration while it sends to viewers: code that works through a file yields to the event loop
// when its time slice is used up.
import { setImmediate } from 'node:timers/promises'

/** Milliseconds at a stretch; a single step may take longer. */
const LONGEST_STRETCH_MS = 4

export class TimeSlice {
  #startedMs = performance.now()

  /** Whether the slice is used up. */
  get isUsed(): boolean {
    return performance.now() - this.#startedMs > LONGEST_STRETCH_MS
  }

  /** Yields to the event loop if the slice is used up. */
  async yieldIfUsed(): Promise<void> {
    if (this.isUsed) await this.yieldNow()
  }

  /** Yields to the event loop in any case: what follows takes long. */
  async yieldNow(): Promise<void> {
    await setImmediate()
    this.#startedMs = performance.now()
  }
}
