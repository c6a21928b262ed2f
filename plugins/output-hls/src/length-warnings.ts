// Playlists that are longer than their options say, with options that are valid together.
import type { HlsOptions } from './options.js'
import { usualTarget } from './presentation/target-duration.js'

/** RFC 8216, 6.2.2. */
const LEAST_TARGETS = 3
/** Video has more. */
const LEAST_BITS_PER_SECOND = 2_000_000

export function lengthWarnings(given: HlsOptions): readonly string[] {
  const { segment, slicing, targetDuration, window, dvr } = given
  const targetMs = targetDuration ?? usualTarget({ segmentMs: segment, slicing }) * 1000
  const leastMs = LEAST_TARGETS * targetMs
  const isLong = window < leastMs
  return [
    ...(isLong ? [`"window" is shorter than three target durations: the playlists have ${leastMs / 1000}s`] : []),
    ...(dvr > 0 && dvr <= window ? ['"dvr" is not longer than "window": dvr.m3u8 lists nothing more'] : []),
    ...memoryWarnings(given),
  ]
}

function memoryWarnings({ store, memory, dvr }: HlsOptions): readonly string[] {
  const bitsPerSecond = (memory * 8000) / dvr
  if (store !== 'memory' || bitsPerSecond >= LEAST_BITS_PER_SECOND) return []
  const most = `${Math.floor(bitsPerSecond / 1000)} kb/s of all renditions`
  return [`"memory" holds all of "dvr" up to ${most}: set "store: { path: ... }", or more "memory"`]
}
