// The folders of a store or an archive, and what their indexes say.
import type { MediaFolder } from '@millrace/engine/plugin'
import { INDEX_FILE, timesOf } from './period.js'
import type { SpliceRange } from '../playlist/splice-range.js'
import { type IndexRecord, LONGEST_LINE, parseRecord, type SegmentRecord } from './segment-record.js'

/** When reading may go on: other work has its turns. */
export interface ReadingTime {
  readonly isOver: boolean
  next(): Promise<void>
}

/** What is in the folder of a period. */
export interface ReadPeriod {
  /** In the order of their numbers. Where the file is missing there is a gap. */
  readonly segments: readonly SegmentRecord[]
  /** Lives that have ended. */
  readonly ended: readonly string[]
  /** Base64. */
  readonly inits: readonly string[]
  readonly multivariant: string | undefined
  /** Date ranges with a part of its time, as they were last. */
  readonly ranges: readonly SpliceRange[]
}

/** Ten minutes of one rendition have some 100 KB, which are read at once. */
const PIECE_BYTES = 256 * 1024
const NEWLINE = 0x0a
/** Of one index. */
const LARGEST_INDEX = 16 * 1024 * 1024
export const inAnyTime: ReadingTime = { isOver: false, next: () => Promise.resolve() }

/** Names of its folders, oldest first. */
export async function readPeriods(folder: MediaFolder): Promise<readonly string[]> {
  return (await folder.list()).filter((name) => timesOf(name) !== undefined).toSorted()
}

/** Rejects as the folder does. */
export async function readPeriod(folder: MediaFolder, period: string, time: ReadingTime): Promise<ReadPeriod> {
  const [names, records] = await Promise.all([folder.list(period), readIndex(folder, period, time)])
  const files = new Set(names)
  const segments: SegmentRecord[] = []
  const ended: string[] = []
  const inits: string[] = []
  const ranges = new Map<string, SpliceRange>()
  let multivariant: string | undefined
  for (const found of records) {
    if (found.kind === 'end') ended.push(found.life)
    else if (found.kind === 'multivariant') multivariant = found.text
    else if (found.kind === 'init') inits.push(found.bytes)
    else if (found.kind === 'range') noteRange(ranges, found)
    else if (found.sequence > (segments.at(-1)?.sequence ?? -1)) segments.push(withFiles(found, files))
  }
  return { segments, ended, inits, multivariant, ranges: [...ranges.values()] }
}

/** All lines of an index that are whole, in their order. Rejects as the folder does. */
export async function readIndex(
  folder: MediaFolder,
  period: string,
  time: ReadingTime = inAnyTime,
): Promise<readonly IndexRecord[]> {
  const found: IndexRecord[] = []
  let rest: Buffer = Buffer.alloc(0)
  for (let at = 0; at < LARGEST_INDEX;) {
    const bytes = await folder.read(`${period}/${INDEX_FILE}`, at, PIECE_BYTES)
    at += bytes.length
    const lines = Buffer.concat([rest, bytes])
    let from = 0
    for (let end = lines.indexOf(NEWLINE); end >= 0; end = lines.indexOf(NEWLINE, from)) {
      while (time.isOver) await time.next()
      const parsed = parseRecord(lines.subarray(from, end))
      if (parsed !== undefined) found.push(parsed)
      from = end + 1
    }
    rest = lines.length - from > LONGEST_LINE ? Buffer.alloc(0) : lines.subarray(from)
    if (bytes.length < PIECE_BYTES) break
  }
  return found
}

/** The newest record of each says everything. */
export function noteRange(
  ranges: Map<string, SpliceRange>,
  { kind: _, ...range }: SpliceRange & { readonly kind: 'range' },
): void {
  ranges.set(range.id, range)
}

/** Name of the file of a segment in the folder of its period. */
export function fileNameOf({ life, name }: Pick<SegmentRecord, 'life' | 'name'>, rendition: string): string {
  return `${rendition}-${life}-${name}.ts`
}

function withFiles(segment: SegmentRecord, files: ReadonlySet<string>): SegmentRecord {
  const isThere = (rendition: string): boolean => files.has(fileNameOf(segment, rendition))
  if (Object.keys(segment.media).every(isThere)) return segment
  return { ...segment, media: Object.fromEntries(Object.entries(segment.media).filter(([name]) => isThere(name))) }
}
