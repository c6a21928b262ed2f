// Splice information: where programmes and breaks begin and end. ANSI/SCTE 35, section 9.6: splice_info_section().
import { BitReader } from '../formats/bit-reader.js'
import { crc32Mpeg } from '../mpegts/crc32.js'
import { mod33 } from '../mpegts/timestamps.js'

/** table_id, 9.6.1. */
const TABLE_ID = 0xfc
/** splice_command_type, table 7. */
const SPLICE_INSERT = 0x05
const TIME_SIGNAL = 0x06
const NULL_COMMAND = 0x00
/** splice_descriptor_tag and identifier of segmentation_descriptor(), 10.3.3. */
const SEGMENTATION_TAG = 0x02
const CUEI = 0x43554549
/** Up to the end of splice_command_type. */
const HEADER_BYTES = 14
const CRC_BYTES = 4
const MAX_SEGMENTATIONS = 16

export interface SpliceInsert {
  readonly eventId: number
  readonly isCancelled: boolean
  readonly isOut: boolean
  /** 90 kHz. */
  readonly break90k: number | undefined
  /** The break ends after that time, without another message. */
  readonly isAutoReturn: boolean
}

/** segmentation_descriptor(), 10.3.3. */
export interface Segmentation {
  readonly eventId: number
  readonly isCancelled: boolean
  /** segmentation_type_id, table 23. */
  readonly type: number
  /** 90 kHz. */
  readonly duration90k: number | undefined
}

export interface SpliceInfo {
  readonly command: 'null' | 'insert' | 'time' | 'other'
  /** When, on the clock of the stream. Undefined: at once, or not said. */
  readonly pts90k: number | undefined
  readonly insert: SpliceInsert | undefined
  readonly segmentations: readonly Segmentation[]
}

interface Command {
  readonly time90k: number | undefined
  readonly insert?: SpliceInsert
}

/** Undefined for what is no such section, is damaged, or encrypted. */
export function parseSpliceInfo(section: Uint8Array, length = section.length): SpliceInfo | undefined {
  const end = endOf(section, length)
  if (end === undefined) return undefined
  const reader = new BitReader(section, 3, end - CRC_BYTES)
  // protocol_version; a later one may mean anything.
  const version = reader.bits(8)
  const isEncrypted = reader.flag()
  reader.skip(6)
  const adjustment = readTime(reader)
  // cw_index, tier.
  reader.skip(8 + 12)
  const commandBytes = reader.bits(12)
  const type = reader.bits(8)
  if (version !== 0 || isEncrypted) return undefined
  const { time90k, insert } = readCommand(reader, type)
  if (reader.hasFailed) return undefined
  // 0xfff: the length is not said, 9.6.1.
  const loop = commandBytes === 0xfff ? reader : new BitReader(section, HEADER_BYTES + commandBytes, end - CRC_BYTES)
  return {
    command: NAMES.get(type) ?? 'other',
    pts90k: time90k === undefined ? undefined : mod33(time90k + adjustment),
    insert,
    segmentations: type === TIME_SIGNAL || type === SPLICE_INSERT ? readSegmentations(loop) : [],
  }
}

/** Where the section ends; undefined if it is none, or damaged. */
function endOf(section: Uint8Array, length: number): number | undefined {
  if (length < HEADER_BYTES + CRC_BYTES || section[0] !== TABLE_ID) return undefined
  const end = 3 + (((section[1]! & 0x0f) << 8) | section[2]!)
  const isWhole = end <= length && end >= HEADER_BYTES + CRC_BYTES
  return isWhole && crc32Mpeg(section, 0, end) === 0 ? end : undefined
}

const NAMES: ReadonlyMap<number, SpliceInfo['command']> = new Map([
  [NULL_COMMAND, 'null'],
  [SPLICE_INSERT, 'insert'],
  [TIME_SIGNAL, 'time'],
])

function readCommand(reader: BitReader, type: number): Command {
  if (type === SPLICE_INSERT) return readInsert(reader)
  return { time90k: type === TIME_SIGNAL ? readSpliceTime(reader) : undefined }
}

/** splice_insert(), 9.7.3. */
function readInsert(reader: BitReader): Command {
  const eventId = reader.bits(32)
  const isCancelled = reader.flag()
  reader.skip(7)
  if (isCancelled) {
    const none = { isOut: false, break90k: undefined, isAutoReturn: false }
    return { time90k: undefined, insert: { eventId, isCancelled, ...none } }
  }
  const isOut = reader.flag()
  const isOfProgram = reader.flag()
  const hasDuration = reader.flag()
  const isImmediate = reader.flag()
  reader.skip(4)
  const time90k = readInsertTime(reader, isOfProgram, isImmediate)
  let break90k: number | undefined
  let isAutoReturn = false
  if (hasDuration) {
    // break_duration(), 9.8.2.
    isAutoReturn = reader.flag()
    reader.skip(6)
    break90k = readTime(reader)
  }
  // unique_program_id, avail_num, avails_expected.
  reader.skip(16 + 8 + 8)
  return { time90k, insert: { eventId, isCancelled, isOut, break90k, isAutoReturn } }
}

/** Of components, the first one counts. */
function readInsertTime(reader: BitReader, isOfProgram: boolean, isImmediate: boolean): number | undefined {
  if (isOfProgram) return isImmediate ? undefined : readSpliceTime(reader)
  let first: number | undefined
  for (let left = reader.bits(8); left > 0 && !reader.hasFailed; left--) {
    reader.skip(8)
    const time90k = isImmediate ? undefined : readSpliceTime(reader)
    first ??= time90k
  }
  return first
}

/** splice_time(), 9.8.1. */
function readSpliceTime(reader: BitReader): number | undefined {
  if (!reader.flag()) {
    reader.skip(7)
    return undefined
  }
  reader.skip(6)
  return readTime(reader)
}

function readTime(reader: BitReader): number {
  return reader.bits(1) * 2 ** 32 + reader.bits(32)
}

/** The loop of splice descriptors, 10.2. */
function readSegmentations(reader: BitReader): readonly Segmentation[] {
  const found: Segmentation[] = []
  let left = reader.bits(16)
  while (left >= 2 && !reader.hasFailed && found.length < MAX_SEGMENTATIONS) {
    const tag = reader.bits(8)
    const length = reader.bits(8)
    left -= 2 + length
    const body = Uint8Array.from({ length }, () => reader.bits(8))
    const segmentation = tag === SEGMENTATION_TAG && left >= 0 ? readSegmentation(body) : undefined
    if (segmentation !== undefined && !reader.hasFailed) found.push(segmentation)
  }
  return found
}

function readSegmentation(body: Uint8Array): Segmentation | undefined {
  const reader = new BitReader(body, 0, body.length)
  if (reader.bits(32) !== CUEI) return undefined
  const eventId = reader.bits(32)
  const isCancelled = reader.flag()
  reader.skip(7)
  if (isCancelled) return reader.hasFailed ? undefined : { eventId, isCancelled, type: 0, duration90k: undefined }
  const isOfProgram = reader.flag()
  const hasDuration = reader.flag()
  reader.skip(6)
  // component_tag, reserved, pts_offset.
  if (!isOfProgram) reader.skip(reader.bits(8) * (8 + 7 + 33))
  const duration90k = hasDuration ? reader.bits(8) * 2 ** 32 + reader.bits(32) : undefined
  reader.skip(8)
  reader.skip(reader.bits(8) * 8)
  const type = reader.bits(8)
  return reader.hasFailed ? undefined : { eventId, isCancelled, type, duration90k }
}
