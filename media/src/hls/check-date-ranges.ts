// EXT-X-DATERANGE, RFC 8216 4.3.2.7.
import type { Finding } from './finding.js'
import { parseDate } from './media-reader.js'
import { attributeOf, numberOf } from './playlist.js'
import type { MediaPlaylist, Segment, Tag } from './playlist.js'
import { listDates } from './program-dates.js'

/** By which END-DATE and START-DATE + DURATION may differ. */
const TOLERANCE_MS = 1
/** A range that shares no more of its time with a segment is beside it: dates and durations are rounded. */
const BESIDE_MS = 50

/** Attributes of a date range, by name: of all its tags. */
export type RangeValues = ReadonlyMap<string, string>

export function checkDateRanges(playlist: MediaPlaylist): readonly Finding[] {
  const ranges = rangeTags(playlist)
  const [first] = ranges
  if (first === undefined) return []
  const findings: Finding[] = []
  if (!playlist.segments.some(({ dateMs }) => dateMs !== undefined) && playlist.skipped === 0) {
    findings.push({ rule: 'daterange-no-date', seen: 'no EXT-X-PROGRAM-DATE-TIME', line: first.line })
  }
  const known = new Map<string, Map<string, string>>()
  for (const range of ranges) {
    const id = attributeOf(range, 'ID') ?? ''
    findings.push(...checkRange(range, known.has(id)))
    const values = known.get(id) ?? new Map<string, string>()
    const conflict = conflictOf(values, range)
    if (conflict !== undefined) findings.push({ rule: 'daterange-conflict', seen: conflict, line: range.line })
    for (const [name, { value }] of range.attributes?.values ?? []) values.set(name, value)
    known.set(id, values)
  }
  return findings
}

export function rangeTags({ tags }: MediaPlaylist): readonly Tag[] {
  return tags.filter(({ name }) => name === 'EXT-X-DATERANGE')
}

/** By ID. */
export function dateRangesOf(playlist: MediaPlaylist): ReadonlyMap<string, RangeValues> {
  const known = new Map<string, Map<string, string>>()
  for (const range of rangeTags(playlist)) {
    const id = attributeOf(range, 'ID') ?? ''
    const values = known.get(id) ?? new Map<string, string>()
    for (const [name, { value }] of range.attributes?.values ?? []) values.set(name, value)
    known.set(id, values)
  }
  return known
}

/** A date of the range is one of a listed segment that is meant. Of a range whose end is not known, that is its beginning. */
export function isListed(
  range: RangeValues,
  { segments }: MediaPlaylist,
  isMeant: (segment: Segment) => boolean = () => true,
): boolean {
  const startMs = parseDate(range.get('START-DATE') ?? '')
  if (startMs === undefined) return false
  const seconds = Number(range.get('DURATION') ?? 0)
  const endMs = parseDate(range.get('END-DATE') ?? '') ?? startMs + seconds * 1000
  return listDates(segments).some((dates, index) => {
    if (dates === undefined || !isMeant(segments[index]!) || startMs >= dates.endMs - BESIDE_MS) return false
    return startMs >= dates.startMs || endMs > dates.startMs + BESIDE_MS
  })
}

/** The attribute that a date range has with two values. */
export function conflictOf(before: ReadonlyMap<string, string>, range: Tag): string | undefined {
  for (const [name, { value }] of range.attributes?.values ?? []) {
    const other = before.get(name)
    if (other !== undefined && other !== value) return `${name} was ${other}, is ${value}`
  }
  return undefined
}

function checkRange(range: Tag, isKnown: boolean): readonly Finding[] {
  const { line } = range
  const findings: Finding[] = []
  const startMs = dateOf(range, 'START-DATE')
  const endMs = dateOf(range, 'END-DATE')
  const seconds = numberOf(range, 'DURATION')
  if (startMs === undefined && !isKnown) {
    findings.push({ rule: 'daterange-duration', seen: 'no START-DATE that can be read', line })
  }
  if (startMs !== undefined && endMs !== undefined) {
    if (endMs < startMs) findings.push({ rule: 'daterange-duration', seen: 'END-DATE before START-DATE', line })
    else if (seconds !== undefined && Math.abs(startMs + seconds * 1000 - endMs) > TOLERANCE_MS) {
      findings.push({ rule: 'daterange-duration', seen: 'END-DATE is not START-DATE + DURATION', line })
    }
  }
  if (attributeOf(range, 'END-ON-NEXT') === 'YES') {
    const isWrong = attributeOf(range, 'CLASS') === undefined || seconds !== undefined || endMs !== undefined
    if (isWrong) findings.push({ rule: 'daterange-end-on-next', seen: attributeOf(range, 'ID') ?? '', line })
  }
  return findings
}

function dateOf(range: Tag, name: string): number | undefined {
  return parseDate(attributeOf(range, name) ?? '')
}
