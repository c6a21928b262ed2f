// All rules that can be checked in one text.
import { checkDateRanges } from './check-date-ranges.js'
import { checkKeys } from './check-keys.js'
import { checkLowLatency } from './check-low-latency.js'
import { checkMultivariant } from './check-multivariant.js'
import { checkVersion } from './check-version.js'
import type { Finding } from './finding.js'
import { lengthSeconds, numberOf } from './playlist.js'
import type { MediaPlaylist, Playlist, Segment } from './playlist.js'
import { listDates } from './program-dates.js'

/** Seconds by which program dates may differ from durations: clocks drift, and dates are written in milliseconds. */
const DATE_TOLERANCE_SECONDS = 1

/** In the order of the text within each part of the rules. */
export function checkPlaylist(playlist: Playlist): readonly Finding[] {
  const common = [...playlist.faults, ...checkVersion(playlist)]
  if (playlist.kind === 'multivariant') return [...common, ...checkMultivariant(playlist)]
  return [
    ...common,
    ...checkSegments(playlist),
    ...checkKeys(playlist),
    ...checkDates(playlist),
    ...checkDateRanges(playlist),
    ...checkStart(playlist),
    ...checkLowLatency(playlist),
  ]
}

function checkSegments({ segments, targetSeconds, partTargetSeconds, skipped }: MediaPlaylist): readonly Finding[] {
  const findings: Finding[] = []
  if (targetSeconds === undefined) findings.push({ rule: 'target-missing', seen: 'no EXT-X-TARGETDURATION' })
  if (segments.length + skipped === 0) findings.push({ rule: 'no-segments', seen: 'no segment' })
  const [first] = segments
  if (first?.isGap === true && partTargetSeconds === undefined) {
    findings.push({ rule: 'first-is-gap', seen: first.uri, line: first.line })
  }
  let rangeOf: string | undefined
  for (const { uri, seconds = 0, line, byteRange } of segments) {
    if (targetSeconds !== undefined && Math.round(seconds) > targetSeconds) {
      findings.push({ rule: 'segment-too-long', seen: `${seconds} s at a target of ${targetSeconds} s`, line })
    }
    if (byteRange !== undefined && byteRange.offset === undefined && rangeOf !== uri) {
      findings.push({ rule: 'byterange-offset', seen: `${byteRange.length} without an offset`, line })
    }
    rangeOf = byteRange === undefined ? undefined : uri
  }
  return findings
}

function checkDates(playlist: MediaPlaylist): readonly Finding[] {
  const { segments, hasEnded, type } = playlist
  const hasDates = segments.some(({ dateMs }) => dateMs !== undefined)
  if (!hasDates) {
    const isLive = !hasEnded && type !== 'VOD' && segments.length > 0
    return isLive ? [{ rule: 'date-missing', seen: 'no EXT-X-PROGRAM-DATE-TIME' }] : []
  }
  const dates = listDates(segments)
  return segments.flatMap((segment, index) => checkDate(segment, dates[index - 1]?.endMs))
}

/** `expectedMs`: when the segment before it ends; undefined if that is not known. */
function checkDate({ dateMs, isDiscontinuous, line }: Segment, expectedMs: number | undefined): readonly Finding[] {
  if (dateMs === undefined) {
    return isDiscontinuous ? [{ rule: 'date-after-discontinuity', seen: 'a DISCONTINUITY without a date', line }] : []
  }
  if (expectedMs === undefined) return []
  const ahead = (dateMs - expectedMs) / 1000
  const seen = `${Math.abs(ahead).toFixed(3)} s ${ahead < 0 ? 'before' : 'after'} the end of the segment before`
  if (ahead <= -DATE_TOLERANCE_SECONDS) return [{ rule: 'date-overlap', seen, line }]
  return ahead >= DATE_TOLERANCE_SECONDS && !isDiscontinuous ? [{ rule: 'date-hole', seen, line }] : []
}

function checkStart({ tags, segments, skipped }: MediaPlaylist): readonly Finding[] {
  const start = tags.find(({ name }) => name === 'EXT-X-START')
  const offset = start === undefined ? undefined : numberOf(start, 'TIME-OFFSET')
  const length = lengthSeconds(segments)
  if (start === undefined || offset === undefined || skipped > 0 || Math.abs(offset) <= length) return []
  return [{ rule: 'start-outside', seen: `${offset} s in a playlist of ${length.toFixed(1)} s`, line: start.line }]
}
