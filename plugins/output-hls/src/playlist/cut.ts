// Where a segment ends.
import type { Unit } from '../segment/unit.js'

export interface Cut {
  readonly end90k: number
  /** The next segment begins with it. */
  readonly next: Unit | undefined
  /** Position of the end in the leading rendition; by default everything so far. */
  readonly to?: number
  readonly isForced: boolean
}

export function cutAt(unit: Unit): Cut {
  return { end90k: unit.pts90k, next: unit, to: unit.at, isForced: !unit.isPoint }
}
