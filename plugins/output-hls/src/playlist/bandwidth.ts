// BANDWIDTH and AVERAGE-BANDWIDTH of a rendition as measured (RFC 8216, 4.3.4.2), and steady: what is declared changes only
// when it is wrong by more than a twentieth, so that the multivariant playlist stays the same.
import type { Entry } from './segment-list.js'

/** Length and size of a segment. */
export interface Measured {
  readonly ticks: number
  readonly bytes: number
}

/** Newest entries that are measured, so that a long list costs no more at each segment: ten minutes of usual ones. */
const MOST_MEASURED = 300
const TICKS_PER_SECOND = 90_000
/** A peak is taken over at least half a target duration. */
const SHORTEST_SHARE = 0.5
const TOLERANCE = 0.05

export class Bandwidth {
  /** Bits per second; 0 before the first segment. */
  peak = 0
  average = 0

  /** `segments`: those in the playlist, in order. */
  measure(segments: readonly Measured[], targetTicks: number): void {
    if (segments.length === 0) return
    const average = rateOf(segments)
    this.average = steady(this.average, average)
    this.peak = Math.max(steady(this.peak, peakOf(segments, targetTicks) ?? average), this.average)
  }
}

/** The newest segments of a list. `bytesOf`: undefined for an entry without media. */
export function measureNewest(
  entries: readonly Entry[],
  bytesOf: (entry: Entry) => number | undefined,
): readonly Measured[] {
  return entries.slice(-MOST_MEASURED).flatMap((entry) => {
    const bytes = bytesOf(entry)
    return bytes === undefined ? [] : [{ ticks: entry.ticks, bytes }]
  })
}

/** The highest rate over segments in a row that last between a half and one and a half target durations. */
function peakOf(segments: readonly Measured[], targetTicks: number): number | undefined {
  let peak: number | undefined
  for (let from = 0; from < segments.length; from++) {
    let ticks = 0
    let bytes = 0
    for (let at = from; at < segments.length; at++) {
      ticks += segments[at]!.ticks
      bytes += segments[at]!.bytes
      if (ticks > targetTicks * (1 + SHORTEST_SHARE) && at > from) break
      if (ticks >= targetTicks * SHORTEST_SHARE) peak = Math.max(peak ?? 0, rateOf([{ ticks, bytes }]))
    }
  }
  return peak
}

function rateOf(segments: readonly Measured[]): number {
  const ticks = segments.reduce((sum, each) => sum + each.ticks, 0)
  const bytes = segments.reduce((sum, each) => sum + each.bytes, 0)
  return ticks <= 0 ? 0 : Math.ceil((bytes * 8 * TICKS_PER_SECOND) / ticks)
}

function steady(declared: number, measured: number): number {
  return Math.abs(measured - declared) <= declared * TOLERANCE ? declared : measured
}
