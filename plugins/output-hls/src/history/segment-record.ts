// The index of segments on a disk: one line for each, which is only appended. A line is its CRC-32 in eight hexadecimal
// digits, a space, and JSON; one that was torn or damaged is left out.
import { crc32 } from 'node:zlib'
import { SPLICE_ATTRIBUTES, type SpliceRange } from '../playlist/splice-range.js'

/** What is known of a file beside its bytes: everything that its playlists say of it. */
interface StoredFile extends Readonly<Record<string, unknown>> {
  readonly bytes: number
  readonly isIndependent: boolean
}

export interface SegmentRecord extends Readonly<Record<string, unknown>> {
  readonly kind: 'segment'
  /** Of the playlists that list it, and their target duration. */
  readonly life: string
  readonly target: number
  readonly sequence: number
  /** Number of its discontinuity, its own tag included. */
  readonly discontinuity: number
  readonly name: string
  readonly ticks: number
  readonly isNew: boolean
  readonly dateMs: number
  /** By rendition. */
  readonly media: Readonly<Record<string, StoredFile>>
  /** Bytes of all files in the folder so far. */
  readonly total: number
  /** It has been listed with files that are lost. */
  readonly lost?: true
  /** Number of the segment behind the last that was lost before. */
  readonly floor?: number
}

/** The playlists of the life have ended. */
interface EndRecord {
  readonly kind: 'end'
  readonly life: string
}

/** An initialisation section that segments of the folder name. */
interface InitRecord {
  readonly kind: 'init'
  /** Base64. */
  readonly bytes: string
}

/** The newest text of the multivariant playlist. */
interface MultivariantRecord {
  readonly kind: 'multivariant'
  readonly text: string
}

/** A date range: as it is when the next segment is written, and in each folder that has segments of its time. */
interface RangeRecord extends SpliceRange {
  readonly kind: 'range'
}

export type IndexRecord = RangeRecord | MultivariantRecord | InitRecord | SegmentRecord | EndRecord

const CHECKSUM = 8
const SPACE = 0x20
/** A line is longer only if it is damaged. */
export const LONGEST_LINE = 16 * 1024
const LONGEST_INIT = 4096
const LONGEST_SECONDS = 3600
const MOST_32_BITS = 0xffff_ffff
/** ECMA-262, 21.4.1.1. */
const LATEST_MS = 8.64e15
/** Part of a file's name, and of a URI. */
const PART = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
/** What `SpliceRanges` makes. */
const RANGE_PART = /^[A-Za-z0-9-]{1,64}$/
/** Of the messages of a range, base64: the longest section has 4096 bytes. */
const LONGEST_SECTION = 5464
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

/** Begins with a newline too: what was torn before it stays a line of its own. */
export function renderRecord(value: IndexRecord): string {
  const json = JSON.stringify(value)
  return `\n${checksumOf(json)} ${json}\n`
}

/** Undefined for a line that is empty, torn, damaged, or not ours. */
export function parseRecord(line: string | Buffer): IndexRecord | undefined {
  const bytes = typeof line === 'string' ? Buffer.from(line) : line
  if (bytes.length <= CHECKSUM + 1 || bytes.length > LONGEST_LINE || bytes[CHECKSUM] !== SPACE) return undefined
  const json = bytes.subarray(CHECKSUM + 1)
  if (bytes.toString('latin1', 0, CHECKSUM) !== checksumOf(json)) return undefined
  try {
    const found: unknown = JSON.parse(json.toString())
    return isObject(found) && isRecord(found) ? (found as unknown as IndexRecord) : undefined
  } catch {
    return undefined
  }
}

export function isEncrypted({ media }: SegmentRecord): boolean {
  return Object.values(media).some(({ key }) => key !== undefined)
}

/** By hand: a restart reads a million of them. */
function isRecord(found: Readonly<Record<string, unknown>>): boolean {
  switch (found['kind']) {
    case 'segment':
      return isSegment(found)
    case 'init':
      return isText(found['bytes'], LONGEST_INIT) && BASE64.test(found['bytes'])
    case 'multivariant':
      return isText(found['text'], LONGEST_LINE)
    case 'range':
      return isRange(found)
    case 'end':
      return isPart(found['life'])
    default:
      return false
  }
}

function isSegment(found: Readonly<Record<string, unknown>>): boolean {
  const { life, name, isNew, media, lost, floor } = found
  return (
    isPart(life) &&
    isPart(name) &&
    typeof isNew === 'boolean' &&
    (lost === undefined || lost === true) &&
    (floor === undefined || isWhole(floor)) &&
    areNumbers(found) &&
    isObject(media) &&
    areFiles(media)
  )
}

function isRange(found: Readonly<Record<string, unknown>>): boolean {
  const { id, event, startMs, plannedMs, durationMs, isAutoReturn, isCancelled, sections } = found
  return (
    [id, event].every((each) => typeof each === 'string' && RANGE_PART.test(each)) &&
    isWhole(startMs, LATEST_MS) &&
    [plannedMs, durationMs].every((each) => each === undefined || isWhole(each, LATEST_MS)) &&
    [isAutoReturn, isCancelled].every((each) => each === undefined || each === true) &&
    isObject(sections) &&
    Object.entries(sections).every(([name, bytes]) => {
      const isKnown = SPLICE_ATTRIBUTES.some((each) => each === name)
      return isKnown && isText(bytes, LONGEST_SECTION) && BASE64.test(bytes)
    })
  )
}

function areNumbers(found: Readonly<Record<string, unknown>>): boolean {
  const { target, sequence, discontinuity, ticks, dateMs, total } = found
  return (
    isWhole(target, LONGEST_SECONDS) &&
    target >= 1 &&
    isWhole(ticks, MOST_32_BITS) &&
    ticks >= 1 &&
    [sequence, discontinuity, total].every((each) => isWhole(each)) &&
    typeof dateMs === 'number' &&
    dateMs >= 0 &&
    dateMs <= LATEST_MS
  )
}

function areFiles(media: Readonly<Record<string, unknown>>): boolean {
  for (const rendition in media) {
    const file = media[rendition]
    if (!PART.test(rendition) || !isObject(file)) return false
    if (!isWhole(file['bytes'], MOST_32_BITS) || typeof file['isIndependent'] !== 'boolean') return false
  }
  return true
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isPart(value: unknown): value is string {
  return typeof value === 'string' && PART.test(value)
}

function isText(value: unknown, most: number): value is string {
  return typeof value === 'string' && value.length <= most
}

function isWhole(value: unknown, most = Number.MAX_SAFE_INTEGER): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most
}

function checksumOf(json: string | Buffer): string {
  return crc32(json).toString(16).padStart(CHECKSUM, '0')
}
