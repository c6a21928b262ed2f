// Times that do not follow those before them. One or two, and then the clock goes on as before: they are damaged. Three in
// a row are another clock. Until that is known, the units wait.
import { difference33 } from '@millrace/media/mpegts'
import type { Unit } from './unit.js'

/** So many in a row are believed. */
const BELIEVED = 3
/** B pictures go back by less: 1 s. */
const MOST_BACK = 90_000
/** More than the time that has passed: 10 s. */
const MOST_FORWARD = 900_000
const TICKS_PER_MS = 90
const NOTHING: readonly Unit[] = []

export interface Settled {
  /** Their times are not to be used. */
  readonly damaged: readonly Unit[]
  /** More than one: the first of them is where another clock begins. */
  readonly believed: readonly Unit[]
}

const WAITING: Settled = { damaged: NOTHING, believed: NOTHING }

export class DoubtedTimes {
  readonly #units: Unit[] = []

  /** `latest90k`: the newest time so far, from `elapsedMs` before; undefined where any time can follow. */
  push(unit: Unit, latest90k: number | undefined, elapsedMs: number): Settled {
    const step = latest90k === undefined ? 0 : difference33(unit.pts90k, latest90k)
    const follows = step >= -MOST_BACK && step <= MOST_FORWARD + Math.max(0, elapsedMs) * TICKS_PER_MS
    if (follows) return { damaged: this.#units.splice(0), believed: [unit] }
    this.#units.push(unit)
    return this.#units.length < BELIEVED ? WAITING : { damaged: NOTHING, believed: this.#units.splice(0) }
  }

  clear(): void {
    this.#units.length = 0
  }
}
