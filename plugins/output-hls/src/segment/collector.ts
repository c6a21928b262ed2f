// Takes the chunks of one rendition, and finds where they can be cut: the access units of the track that leads, with
// their times and positions. Keeps the bytes until a segment has been made of them.
import { isRandomAccessPoint } from '@millrace/engine/plugin'
import type { AnyChunk, Track } from '@millrace/engine/plugin'
import {
  areSameTracks,
  difference33,
  MARK_FLAGS,
  MARK_OFFSET,
  MARK_PID,
  MARK_SIZE,
  mod33,
  PACKET_SIZE,
  payloadOffset,
  readPid,
  readPts,
  Remarker,
  splitAtStart,
  SpliceTracker,
  TrackFollower,
  UNIT_START,
} from '@millrace/media/mpegts'
import type { DecoderHead } from '@millrace/media/mpegts'
import { DoubtedTimes } from './doubted-times.js'
import type { Unit } from './unit.js'
import { ProgramHead } from './program-head.js'
import { readUnit, startsWithIndependentPicture } from './first-picture.js'

/** Part of a chunk. */
export interface Span {
  readonly bytes: Uint8Array
  readonly at: number
}

/** A frame, if no two are known: 25 a second. */
const DEFAULT_FRAME = 3600
/** The longest sensible frame; a radio's PES packets may hold many. */
const LONGEST_FRAME = 90_000
/** Ten minutes: more is a jump of the clock. */
const LONGEST_GOP = 54_000_000
/** Units that are closer are one place to cut: 5 ms. */
const FINEST_STEP = 450
/** What comes while a decoder could not start is not kept. */
const NOTHING: readonly Unit[] = []

export class Collector {
  /** From one random access point to the next, 90 kHz. */
  longestGop90k = 0
  /** When the last chunk came, monotonic; -Infinity before the first. */
  lastChunkMs = -Infinity
  /** Packets without a key frame before them. */
  skippedPackets = 0
  /** Chunks in front of which packets are missing. */
  losses = 0
  /** The tracks at the newest point. */
  tracks: readonly Track[] = []
  #splice = new SpliceTracker()
  #follower = new TrackFollower(this.#splice.table)
  readonly #spans: Span[] = []
  readonly #units: Unit[] = []
  #end = 0
  /** A random access point has been seen since the last break. */
  #isOpen = false
  #brokenAt90k: number | undefined
  #isNew = false
  #head: ProgramHead | undefined
  #headChanges = -1
  #latest90k = -1
  #latestAtMs = 0
  readonly #doubted = new DoubtedTimes()
  #lastPoint90k = -1
  #frame90k = DEFAULT_FRAME

  /** In order; from the last `drop` on. */
  get units(): readonly Unit[] {
    return this.#units
  }

  get bufferedBytes(): number {
    return this.#end - (this.#spans[0]?.at ?? this.#end)
  }

  /** Position behind the last byte. */
  get end(): number {
    return this.#end
  }

  /** It has a random access point, and no data is missing since. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** The newest time that a unit is shown; -1 before the first. */
  get latest90k(): number {
    return this.#latest90k
  }

  /** When the last unit so far has been shown. */
  get end90k(): number {
    return mod33(this.#latest90k + this.#frame90k)
  }

  push(chunk: AnyChunk, nowMs: number): void {
    this.lastChunkMs = nowMs
    this.#noteBreak(chunk)
    const parts = splitAtStart(chunk)
    if (parts === undefined) return this.#take(chunk, isRandomAccessPoint(chunk))
    // The picture begins inside the last packet of the first part: what a decoder lacks of it comes with the second.
    this.#take({ ...chunk, ...parts.before }, false)
    if (parts.rest !== undefined) this.#take(parts.rest, isRandomAccessPoint(chunk))
  }

  #take(chunk: AnyChunk, isPoint: boolean): void {
    this.#follow(chunk, isPoint)
    const head = isPoint ? this.#headOf(chunk) : this.#head
    const units = head === undefined || (!this.#isOpen && !isPoint) ? NOTHING : this.#find(chunk, head, isPoint)
    // A point without a time cannot be placed.
    if (!this.#isOpen && units.length === 0) {
      this.skippedPackets += chunk.bytes.length / PACKET_SIZE
      return
    }
    this.#isOpen = true
    for (const unit of units) this.#settle(unit)
    this.#spans.push({ bytes: chunk.bytes, at: this.#end })
    this.#end += chunk.bytes.length
  }

  /** The next chunk may belong to another stream. */
  expectNew(): void {
    this.#break()
    this.#isNew = true
    this.#splice = new SpliceTracker()
    this.#follower = new TrackFollower(this.#splice.table)
    this.#headChanges = -1
  }

  /** What comes before the next random access point is not wanted: its time has passed. */
  requirePoint(): void {
    this.#break()
  }

  /** The bytes between two positions. */
  take(from: number, to: number): readonly Uint8Array[] {
    const parts: Uint8Array[] = []
    for (const { bytes, at } of this.#spans) {
      if (at >= to) break
      if (at + bytes.length <= from) continue
      parts.push(at >= from && at + bytes.length <= to ? bytes : bytes.subarray(Math.max(0, from - at), to - at))
    }
    return parts
  }

  /** Forgets what is before the position. */
  drop(before: number): void {
    let spans = 0
    for (const { bytes, at } of this.#spans) {
      if (at + bytes.length > before) break
      spans++
    }
    if (spans > 0) this.#spans.splice(0, spans)
    let units = 0
    while (units < this.#units.length && this.#units[units]!.at < before) units++
    if (units > 0) this.#units.splice(0, units)
  }

  /** A single time that does not follow is damaged; several are another clock. */
  #settle(unit: Unit): void {
    const isFirst = unit.brokenAt90k !== undefined || unit.isNew || this.#latest90k < 0
    const elapsedMs = unit.receivedAtMs - this.#latestAtMs
    const { damaged, believed } = this.#doubted.push(unit, isFirst ? undefined : this.#latest90k, elapsedMs)
    for (const each of damaged) this.#add({ ...each, pts90k: each.isPoint ? this.end90k : this.#latest90k })
    const isOther = believed.length > 1
    const point = isOther ? believed.findIndex(({ isPoint }) => isPoint) : 0
    if (point < 0) {
      // Nothing can be decoded by this clock before a key frame.
      this.#break()
      this.#isNew = true
      return
    }
    for (const each of believed.slice(point)) {
      this.#add(isOther && each === believed[point] ? { ...each, isNew: true } : each)
    }
  }

  #add(unit: Unit): void {
    const isLatest = this.#noteTime(unit)
    if (isLatest) this.#latestAtMs = unit.receivedAtMs
    const added = { ...unit, isLatest }
    if (this.#isPlace(added)) this.#units.push(added)
  }

  /** It can be cut there. A stream may have as many units as packets, at the same time. */
  #isPlace({ isPoint, isLatest, pts90k, brokenAt90k, isNew }: Unit): boolean {
    const last = this.#units.at(-1)
    if (last === undefined || isNew || brokenAt90k !== undefined) return true
    const isFar = Math.abs(difference33(pts90k, last.pts90k)) >= FINEST_STEP
    return isPoint ? isFar || !last.isPoint : isFar && isLatest
  }

  #noteBreak({ discontinuity }: AnyChunk): void {
    if (discontinuity === 'lost') this.losses++
    if (discontinuity === 'marked') this.#isNew = true
    // A marked chunk follows without a gap if a decoder can start with it.
    if (discontinuity === 'lost' || discontinuity === 'source') this.#break()
  }

  #break(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#doubted.clear()
    this.#brokenAt90k = this.end90k
  }

  #follow(chunk: AnyChunk, isPoint: boolean): void {
    // A node that joins a running stream has not seen the tables; a GOP carries them.
    const { table } = this.#splice
    if (chunk.kind === 'gop' && chunk.first && table.programs.size === 0 && chunk.gop.psi.length > 0) {
      const { psi } = chunk.gop
      this.#splice.follow({ ...chunk, bytes: psi, marks: new Remarker().remark(psi) })
    }
    this.#splice.follow(chunk)
    if (!isPoint) return
    this.#follower.follow(chunk.kind === 'ts' ? chunk : { ...chunk, kind: 'ts', randomAccess: true })
    const tracks = this.#follower.tracks(table.select(chunk.lead?.program))
    if (this.tracks.length > 0 && !areSameTracks(this.tracks, tracks)) this.#isNew = true
    this.tracks = tracks
  }

  /** Made anew only when a table or the track that leads has changed. */
  #headOf({ lead }: AnyChunk): ProgramHead | undefined {
    const { table } = this.#splice
    if (this.#headChanges === table.changes && this.#head?.lead === lead) return this.#head
    this.#headChanges = table.changes
    const next = lead && ProgramHead.of(table, lead)
    if (next === undefined || this.#head?.equals(next) !== true) this.#head = next
    return this.#head
  }

  /** Their times go up and down with B pictures; units without a time are no place to cut. */
  #find(chunk: AnyChunk, head: ProgramHead, isPoint: boolean): readonly Unit[] {
    const { bytes, marks } = chunk
    const isInside = isPoint && chunk.head?.startsInside === true
    const units = isInside ? this.#pointInside(chunk, head, chunk.head) : []
    let isFirst = isPoint && !isInside
    for (let at = 0; at < marks.length; at += MARK_SIZE) {
      if (marks[at + MARK_PID] !== head.leadPid || (marks[at + MARK_FLAGS]! & UNIT_START) === 0) continue
      const offset = marks[at + MARK_OFFSET]!
      const pts90k = readPts(bytes, payloadOffset(bytes, offset), offset + PACKET_SIZE)
      if (pts90k >= 0 && isFirst) units.push(this.#point(chunk, head, pts90k, readUnit(bytes, offset)))
      else if (pts90k >= 0) units.push(this.#picture(chunk, head, pts90k, this.#end + offset))
      isFirst = false
    }
    // Nothing can start at a point without a time.
    return this.#isOpen || units[0]?.isPoint === true ? units : NOTHING
  }

  /** A picture that is not the first of its PES packet has no time of its own: it follows those before it. */
  #pointInside(chunk: AnyChunk, head: ProgramHead, { pts90k: given, elementary }: DecoderHead): Unit[] {
    const pts90k = given < 0 && this.#isOpen ? this.end90k : given
    return pts90k < 0 ? [] : [this.#point(chunk, head, pts90k, elementary)]
  }

  /** `elementary`: the beginning of its picture. */
  #point(chunk: AnyChunk, head: ProgramHead, pts90k: number, elementary: Uint8Array): Unit {
    const unit: Unit = {
      ...{ pts90k, at: this.#end, receivedAtMs: chunk.receivedAtMs, head, isPoint: true },
      isIndependent: startsWithIndependentPicture(elementary, head.lead),
      isLatest: true,
      ...{ brokenAt90k: this.#brokenAt90k, isNew: this.#isNew, lacking: this.#lackingOf(chunk) },
    }
    this.#brokenAt90k = undefined
    this.#isNew = false
    return unit
  }

  #picture({ receivedAtMs }: AnyChunk, head: ProgramHead, pts90k: number, at: number): Unit {
    const isPlain = {
      isLatest: false,
      isPoint: false,
      isIndependent: false,
      isNew: false,
      brokenAt90k: undefined,
      lacking: undefined,
    }
    return { pts90k, at, receivedAtMs, head, ...isPlain }
  }

  /** Parameter sets that the stream does not repeat, and the beginning of a picture that starts inside a packet. */
  #lackingOf(chunk: AnyChunk): Uint8Array | undefined {
    const { head } = chunk
    if (head === undefined) return undefined
    const preamble = this.#splice.preamble(chunk)
    const packets: Uint8Array[] = []
    for (let at = 0; at < preamble.length; at += PACKET_SIZE) {
      if (readPid(preamble, at) === head.pid) packets.push(preamble.subarray(at, at + PACKET_SIZE))
    }
    return Buffer.concat(packets)
  }

  /** True if it is shown after all before it. Behind a break, any time can follow. */
  #noteTime({ pts90k, isPoint, brokenAt90k, isNew }: Unit): boolean {
    const restarts = isPoint && (brokenAt90k !== undefined || isNew || this.#latest90k < 0)
    if (isPoint) this.#noteGop(pts90k, restarts)
    const step = restarts ? 0 : difference33(pts90k, this.#latest90k)
    const frame = Math.abs(step)
    if (frame > 0 && (step > 0 ? frame < LONGEST_FRAME : frame < this.#frame90k)) this.#frame90k = frame
    if (step <= 0 && !isPoint) return false
    this.#latest90k = pts90k
    return true
  }

  #noteGop(pts90k: number, restarts: boolean): void {
    const gop = restarts ? 0 : difference33(pts90k, this.#lastPoint90k)
    if (gop > this.longestGop90k && gop < LONGEST_GOP) this.longestGop90k = gop
    this.#lastPoint90k = pts90k
  }
}
