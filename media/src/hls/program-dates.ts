// When each segment begins and ends by the program dates of its playlist.
import type { Segment } from './playlist.js'

export interface SegmentDates {
  readonly startMs: number
  readonly endMs: number
}

/** For each segment; undefined before the first date, and from a DISCONTINUITY without a date up to the next one. */
export function listDates(segments: readonly Segment[]): readonly (SegmentDates | undefined)[] {
  let nextMs: number | undefined
  return segments.map(({ dateMs, isDiscontinuous, seconds = 0 }) => {
    const startMs = dateMs ?? (isDiscontinuous ? undefined : nextMs)
    nextMs = startMs === undefined ? undefined : startMs + seconds * 1000
    return startMs === undefined ? undefined : { startMs, endMs: startMs + seconds * 1000 }
  })
}
