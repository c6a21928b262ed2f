// What the rules need to know of a segment that is a transport stream. Bytes of any kind are accepted.
import { CAT_PID, hasDiscontinuityIndicator, hasPayload } from '../mpegts/packet.js'
import { isUnitStart, NULL_PID, PACKET_SIZE, PAT_PID, payloadOffset } from '../mpegts/packet.js'
import { readCounter, readPid, SYNC_BYTE } from '../mpegts/packet.js'
import { readPts } from '../mpegts/pes.js'
import { ProgramTable } from '../mpegts/program-table.js'
import { packetise } from '../mpegts/render-psi.js'
import type { Track, TsChunk } from '../mpegts/chunk.js'
import { CaptionChannels } from '../captions/caption-channels.js'
import type { MediaFormat } from '../formats/media-format.js'
import { readFormat } from '../formats/read-format.js'
import { scanTracks } from '../formats/scan-tracks.js'
import { Framer } from '../mpegts/framer.js'
import { MARK_FLAGS, MARK_PID, MARK_SIZE, UNIT_START } from '../mpegts/marks.js'

export interface SegmentFacts {
  readonly bytes: number
  /** Offset of the first byte that is not part of a whole packet; -1 if there is none. */
  readonly brokenAt: number
  /** Programs that the PAT names. */
  readonly programs: number
  readonly hasTables: boolean
  /** The first packets are those of PAT and PMT. */
  readonly beginsWithTables: boolean
  readonly beginsWithPat: boolean
  /** Of the first program. */
  readonly tracks: readonly Track[]
  /** Formats of audio and video, as far as their headers can be read. */
  readonly formats: readonly TrackFormat[]
  /** Closed captions that are used in the video: `CC1`, `SERVICE1` and the like. */
  readonly captions: readonly string[]
  /** The track by which times are told, video before audio. */
  readonly lead: Track['media'] | undefined
  /** Of the first unit of the video, without video of the audio: 90 kHz, 33 bits; -1 if it has none. */
  readonly startPts90k: number
  /** The first picture is a key frame; undefined if there is no video, or its codec is not known. */
  readonly isKeyFrame: boolean | undefined
  /** Different times of the units of the video, so pictures: not more than MANY_PICTURES. */
  readonly pictures: number
  /** Packets of which the counter does not follow. */
  readonly continuityErrors: number
  /** By PID. */
  readonly counters: ReadonlyMap<number, Counter>
}

/** Of the first and of the last packet that has payload or a discontinuity_indicator. */
interface Counter {
  readonly first: number
  readonly last: number
  /** The first has a discontinuity_indicator. */
  readonly mayJump: boolean
}

interface TrackFormat extends MediaFormat {
  readonly codec: string
}

/** More than is in front of the second picture. */
const MAX_HEAD_BYTES = 4 * 1024 * 1024
/** More than the two fields of one frame. */
export const MANY_PICTURES = 3
const CLASSIFIED = ['h264', 'h265', 'mpeg2video', 'mpeg1video']

export function readSegment(bytes: Uint8Array): SegmentFacts {
  const brokenAt = findBroken(bytes)
  const end = brokenAt < 0 ? bytes.length : brokenAt - (brokenAt % PACKET_SIZE)
  const table = new ProgramTable()
  const { beginsWithTables, beginsWithPat } = readTables(bytes, end, table)
  const tracks = table.select()?.tracks ?? []
  const lead = tracks.find(({ media }) => media === 'video') ?? tracks.find(({ media }) => media === 'audio')
  return {
    ...readFormats(tracks, bytes.subarray(0, end)),
    lead: lead?.media,
    ...{ bytes: bytes.length, brokenAt, programs: table.named.size, hasTables: table.select() !== undefined },
    ...{ beginsWithTables, beginsWithPat, tracks },
    startPts90k: lead === undefined ? -1 : findPts(bytes, end, lead.pid),
    pictures: lead?.media === 'video' ? countPictures(bytes, end, lead.pid) : 0,
    isKeyFrame:
      lead?.media === 'video'
        ? readFirstPicture(bytes.subarray(0, Math.min(end, MAX_HEAD_BYTES)), table, lead)
        : undefined,
    ...readCounters(bytes, end),
  }
}

function readFormats(tracks: readonly Track[], packets: Uint8Array) {
  const channels = new CaptionChannels()
  const scans = scanTracks(tracks, [packets], ({ codec }, unit) => channels.push(codec, unit))
  const formats = [...scans.values()].flatMap(({ track: { codec }, elementary }) => {
    const format = readFormat(codec, elementary)
    return format === undefined ? [] : [{ ...format, codec }]
  })
  return { formats, captions: channels.used }
}

function findBroken(bytes: Uint8Array): number {
  let at = 0
  while (at + PACKET_SIZE <= bytes.length && bytes[at] === SYNC_BYTE) at += PACKET_SIZE
  return at === bytes.length && at > 0 ? -1 : at
}

/** Fills the table; the PAT and the first PMT must be whole before the first packet of anything else. */
function readTables(bytes: Uint8Array, end: number, table: ProgramTable) {
  let otherAt = end
  let tablesAt = end
  for (let at = 0; at < end; at += PACKET_SIZE) {
    const pid = readPid(bytes, at)
    if (table.isSectionPid[pid] === 1) table.packet(bytes, at)
    else if (pid !== NULL_PID && pid !== CAT_PID) otherAt = Math.min(otherAt, at)
    if (table.select() !== undefined) tablesAt = Math.min(tablesAt, at)
  }
  return { beginsWithTables: tablesAt < otherAt, beginsWithPat: end > 0 && readPid(bytes, 0) === PAT_PID }
}

function findPts(bytes: Uint8Array, end: number, pid: number): number {
  for (let at = 0; at < end; at += PACKET_SIZE) {
    if (readPid(bytes, at) !== pid || !isUnitStart(bytes, at)) continue
    const pts = readPts(bytes, payloadOffset(bytes, at), at + PACKET_SIZE)
    if (pts >= 0) return pts
  }
  return -1
}

function countPictures(bytes: Uint8Array, end: number, pid: number): number {
  const times = new Set<number>()
  for (let at = 0; at < end && times.size < MANY_PICTURES; at += PACKET_SIZE) {
    if (readPid(bytes, at) !== pid || !isUnitStart(bytes, at)) continue
    const pts = readPts(bytes, payloadOffset(bytes, at), at + PACKET_SIZE)
    if (pts >= 0) times.add(pts)
  }
  return times.size
}

/** The framer begins a chunk at each key frame that a decoder can start with. It is told the tables, which may be late. */
function readFirstPicture(head: Uint8Array, table: ProgramTable, { pid, codec }: Track): boolean | undefined {
  if (!CLASSIFIED.includes(codec)) return undefined
  const framer = new Framer()
  const tables = [...table.sections.values()].flatMap((section) =>
    framer.push(packetise(section.bytes, section.pid, 0), 0),
  )
  const first = [...tables, ...framer.push(head, 0), ...framer.finish(0)].find((chunk) => beginsUnit(chunk, pid))
  return first?.randomAccess
}

function beginsUnit({ marks }: TsChunk, pid: number): boolean {
  for (let at = 0; at < marks.length; at += MARK_SIZE) {
    if (marks[at + MARK_PID] === pid && ((marks[at + MARK_FLAGS] ?? 0) & UNIT_START) !== 0) return true
  }
  return false
}

/**
 * A packet may be sent twice, ISO/IEC 13818-1 2.4.3.3. Behind discontinuity_indicator, also in a packet without payload,
 * which counts no further, a counter goes on from that of the packet.
 */
function readCounters(bytes: Uint8Array, end: number) {
  const counters = new Map<number, Counter & { last: number }>()
  const repeatable = new Uint8Array(NULL_PID)
  let continuityErrors = 0
  for (let at = 0; at < end; at += PACKET_SIZE) {
    const pid = readPid(bytes, at)
    const mayJump = hasDiscontinuityIndicator(bytes, at)
    const counts = hasPayload(bytes, at)
    if (pid === NULL_PID || (!counts && !mayJump)) continue
    const counter = readCounter(bytes, at)
    const known = counters.get(pid)
    if (known === undefined) counters.set(pid, { first: counter, last: counter, mayJump })
    else {
      const isRepeated = counter === known.last && repeatable[pid] === 1
      if (!mayJump && counter !== ((known.last + 1) & 0x0f) && !isRepeated) continuityErrors++
      known.last = counter
    }
    repeatable[pid] = counts ? 1 : 0
  }
  return { continuityErrors, counters }
}
