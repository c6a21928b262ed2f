// The target duration of a life, and the lengths that segments may have because of it.
import type { CutRules } from '../playlist/planned-segment.js'
import { MAX_TARGET_SECONDS, type Life } from '../playlist/life.js'
import type { StartNumbers } from '../playlist/start-numbers.js'
import type { PresentationSettings } from './presentation-host.js'

const TICKS_PER_SECOND = 90_000
const TICKS_PER_MS = 90
/** EXTINF is rounded before it is compared with the target duration: RFC 8216, 4.3.3.1. */
const ROUNDING_SECONDS = 0.49
/** Before its target duration is known, a segment may be this long. */
const LONGEST_FIRST_SEGMENT = 30
/** In segments, or GOPs if those are longer. */
const PATIENCE = 2
/** Room for segments that are longer than wanted. */
const SHARE_OF_SEGMENT = 1.5

/** Seconds. `ticks`: of the first segment. `wanted`: set, or that of the last process. */
export function chooseTarget(
  wanted: number | undefined,
  { ticks, longestGopSeconds }: { ticks: number; longestGopSeconds: number },
  settings: PresentationSettings,
): number {
  // Other origins have seen other GOPs.
  if (settings.slicing === 'aligned') return Math.min(wanted ?? usualTarget(settings), MAX_TARGET_SECONDS)
  const longest = Math.max(ticks / TICKS_PER_SECOND, Math.min(longestGopSeconds, LONGEST_FIRST_SEGMENT))
  const chosen = Math.max(usualTarget(settings), Math.ceil(longest - 0.05), 1)
  return Math.min(wanted ?? chosen, MAX_TARGET_SECONDS)
}

/** The target duration that was set, or that the last process had with the same options. */
export function wantedTarget(
  { targetDuration, segmentMs }: PresentationSettings,
  numbers: StartNumbers,
): number | undefined {
  return targetDuration ?? numbers.targetFor(segmentMs)
}

/** `life`: undefined before the first segment. */
export function cutRules(
  settings: PresentationSettings,
  numbers: StartNumbers,
  { life, longestGopSeconds }: { readonly life: Life | undefined; readonly longestGopSeconds: number },
): CutRules {
  const { segmentMs, longestHoleMs, slicing } = settings
  const known = life?.targetSeconds ?? wantedTarget(settings, numbers)
  const longest = known ?? (slicing === 'aligned' ? usualTarget(settings) : LONGEST_FIRST_SEGMENT)
  const limit = Math.floor(longest * TICKS_PER_SECOND + ROUNDING_SECONDS * TICKS_PER_SECOND)
  return {
    segment: Math.min(segmentMs * TICKS_PER_MS, limit),
    limit,
    // Key frames that are never at the same times must not hold up the first playlist.
    patience:
      known === undefined ? PATIENCE * Math.max(segmentMs * TICKS_PER_MS, longestGopSeconds * TICKS_PER_SECOND) : limit,
    target: (known ?? usualTarget(settings)) * TICKS_PER_SECOND,
    longestHole: longestHoleMs * TICKS_PER_MS,
  }
}

/** A slot's first key frame may be at its end, and that of the slot before at its beginning. */
export function usualTarget({ segmentMs, slicing }: Pick<PresentationSettings, 'segmentMs' | 'slicing'>): number {
  return Math.ceil((segmentMs * (slicing === 'aligned' ? 2 : SHARE_OF_SEGMENT)) / 1000)
}
