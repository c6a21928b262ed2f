// EXT-X-PROGRAM-DATE-TIME: the wall clock at which the first picture of a segment came. Between discontinuities it follows
// the clock of the stream, so that dates and durations agree, and is drawn to the wall clock slowly: no source's clock
// is exact.

const TICKS_PER_MS = 90
/** For each segment: more than any clock of a source is wrong (500 ppm of two seconds), less than a frame. */
const LARGEST_STEP_MS = 1

export interface DatedSegment {
  readonly ticks: number
  readonly isNew: boolean
  /** When it came; undefined for a gap. */
  readonly wallMs: number | undefined
  /** Its date, if that is not to be drawn to the wall clock. */
  readonly exactMs?: number | undefined
}

export class ProgramDates {
  #nextMs: number | undefined

  /** Unix time at which the next segment begins, by the clock of the stream; undefined before the first. */
  get nextMs(): number | undefined {
    return this.#nextMs
  }

  /** The last segment ended then. */
  goOnFrom(dateMs: number): void {
    this.#nextMs = dateMs
  }

  /** The date of the next segment. Dates never go back. */
  next({ ticks, isNew, wallMs, exactMs }: DatedSegment): number {
    const dateMs = exactMs ?? dateOf(this.#nextMs, isNew, wallMs)
    this.#nextMs = dateMs + ticks / TICKS_PER_MS
    return dateMs
  }
}

function dateOf(expected: number | undefined, isNew: boolean, wallMs: number | undefined): number {
  if (expected === undefined) return wallMs ?? 0
  return isNew ? Math.max(wallMs ?? 0, expected) : drawn(expected, wallMs)
}

function drawn(expected: number, wallMs: number | undefined): number {
  const off = wallMs === undefined ? 0 : wallMs - expected
  return expected + Math.max(-LARGEST_STEP_MS, Math.min(LARGEST_STEP_MS, off))
}
