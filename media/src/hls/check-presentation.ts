// The media playlists of one presentation against each other, draft-pantos-hls-rfc8216bis 6.2.4.
import { compareRanges } from './compare-ranges.js'
import { serverControlOf } from './compare-versions.js'
import type { Finding } from './finding.js'
import { attributeOf } from './playlist.js'
import type { MediaPlaylist, MultivariantPlaylist, Segment } from './playlist.js'
import { listDates } from './program-dates.js'

export interface PresentedPlaylist {
  readonly name: string
  readonly role: 'video' | 'audio' | 'subtitles' | 'i-frames'
  readonly playlist: MediaPlaylist
}

/** Segments that begin at the same time, by their dates. */
const SAME_START_MS = 50

/** Playlists loaded at about the same time. */
export function checkPresentation(
  multivariant: MultivariantPlaylist,
  playlists: readonly PresentedPlaylist[],
): readonly Finding[] {
  const [first, ...others] = playlists.filter(({ role }) => role !== 'i-frames')
  if (first === undefined) return []
  const findings = [
    ...checkKinds(playlists),
    ...checkVersions(multivariant, playlists),
    ...checkIndependence(multivariant, playlists),
    ...compareRanges(playlists),
  ]
  for (const other of playlists) {
    if (other !== first) findings.push(...comparePair(first, other))
  }
  for (const other of others) findings.push(...compareSegments(first, other))
  if (playlists.length > 1) findings.push(...checkReports(playlists))
  return findings
}

function checkKinds(playlists: readonly PresentedPlaylist[]): readonly Finding[] {
  const odd = playlists.find(({ role, playlist }) => (role === 'i-frames') !== playlist.isIFramesOnly)
  if (odd === undefined) return []
  const seen = odd.playlist.isIFramesOnly ? 'a variant has EXT-X-I-FRAMES-ONLY' : 'no EXT-X-I-FRAMES-ONLY'
  return [{ rule: 'i-frames-kind', seen: `${odd.name}: ${seen}` }]
}

function comparePair(first: PresentedPlaylist, other: PresentedPlaylist): readonly Finding[] {
  const findings: Finding[] = []
  const mayDiffer = other.playlist.type === 'VOD' && ['subtitles', 'i-frames'].includes(other.role)
  const compare = (rule: Finding['rule'], of: (playlist: MediaPlaylist) => number | string | boolean | undefined) => {
    const [was, is] = [of(first.playlist), of(other.playlist)]
    if (was === is) return
    findings.push({ rule, seen: `${first.name}: ${String(was ?? 'none')}, ${other.name}: ${String(is ?? 'none')}` })
  }
  if (!mayDiffer) compare('targets-differ', ({ targetSeconds }) => targetSeconds)
  compare('types-differ', ({ type }) => type)
  compare('server-control-differs', serverControlOf)
  if (other.playlist.segments.length > 0) compare('dates-differ', hasDates)
  return findings
}

function compareSegments(first: PresentedPlaylist, other: PresentedPlaylist): readonly Finding[] {
  for (const [segment, match] of matches(first.playlist, other.playlist)) {
    const seen = (of: 'sequence' | 'discontinuitySequence') =>
      `${first.name}: ${String(segment[of])}, ${other.name}: ${String(match[of])}`
    if (segment.discontinuitySequence !== match.discontinuitySequence) {
      return [{ rule: 'discontinuities-differ', seen: seen('discontinuitySequence') }]
    }
    if (segment.sequence !== match.sequence) return [{ rule: 'sequences-differ', seen: seen('sequence') }]
  }
  return []
}

/** Segments of both that begin at the same date, the nearest one; without dates those of the same number. */
function matches(first: MediaPlaylist, other: MediaPlaylist): readonly (readonly [Segment, Segment])[] {
  if (!hasDates(first) || !hasDates(other)) {
    const bySequence = new Map(other.segments.map((segment) => [segment.sequence, segment]))
    return first.segments.flatMap((segment) => {
      const match = bySequence.get(segment.sequence)
      return match === undefined ? [] : [[segment, match] as const]
    })
  }
  const starts = listDates(other.segments)
  let at = 0
  return listDates(first.segments).flatMap((dates, index) => {
    const segment = first.segments[index]
    if (dates === undefined || segment === undefined) return []
    const offMs = (index: number): number => Math.abs((starts[index]?.startMs ?? -Infinity) - dates.startMs)
    while (at + 1 < starts.length && offMs(at + 1) <= offMs(at)) at++
    const match = other.segments[at]
    return match === undefined || offMs(at) > SAME_START_MS ? [] : [[segment, match] as const]
  })
}

function checkVersions(
  multivariant: MultivariantPlaylist,
  playlists: readonly PresentedPlaylist[],
): readonly Finding[] {
  const odd = playlists.find(({ playlist }) => playlist.version !== multivariant.version)
  if (odd === undefined) return []
  return [
    { rule: 'versions-differ', seen: `multivariant: ${multivariant.version}, ${odd.name}: ${odd.playlist.version}` },
  ]
}

function checkIndependence(
  multivariant: MultivariantPlaylist,
  playlists: readonly PresentedPlaylist[],
): readonly Finding[] {
  if (multivariant.areIndependent) return []
  const odd = playlists.find(({ role, playlist }) => role === 'video' && !playlist.areIndependent)
  return odd === undefined ? [] : [{ rule: 'independent-missing', seen: `${odd.name} and the multivariant playlist` }]
}

/** Each low-latency playlist reports on all others of its presentation. */
function checkReports(playlists: readonly PresentedPlaylist[]): readonly Finding[] {
  const parted = playlists.filter(({ playlist }) => playlist.partTargetSeconds !== undefined && !playlist.hasEnded)
  return parted.flatMap(({ name, playlist }): readonly Finding[] => {
    const reports = playlist.tags.filter((tag) => tag.name === 'EXT-X-RENDITION-REPORT')
    const uris = new Set(reports.map((report) => attributeOf(report, 'URI')))
    if (uris.size >= parted.length - 1) return []
    return [{ rule: 'report-missing', seen: `${name} has ${uris.size} reports for ${parted.length - 1} others` }]
  })
}

function hasDates({ segments }: MediaPlaylist): boolean {
  return segments.some(({ dateMs }) => dateMs !== undefined)
}
