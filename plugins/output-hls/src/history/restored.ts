// What the last process has left on a disk: its newest segments, which the playlists of the window go on with at once, and
// the older ones, which are read when the output has opened.
import type { MediaFolder } from '@millrace/engine/plugin'
import type { SpliceRange } from '../playlist/splice-range.js'
import { OlderSegments } from './older-segments.js'
import { periodOf, timesOf } from './period.js'
import { fileNameOf, inAnyTime, type ReadingTime, readPeriod, readPeriods } from './read-period.js'
import { isEncrypted, type SegmentRecord } from './segment-record.js'
import { Turns } from './turns.js'

export interface Restored {
  /** The newest, in the order of their numbers. */
  readonly segments: readonly SegmentRecord[]
  readonly older: OlderSegments
  /** The last one that was written, even if it cannot be played any more. */
  readonly newest: SegmentRecord | undefined
  /** Lives that have ended. */
  readonly ended: ReadonlySet<string>
  readonly inits: readonly Uint8Array[]
  readonly multivariant: string | undefined
  /** Date ranges, those of the newest segments and maybe others. */
  readonly ranges: readonly SpliceRange[]
  /** Oldest first. */
  readonly periods: readonly string[]
}

export interface RestoreRules {
  /** Unix time of the oldest that is wanted; by default all are. */
  readonly fromMs?: number
  /** Length of the newest that are read at once. */
  readonly newestMs?: number
  /** The keys of the last process are known. */
  readonly hasKeys?: boolean
  readonly time?: ReadingTime
  /** The older segments are read when their turn has come. */
  readonly turns?: Turns
}

const TICKS_PER_MS = 90
/** The newest files, whose lengths are looked at: a power cut may have made them shorter. */
const MOST_CHECKED = 32

/** Rejects as the folder does. */
export async function restore(folder: MediaFolder, rules: RestoreRules = {}): Promise<Restored> {
  const { fromMs = 0, newestMs = 0, hasKeys = true, time = inAnyTime, turns = new Turns(1) } = rules
  const periods = await readPeriods(folder)
  const wanted = periods.filter((name) => timesOf(name)!.toMs >= fromMs)
  const least = { ticks: newestMs * TICKS_PER_MS, count: MOST_CHECKED }
  const { segments, isAll, inits, ended, multivariant, ranges } = await readNewest(folder, {
    periods: wanted,
    least,
    time,
  })
  const checked = await checkLengths(folder, newestOf(segments, least))
  const playable = hasKeys ? checked : behindEncrypted(checked)
  // What is before one that cannot be played cannot be listed with it.
  const hasOlder = playable.length === checked.length && !(isAll && checked.length === segments.length)
  const before = hasOlder ? checked[0]!.sequence : -1
  return {
    ...{ segments: playable, newest: segments.at(-1), ended, periods, multivariant, ranges },
    older: new OlderSegments(folder, { periods: wanted, before, hasKeys, time, turns }),
    inits: [...inits].map((bytes) => Buffer.from(bytes, 'base64')),
  }
}

interface Newest {
  readonly segments: readonly SegmentRecord[]
  /** There are no others. */
  readonly isAll: boolean
  readonly ended: ReadonlySet<string>
  readonly inits: ReadonlySet<string>
  readonly multivariant: string | undefined
  readonly ranges: readonly SpliceRange[]
}

async function readNewest(
  folder: MediaFolder,
  { periods, least, time }: { readonly periods: readonly string[]; readonly least: Least; readonly time: ReadingTime },
): Promise<Newest> {
  const [ended, inits] = [new Set<string>(), new Set<string>()]
  const ranges: SpliceRange[] = []
  let multivariant: string | undefined
  let segments: readonly SegmentRecord[] = []
  let unread = periods.length
  while (unread > 0 && !isEnough(segments, least)) {
    const read = await readPeriod(folder, periods[--unread]!, time)
    for (const life of read.ended) ended.add(life)
    for (const bytes of read.inits) inits.add(bytes)
    multivariant ??= read.multivariant
    ranges.push(...read.ranges)
    segments = [...beforeThese(read.segments, segments), ...segments]
  }
  return { segments, isAll: unread === 0, ended, inits, multivariant, ranges }
}

interface Least {
  readonly ticks: number
  readonly count: number
}

function isEnough(segments: readonly SegmentRecord[], { ticks, count }: Least): boolean {
  return segments.length >= count && segments.reduce((sum, segment) => sum + segment.ticks, 0) >= ticks
}

function newestOf(segments: readonly SegmentRecord[], { ticks, count }: Least): readonly SegmentRecord[] {
  let [from, sum] = [segments.length, 0]
  while (from > 0 && (sum < ticks || segments.length - from < count)) sum += segments[--from]!.ticks
  return segments.slice(from)
}

/** Numbers only grow. */
function beforeThese(found: readonly SegmentRecord[], later: readonly SegmentRecord[]): readonly SegmentRecord[] {
  const before = later[0]?.sequence ?? Infinity
  return found.filter(({ sequence }) => sequence < before)
}

/** The keys are lost: only what follows the last segment that needs one can be played. */
function behindEncrypted(segments: readonly SegmentRecord[]): readonly SegmentRecord[] {
  return segments.slice(segments.findLastIndex(isEncrypted) + 1)
}

async function checkLengths(folder: MediaFolder, segments: readonly SegmentRecord[]): Promise<SegmentRecord[]> {
  const checked = await Promise.all(segments.slice(-MOST_CHECKED).map((segment) => withLengths(folder, segment)))
  return [...segments.slice(0, -MOST_CHECKED), ...checked]
}

async function withLengths(folder: MediaFolder, segment: SegmentRecord): Promise<SegmentRecord> {
  const media: [string, SegmentRecord['media'][string]][] = []
  for (const [rendition, file] of Object.entries(segment.media)) {
    const size = await folder.size(`${periodOf(segment.dateMs)}/${fileNameOf(segment, rendition)}`)
    if (size === file.bytes) media.push([rendition, file])
  }
  return { ...segment, media: Object.fromEntries(media) }
}
