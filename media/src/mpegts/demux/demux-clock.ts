// One clock for all tracks of a program: times of 33 bits become numbers that go on across the wrap. Tracks share it, so
// that one whose first time lies behind the wrap is not 26 hours early.
import { difference33 } from '../timestamps.js'

export class DemuxClock {
  #last90k = Number.NaN

  /** The first value is returned unchanged. */
  unwrap(value: number): number {
    const isFirst = Number.isNaN(this.#last90k)
    this.#last90k = isFirst ? value : this.#last90k + difference33(value, this.#last90k)
    return this.#last90k
  }
}
