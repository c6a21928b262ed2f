// Loading is called by an engine that sends to viewers: whoever works through a file asks between pieces whether it is
// time to let others run.
import { setImmediate } from 'node:timers/promises'

/** Milliseconds at a stretch; pieces in between take some more. */
const LONGEST_STRETCH_MS = 4

export class TimeSlice {
  #startedMs = performance.now()

  /** Whether this stretch has taken its time. */
  get isUsed(): boolean {
    return performance.now() - this.#startedMs > LONGEST_STRETCH_MS
  }

  /** Lets others run if it is time. */
  async rest(): Promise<void> {
    if (this.isUsed) await this.end()
  }

  /** Lets others run: what follows takes long, whatever there is. */
  async end(): Promise<void> {
    await setImmediate()
    this.#startedMs = performance.now()
  }
}
