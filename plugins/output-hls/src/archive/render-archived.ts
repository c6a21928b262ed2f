// The playlist of a time in the archive: video on demand. Its target duration is the longest that its segments had; what
// the numbers do not continue is a discontinuity. All renditions have the same first segment, and so the same numbers
// (RFC 8216, 6.2.4): one that joins later begins with gaps.
import { fileNameOf } from '../history/read-period.js'
import type { LongKind } from '../history/long-uris.js'
import { periodOf } from '../history/period.js'
import type { SegmentRecord } from '../history/segment-record.js'
import { DateTags } from '../playlist/date-tags.js'
import { KeyTags } from '../playlist/key-tags.js'
import { iframeLines, IframeTags } from '../playlist/render-iframe-playlist.js'
import { entryLines, PLAYLIST_VERSION } from '../playlist/render-playlist.js'
import { lasts, renderRange, type SpliceRange } from '../playlist/splice-range.js'
import type { SegmentMedia } from '../playlist/segment-list.js'
import { archivedKeyUri, archivedUri } from './archive-names.js'

const TICKS_PER_SECOND = 90_000
const TICKS_PER_MS = 90
/** What is left out at most, so that all renditions begin with media; of less than twice that, half. */
const START_TARGETS = 3
/** Segments that a rendition has at least, unless the time ends before: for fewer, nothing is left out. */
const STAYS_SEGMENTS = 3
/** A day has tens of thousands: other work has its turn between these. */
const SEGMENTS_A_TURN = 2000

/** Undefined if the rendition has nothing in them. */
export async function renderArchived(
  segments: readonly SegmentRecord[],
  rendition: string,
  kind: LongKind,
  ranges: readonly SpliceRange[] = [],
): Promise<string | undefined> {
  const listed = segments.slice(firstOf(segments))
  if (!listed.some(({ media }) => mediaOf(media, rendition, kind) !== undefined)) return undefined
  const areIndependent = listed.every(({ media }) => media[rendition]?.isIndependent !== false)
  const target = listed.reduce((most, { target: each, ticks }) => {
    return Math.max(most, each, Math.round(ticks / TICKS_PER_SECOND))
  }, 1)
  const lines = [
    ...['#EXTM3U', `#EXT-X-VERSION:${PLAYLIST_VERSION}`],
    ...(areIndependent || kind === 'iframes' ? ['#EXT-X-INDEPENDENT-SEGMENTS'] : []),
    ...[`#EXT-X-TARGETDURATION:${target}`, '#EXT-X-MEDIA-SEQUENCE:0', '#EXT-X-PLAYLIST-TYPE:VOD'],
    ...(kind === 'iframes' ? ['#EXT-X-I-FRAMES-ONLY'] : rangeTags(segments, ranges)),
    ...(await segmentLines(listed, rendition, kind)),
    '#EXT-X-ENDLIST',
  ]
  return `${lines.join('\n')}\n`
}

/** The same ones in all playlists of that time, also in those that begin later. */
function rangeTags(segments: readonly SegmentRecord[], ranges: readonly SpliceRange[]): readonly string[] {
  const [first, last] = [segments[0]!, segments.at(-1)!]
  const endMs = last.dateMs + last.ticks / TICKS_PER_MS
  return ranges
    .filter((range) => range.isCancelled !== true && range.startMs < endMs && lasts(range, first.dateMs))
    .toSorted((a, b) => a.startMs - b.startMs)
    .map((range) => renderRange(range))
}

/**
 * Index of the first segment that is listed: near the beginning the first that most renditions have, and keep, because
 * shaka-player starts at no playlist that begins with a gap.
 */
function firstOf(segments: readonly SegmentRecord[]): number {
  const first = segments.findIndex(({ media }) => Object.keys(media).length > 0)
  if (first < 0) return segments.length
  const half = segments.reduce((sum, each) => sum + each.ticks, 0) / 2
  let [best, most, ticks] = [first, stayingAt(segments, first), 0]
  for (let index = first; index < segments.length; index++) {
    const { target, ticks: length } = segments[index]!
    if (ticks > half || ticks >= START_TARGETS * target * TICKS_PER_SECOND) break
    ticks += length
    const staying = stayingAt(segments, index)
    if (staying > most) [best, most] = [index, staying]
  }
  return best
}

/** How many renditions begin there, or go on. */
function stayingAt(segments: readonly SegmentRecord[], from: number): number {
  const [{ media }, ...others] = segments.slice(from, from + STAYS_SEGMENTS) as [SegmentRecord, ...SegmentRecord[]]
  return Object.keys(media).filter((name) => others.every((each) => each.media[name] !== undefined)).length
}

async function segmentLines(
  segments: readonly SegmentRecord[],
  rendition: string,
  kind: LongKind,
): Promise<readonly string[]> {
  let period = ''
  const keys = new KeyTags((id) => archivedKeyUri({ period, id }))
  const [dates, tags] = [new DateTags(), new IframeTags(keys)]
  const lines: string[] = []
  let before: SegmentRecord | undefined
  for (const [index, segment] of segments.entries()) {
    if (index % SEGMENTS_A_TURN === SEGMENTS_A_TURN - 1) await nextTurn()
    const { life, media } = segment
    period = periodOf(segment.dateMs)
    const isNext = before === undefined || before.sequence + 1 === segment.sequence
    const entry = { ...segment, isNew: before !== undefined && (segment.isNew || !isNext) }
    const file = media[rendition] as unknown as SegmentMedia | undefined
    const context = { rendition, life, dates }
    lines.push(
      ...(kind === 'media'
        ? entryLines({ ...entry, media: file }, { ...context, keys })
        : iframeLines({ ...entry, media: file }, { ...context, tags })),
    )
    // The last line is the URI.
    lines[lines.length - 1] = archivedUri(period, fileNameOf(segment, rendition))
    before = segment
  }
  return lines
}

function mediaOf(media: SegmentRecord['media'], rendition: string, kind: LongKind): unknown {
  return kind === 'media' ? media[rendition] : media[rendition]?.['iframe']
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
