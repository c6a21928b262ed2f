// What a media playlist may change from one version to a later one, draft-pantos-hls-rfc8216bis 6.2.1 and 6.2.2.
import { conflictOf, dateRangesOf, isListed, rangeTags } from './check-date-ranges.js'
import type { Finding } from './finding.js'
import { attributeOf, lengthSeconds } from './playlist.js'
import type { MediaPlaylist, Segment } from './playlist.js'

/** By which the duration of a listed segment may differ: it may be written with fewer digits. */
const DURATION_TOLERANCE_SECONDS = 0.001
const LIVE_TARGETS = 3

export function compareVersions(before: MediaPlaylist, after: MediaPlaylist): readonly Finding[] {
  const findings = [...compareHeads(before, after), ...compareDateRanges(before, after)]
  if (after.mediaSequence < before.mediaSequence) {
    return [...findings, { rule: 'sequence-back', seen: `${before.mediaSequence}, then ${after.mediaSequence}` }]
  }
  const removed = before.segments.filter(({ sequence }) => sequence < after.mediaSequence)
  const ofSegments = compareSegments(before, after)
  const isRenumbered = ofSegments.some(({ rule }) => rule === 'segment-renumbered')
  return [
    ...findings,
    // By wrong numbers the end seems to be gone.
    ...(isRenumbered ? [] : compareEnds(before, after)),
    ...(removed.length === 0 ? [] : checkRemoval(before, after, removed)),
    ...ofSegments,
  ]
}

function compareHeads(before: MediaPlaylist, after: MediaPlaylist): readonly Finding[] {
  const findings: Finding[] = []
  const change = (rule: Finding['rule'], was: number | string | undefined, is: number | string | undefined) => {
    if (was !== is) findings.push({ rule, seen: `${String(was ?? 'none')}, then ${String(is ?? 'none')}` })
  }
  change('target-changed', before.targetSeconds, after.targetSeconds)
  change('part-target-changed', before.partTargetSeconds, after.partTargetSeconds)
  change('server-control-changed', serverControlOf(before), serverControlOf(after))
  if (after.discontinuitySequence < before.discontinuitySequence) {
    const seen = `${before.discontinuitySequence}, then ${after.discontinuitySequence}`
    findings.push({ rule: 'discontinuity-sequence-back', seen })
  }
  return findings
}

export function serverControlOf({ tags }: MediaPlaylist): string | undefined {
  return tags.find(({ name }) => name === 'EXT-X-SERVER-CONTROL')?.value
}

function compareEnds(before: MediaPlaylist, after: MediaPlaylist): readonly Finding[] {
  const isFixed = before.hasEnded || before.type === 'VOD'
  const [was, is] = [before, after].map(({ segments }) => segments.at(-1)?.sequence ?? -1) as [number, number]
  if (before.hasEnded && !after.hasEnded) return [{ rule: 'ended-changed', seen: 'EXT-X-ENDLIST is gone' }]
  if (isFixed && is > was) return [{ rule: 'ended-changed', seen: `${is - was} more segments` }]
  if (is < was && is >= 0) return [{ rule: 'segment-withdrawn', seen: `the last was ${was}, is ${is}` }]
  return []
}

function checkRemoval(before: MediaPlaylist, after: MediaPlaylist, removed: readonly Segment[]): readonly Finding[] {
  const findings: Finding[] = []
  const type = before.type ?? after.type
  if (type !== undefined && !before.hasEnded) {
    findings.push({ rule: 'event-removed', seen: `${removed.length} removed from a playlist of type ${type}` })
  }
  const length = lengthSeconds(after.segments)
  const target = after.targetSeconds ?? 0
  if (!after.hasEnded && length < LIVE_TARGETS * target - DURATION_TOLERANCE_SECONDS) {
    findings.push({ rule: 'live-too-short', seen: `${length.toFixed(1)} s left at a target of ${target} s` })
  }
  if (hasDiscontinuity(before) && !after.hasDiscontinuitySequence) {
    findings.push({ rule: 'discontinuity-sequence-missing', seen: 'a DISCONTINUITY, and segments were removed' })
  }
  return findings
}

function compareSegments(before: MediaPlaylist, after: MediaPlaylist): readonly Finding[] {
  const known = new Map(before.segments.map((segment) => [segment.sequence, segment]))
  const isCounted = after.hasDiscontinuitySequence || !hasDiscontinuity(before)
  const isBack = after.discontinuitySequence < before.discontinuitySequence
  for (const [index, segment] of after.segments.entries()) {
    const was = known.get(segment.sequence)
    if (was === undefined) continue
    const { line } = segment
    if (pathOf(was.uri) !== pathOf(segment.uri)) {
      const other = before.segments.find(({ uri, byteRange }) => {
        return pathOf(uri) === pathOf(segment.uri) && byteRange?.offset === segment.byteRange?.offset
      })
      if (other === undefined) return [{ rule: 'segment-changed', seen: `${was.uri} became ${segment.uri}`, line }]
      const seen = `${segment.uri} was ${other.sequence}, is ${segment.sequence}`
      return [{ rule: 'segment-renumbered', seen, line }]
    }
    const change = changeOf(was, segment, index === 0)
    if (change !== undefined) return [{ rule: 'segment-changed', seen: `${segment.uri}: ${change}`, line }]
    const key = keyChangeOf(was, segment)
    if (key !== undefined) return [{ rule: 'segment-key-changed', seen: `${segment.uri}: ${key}`, line }]
    // One finding tells of the cause: all segments behind it differ too.
    if (isCounted && !isBack && was.discontinuitySequence !== segment.discontinuitySequence) {
      const seen = `${segment.uri} was ${was.discontinuitySequence}, is ${segment.discontinuitySequence}`
      return [{ rule: 'discontinuity-sequence-count', seen, line }]
    }
  }
  return []
}

/** `isFirst`: with the segments in front of it, its DISCONTINUITY may go, if the sequence counts it. */
function changeOf(was: Segment, is: Segment, isFirst: boolean): string | undefined {
  if (Math.abs((was.seconds ?? 0) - (is.seconds ?? 0)) > DURATION_TOLERANCE_SECONDS) {
    return `${was.seconds} s became ${is.seconds} s`
  }
  if (was.isGap !== is.isGap) return is.isGap ? 'became a GAP' : 'is no GAP any more'
  if (was.isDiscontinuous !== is.isDiscontinuous && !isFirst) {
    return is.isDiscontinuous ? 'got a DISCONTINUITY' : 'lost its DISCONTINUITY'
  }
  return was.byteRange?.length === is.byteRange?.length ? undefined : 'another byte range'
}

/** Of a gap nothing is decrypted. */
function keyChangeOf(was: Segment, is: Segment): string | undefined {
  if (is.isGap) return undefined
  const [before, now] = [was, is].map(({ key }) =>
    key === undefined || key.method === 'NONE' ? 'none' : `${key.method} ${pathOf(key.uri ?? '')} ${key.iv ?? ''}`,
  )
  if (before !== now) return `the key ${before} became ${now}`
  const [map, mapNow] = [was, is].map((each) => pathOf(each.map?.uri ?? 'none'))
  return map === mapNow ? undefined : `the EXT-X-MAP ${map} became ${mapNow}`
}

function compareDateRanges(before: MediaPlaylist, after: MediaPlaylist): readonly Finding[] {
  const [known, left] = [dateRangesOf(before), dateRangesOf(after)]
  const changed = rangeTags(after).flatMap((range): readonly Finding[] => {
    const conflict = conflictOf(known.get(attributeOf(range, 'ID') ?? '') ?? new Map<string, string>(), range)
    return conflict === undefined ? [] : [{ rule: 'daterange-changed', seen: conflict, line: range.line }]
  })
  // A delta update leaves some out.
  if (after.skipped > 0) return changed
  // One that is cancelled before its time leaves with the segment of that time.
  const sequences = new Set(before.segments.map(({ sequence }) => sequence))
  const wasListed = ({ sequence }: Segment): boolean => sequences.has(sequence)
  const removed = [...known].filter(([id, range]) => !left.has(id) && isListed(range, after, wasListed))
  return [...changed, ...removed.map(([id]): Finding => ({ rule: 'daterange-removed', seen: id }))]
}

function hasDiscontinuity({ segments }: MediaPlaylist): boolean {
  return segments.some(({ isDiscontinuous }) => isDiscontinuous)
}

/** A query may carry a token that changes with every reload. */
function pathOf(uri: string): string {
  return uri.split('?', 1)[0] ?? uri
}
