// Where a media playlist says the date of a segment: at its head, behind a discontinuity, and wherever the date is not
// that of the segment before plus its duration.
import type { Entry } from './segment-list.js'

const TICKS_PER_MS = 90
/** Dates are drawn to the wall clock by less. */
const STEP_MS = 2

export class DateTags {
  #expectedMs = -Infinity

  /** The tags of the entry, if it needs any. */
  before({ dateMs, isNew, ticks }: Pick<Entry, 'dateMs' | 'isNew' | 'ticks'>): readonly string[] {
    const isExpected = !isNew && Math.abs(dateMs - this.#expectedMs) <= STEP_MS
    this.#expectedMs = dateMs + ticks / TICKS_PER_MS
    return isExpected ? [] : [`#EXT-X-PROGRAM-DATE-TIME:${new Date(dateMs).toISOString()}`]
  }
}
