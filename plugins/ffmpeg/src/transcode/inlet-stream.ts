// The stream of the inlet as the encoder and the native rendition need it: which tracks flow, and for each chunk what is to
// be sent if somebody starts there.
import { isRandomAccessPoint } from '@millrace/engine/plugin'
import type { AnyChunk } from '@millrace/engine/plugin'
import {
  difference33,
  isUnitStart,
  MARK_FLAGS,
  MARK_MS,
  MARK_OFFSET,
  MARK_PID,
  MARK_SIZE,
  parsePmt,
  payloadOffset,
  PACKET_SIZE,
  PID_COUNT,
  RANDOM_ACCESS,
  readPid,
  readPts,
  Remarker,
  SCRAMBLED,
  splitAtStart,
  SpliceTracker,
  UNIT_START,
} from '@millrace/media/mpegts'
import type { Program, Track } from '@millrace/media/mpegts'
import { audioSlots, isDecodable, successors } from './feed-plan.js'
import type { FeedPlan, FeedTrack } from './feed-plan.js'

/** A chunk on its way to the encoder. */
export interface Entry {
  readonly bytes: Uint8Array
  readonly receivedAtMs: number
  /** Something can start here. */
  readonly start?: EntryStart
  /** What precedes it is missing. */
  readonly isBreak: boolean
  /** Something can start here, at an earlier time than at the start before: the clock of the source is another one. */
  readonly goesBack?: boolean
}

interface EntryStart {
  /** Tables, and what a decoder that starts here lacks. */
  readonly lead: Uint8Array
  /** The same for who has received something else before: it announces the discontinuity of all PIDs. */
  readonly bridge: Uint8Array
  /** The bytes, without what precedes the picture. */
  readonly bytes: Uint8Array
  /** Of the first picture; -1 if it has none. */
  readonly pts90k: number
}

const TABLE_PMT = 0x02
/** Starts of one clock: tracks that lead one after the other are not further apart. */
const BACK_90K = 2 * 90_000

export class InletStream {
  readonly #splice = new SpliceTracker()
  /** When a unit of each PID has begun last. */
  readonly #seenMs = new Float64Array(PID_COUNT).fill(-Infinity)
  #lead: AnyChunk['lead']
  /** Of the newest start; -1 if there is none. */
  #start90k = -1
  #hasTables = false

  /** Takes the next chunk of the inlet. */
  push(chunk: AnyChunk): Entry {
    if (chunk.lead !== undefined) this.#lead = chunk.lead
    const isStart = isRandomAccessPoint(chunk)
    if (chunk.kind === 'gop' && chunk.first && chunk.gop.psi.length > 0 && !this.#hasTables) this.#learn(chunk.gop.psi)
    const entry = isStart ? this.#starting(chunk) : this.#plain(chunk)
    this.#note(chunk)
    return entry
  }

  /** Which tracks there are, by the tables; undefined while there are none. */
  get program(): Program | undefined {
    return this.#splice.table.select(this.#lead?.program)
  }

  /** A unit of it has begun in this time. */
  isFlowing({ pid }: Pick<Track, 'pid'>, nowMs: number, withinMs: number): boolean {
    return nowMs - (this.#seenMs[pid] ?? -Infinity) <= withinMs
  }

  /** By the tables in force. */
  announces({ pid, codec }: Pick<Track, 'pid' | 'codec'>): boolean {
    return this.program?.tracks.some((track) => track.pid === pid && track.codec === codec) === true
  }

  /** The leading video track and all audio tracks, of those that flow; `kept`: those that were chosen before. */
  plan(nowMs: number, withinMs: number, kept?: FeedPlan): FeedPlan | undefined {
    const { program } = this
    if (program === undefined) return undefined
    const flowing = program.tracks.filter((track) => this.isFlowing(track, nowMs, withinMs))
    const videos = flowing.filter(({ media }) => media === 'video')
    const lead = this.#lead?.media === 'video' ? this.#lead.pid : kept?.video?.pid
    const video = this.#feedTrack(videos.find(({ pid }) => pid === lead) ?? videos[0], program)
    const isSound = (track: Track): boolean => track.media === 'audio' && isDecodable(track)
    const slots = audioSlots(program.tracks.filter(isSound), flowing.filter(isSound), kept?.audio ?? [])
    const audio = flowing.flatMap((track) => {
      const slot = slots.get(track.pid)
      return slot === undefined ? [] : (this.#feedTrack(track, program, slot) ?? [])
    })
    const { program: number, pcrPid } = program
    return { program: number, pcrPid, video, audio: audio.sort((a, b) => a.slot - b.slot) }
  }

  /** The same tracks by the tables in force: on other PIDs, if these no longer carry them. */
  remapped(plan: FeedPlan): FeedPlan {
    const { program } = this
    if (program === undefined) return plan
    const after = new Map([
      ...successors(plan.video === undefined ? [] : [plan.video], ofMedia(program, 'video')),
      ...successors(plan.audio, ofMedia(program, 'audio')),
    ])
    // With its language, although that of its successor may differ: what the renditions say is decided at their start.
    const find = (track: FeedTrack): FeedTrack => {
      const { slot, language } = track
      const found = this.#feedTrack(after.get(track), program, slot)
      return found === undefined ? track : { ...found, language }
    }
    const { program: number, pcrPid } = program
    return { program: number, pcrPid, video: plan.video && find(plan.video), audio: plan.audio.map(find) }
  }

  #plain(chunk: AnyChunk): Entry {
    this.#splice.follow(chunk)
    const { bytes, receivedAtMs } = chunk
    return { bytes, receivedAtMs, isBreak: chunk.discontinuity === 'lost' }
  }

  #starting(chunk: AnyChunk): Entry {
    const { bytes, receivedAtMs } = chunk
    const isBreak = chunk.discontinuity === 'lost'
    const parts = splitAtStart(chunk)
    const rest = parts === undefined ? chunk : parts.rest
    if (parts !== undefined) this.#splice.follow(parts.before)
    if (rest === undefined) return { bytes, receivedAtMs, isBreak }
    if (isBreak) this.#splice.resume(rest)
    const point = this.#splice.point(rest)
    this.#splice.follow(rest)
    const start = { lead: point.preamble(), bridge: point.bridge(), bytes: rest.bytes, pts90k: startPts(chunk) }
    return { bytes, receivedAtMs, isBreak, start, goesBack: this.#goesBack(start.pts90k) }
  }

  #goesBack(pts90k: number): boolean {
    if (pts90k < 0) return false
    const before90k = this.#start90k
    this.#start90k = pts90k
    return before90k >= 0 && difference33(pts90k, before90k) < -BACK_90K
  }

  /** A GOP carries the tables in force. */
  #learn(psi: Uint8Array): void {
    this.#splice.follow({
      bytes: psi,
      marks: new Remarker().remark(psi),
      origin: { generation: 0, seq: 0 },
      receivedAtMs: 0,
      discontinuity: false,
    })
  }

  #note({ marks, receivedAtMs }: AnyChunk): void {
    if (!this.#hasTables) this.#hasTables = this.#splice.table.programs.size > 0
    for (let at = 0; at < marks.length; at += MARK_SIZE) {
      // Of what is scrambled nothing can be decoded: an encoder would wait for it for ever.
      if ((marks[at + MARK_FLAGS]! & (UNIT_START | SCRAMBLED)) === UNIT_START) {
        this.#seenMs[marks[at + MARK_PID]!] = receivedAtMs + marks[at + MARK_MS]!
      }
    }
  }

  #feedTrack(track: Track | undefined, { program, pmtPid }: Program, slot = 0): FeedTrack | undefined {
    if (track === undefined || track.media === 'data') return undefined
    const { pid, media, codec, streamType, language } = track
    const feed = { pid, media, codec, streamType, language, slot }
    for (const { pid: tablePid, bytes } of this.#splice.table.sections.values()) {
      if (tablePid !== pmtPid || bytes[0] !== TABLE_PMT) continue
      const pmt = parsePmt(bytes, bytes.length)
      const stream = pmt?.program === program ? pmt.streams.find((other) => other.pid === pid) : undefined
      if (stream !== undefined) return { ...feed, descriptors: stream.descriptors }
    }
    return { ...feed, descriptors: new Uint8Array(0) }
  }
}

function ofMedia({ tracks }: Program, media: FeedTrack['media']): readonly Track[] {
  return tracks.filter((track) => track.media === media)
}

/** Time of the picture at which a chunk begins; -1 if it has none. */
export function startPts({ bytes, marks, head }: Pick<AnyChunk, 'bytes' | 'marks' | 'head'>): number {
  if (head !== undefined && head.pts90k >= 0) return head.pts90k
  for (let at = 0; at < marks.length; at += MARK_SIZE) {
    if ((marks[at + MARK_FLAGS]! & (RANDOM_ACCESS | UNIT_START)) !== (RANDOM_ACCESS | UNIT_START)) continue
    const offset = marks[at + MARK_OFFSET]!
    return readPts(bytes, payloadOffset(bytes, offset), offset + PACKET_SIZE)
  }
  return -1
}

/** The first presentation time of a PID in whole packets; -1 if there is none. */
export function firstPts(bytes: Uint8Array, pid: number): number {
  for (let at = 0; at + PACKET_SIZE <= bytes.length; at += PACKET_SIZE) {
    const pts = ptsAt(bytes, at, pid)
    if (pts >= 0) return pts
  }
  return -1
}

/** The greatest presentation time of a PID in whole packets; -1 if there is none. */
export function lastPts(bytes: Uint8Array, pid: number): number {
  let last = -1
  for (let at = 0; at + PACKET_SIZE <= bytes.length; at += PACKET_SIZE) {
    const pts = ptsAt(bytes, at, pid)
    if (pts >= 0 && (last < 0 || difference33(pts, last) > 0)) last = pts
  }
  return last
}

/** Of the unit that begins in the packet; -1 if none of this PID does. */
function ptsAt(bytes: Uint8Array, at: number, pid: number): number {
  if (readPid(bytes, at) !== pid || !isUnitStart(bytes, at)) return -1
  return readPts(bytes, payloadOffset(bytes, at), at + PACKET_SIZE)
}
