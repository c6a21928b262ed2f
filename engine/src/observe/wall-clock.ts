// Unix time by the clock of the machine, as a difference to the monotonic clock. The clock of the machine can be set, and
// goes on while the machine is suspended: then the difference is taken again, so that dates are right from there on, also
// those of moments before. Timers and intervals follow the monotonic clock, and notice nothing.

/** The clock of the machine is compared with the difference at most this often. */
const CHECK_MS = 1000
/** A smaller change is not a step: the two clocks are read one after the other, and NTP slews both. */
const LEAST_STEP_MS = 100
/** If reading takes longer, something else ran in between, and the reading says nothing. */
const LONGEST_READING_MS = 20

export interface WallClockSettings {
  /** Monotonic. */
  readonly nowMs: () => number
  /** Unix time by the clock of the machine. */
  readonly unixMs: () => number
  /** Called once for each step, with its size; negative if the clock was set back. */
  onStep(byMs: number): void
}

export class WallClock {
  readonly #settings: WallClockSettings
  #offsetMs: number
  #checkedMs: number

  constructor(settings: WallClockSettings) {
    this.#settings = settings
    this.#offsetMs = this.#read() ?? this.#read() ?? settings.unixMs() - settings.nowMs()
    this.#checkedMs = settings.nowMs()
  }

  /** The Unix time of a monotonic one. */
  of(monotonicMs: number): number {
    this.check(this.#settings.nowMs())
    return monotonicMs + this.#offsetMs
  }

  /** Call it now and then: it costs a comparison, and once a second a look at the clock of the machine. */
  check(nowMs: number): void {
    if (nowMs - this.#checkedMs < CHECK_MS) return
    const offsetMs = this.#read()
    if (offsetMs === undefined) return
    this.#checkedMs = nowMs
    const byMs = offsetMs - this.#offsetMs
    if (Math.abs(byMs) < LEAST_STEP_MS) return
    this.#offsetMs = offsetMs
    this.#settings.onStep(byMs)
  }

  #read(): number | undefined {
    const { nowMs, unixMs } = this.#settings
    const beforeMs = nowMs()
    const atMs = unixMs()
    return nowMs() - beforeMs > LONGEST_READING_MS ? undefined : atMs - beforeMs
  }
}
