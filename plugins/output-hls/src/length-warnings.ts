// Playlists that are longer than their options say, with options that are valid together.
import type { HlsOptions } from './options.js'
import { usualTarget } from './presentation/target-duration.js'

/** RFC 8216, 6.2.2. */
const LEAST_TARGETS = 3

export function lengthWarnings({ segment, slicing, targetDuration, window, dvr }: HlsOptions): readonly string[] {
  const targetMs = targetDuration ?? usualTarget({ segmentMs: segment, slicing }) * 1000
  const leastMs = LEAST_TARGETS * targetMs
  const isLong = window < leastMs
  return [
    ...(isLong ? [`"window" is shorter than three target durations: the playlists have ${leastMs / 1000}s`] : []),
    ...(dvr > 0 && dvr <= window ? ['"dvr" is not longer than "window": dvr.m3u8 lists nothing more'] : []),
  ]
}
