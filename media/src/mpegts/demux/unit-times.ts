// The times of access units: those of the PES packet in which a unit is the first to begin, else counted on from the unit
// before.
import type { MediaFormat } from '../../formats/media-format.js'
import { difference33 } from '../timestamps.js'
import type { DemuxClock } from './demux-clock.js'

const TICKS_PER_SECOND = 90_000
/** Until a stream says it: 25 pictures a second. */
const DEFAULT_STEP_90K = 3600
const MAX_STEP_90K = 90_000

export class UnitTimes {
  /** Of the unit that was settled last. */
  pts90k = Number.NaN
  dts90k = Number.NaN
  /** Pictures may be sent as two fields. */
  isInterlaced = false
  readonly #clock: DemuxClock
  /** The PES packet's, 33 bits, for the next unit that begins in it; -1 without any. */
  #offeredPts = -1
  #offeredDts = -1
  /** Those of the unit that is open. */
  #pts = -1
  #dts = -1
  #step90k = DEFAULT_STEP_90K
  #isStepKnown = false

  constructor(clock: DemuxClock) {
    this.#clock = clock
  }

  get isOffered(): boolean {
    return this.#offeredPts >= 0
  }

  /** A PES packet begins. */
  offer(pts90k: number, dts90k: number): void {
    this.#offeredPts = pts90k
    this.#offeredDts = dts90k
  }

  /** An access unit begins, in the PES packet whose times were offered, or before it. */
  begin(isInPes: boolean): void {
    this.#pts = isInPes ? this.#offeredPts : -1
    this.#dts = isInPes ? this.#offeredDts : -1
    if (isInPes) this.#offeredPts = -1
  }

  /** Computes the times of the open unit; false if nothing is known of them. */
  settle(): boolean {
    const lastDts90k = this.dts90k
    if (this.#pts >= 0) {
      this.dts90k = this.#clock.unwrap(this.#dts)
      this.pts90k = this.dts90k + difference33(this.#pts, this.#dts)
      const step = this.dts90k - lastDts90k
      if (!this.#isStepKnown && step > 0 && step <= MAX_STEP_90K) this.#step90k = step
      return true
    }
    if (Number.isNaN(lastDts90k)) return false
    this.dts90k += this.#step90k
    this.pts90k += this.#step90k
    return true
  }

  /** The units that follow have this format. */
  follow(format: MediaFormat | undefined): void {
    this.isInterlaced = format?.isInterlaced === true
    const rate = format?.frameRate
    this.#isStepKnown = rate !== undefined && rate >= 1 && rate <= 1000
    if (this.#isStepKnown) this.#step90k = TICKS_PER_SECOND / rate!
  }

  /** The next unit does not continue the last one. */
  forget(): void {
    this.#offeredPts = -1
    this.dts90k = Number.NaN
    this.pts90k = Number.NaN
  }
}
