// Groups chunks into GOPs as they pass: the first chunk describes its GOP, and nothing waits for the end of a GOP.
// Chunks before the first random access point are dropped.
import {
  areSameTracks,
  difference33,
  isUnitStart,
  LAST_OF_PID,
  MARK_FLAGS,
  MARK_OFFSET,
  MARK_PID,
  MARK_SIZE,
  PACKET_SIZE,
  payloadOffset,
  PSI,
  PartialSections,
  readPid,
  readPts,
  SetsInForce,
  SpliceTracker,
  splitChunk,
  TrackFollower,
  UNIT_START,
} from '@millrace/media/mpegts'
import type { Chunk, Discontinuity, Gop, GopChunk, Program, StoredSets, Track, TsChunk } from '@millrace/media/mpegts'

export interface GopCutterSettings {
  /** The longest GOP, where `joins` is `nearest`; and how long the stream may show nothing to start or continue with. */
  maxDurationMs: number
  /**
   * After a GOP of that duration, `nearest`: another begins at the next unit of the video (or audio); `wait`: GOPs begin
   * at random access points only.
   */
  joins: 'wait' | 'nearest'
}

/** What is wrong with the stream: nothing; no GOP has begun; no unit of the video (or audio) comes. */
export type GopFault = 'none' | 'no key frame' | 'no pictures'

/** State of a cutter between two chunks, for another cutter that continues with the same stream. Immutable. */
export interface CutterState {
  /** PAT, CAT and PMTs in force, with the counters of the last packets of their PIDs. */
  readonly tables: Uint8Array
  /** Packets of incomplete sections. */
  readonly tails: readonly Uint8Array[]
  /** Hashes, by PID. */
  readonly parameterSets: ReadonlyMap<number, number>
  /** Of the video that leads; missing in the state of a cutter that did not keep them. */
  readonly sets?: StoredSets
  readonly gop: Gop | undefined
  readonly nextId: number
  readonly sinceMs: number
  readonly pending: Discontinuity
  readonly tracks: readonly Track[]
  readonly lastGopSeconds: number
  readonly keyFrameAtMs: number
  readonly unitAtMs: number
  readonly fault: GopFault
}

export class GopCutter {
  /**
   * Duration of the last complete GOP in seconds, by PTS, from its start to the start of the next; 0 until there were
   * two.
   */
  lastGopSeconds = 0
  /** Monotonic milliseconds of the newest random access point; -1 before the first. */
  keyFrameAtMs = -1
  /** Packets before the first random access point of each generation. */
  skippedPackets = 0
  /** Lasts for `maxDurationMs` or more. */
  fault: GopFault = 'none'
  readonly #settings: GopCutterSettings
  readonly #splice = new SpliceTracker()
  readonly #follower = new TrackFollower(this.#splice.table)
  readonly #partialSections: PartialSections
  /** Those that the previous cutter has seen. */
  readonly #parameterSets: ReadonlyMap<number, number>
  /** For GOPs that begin at a picture without them. */
  readonly #sets: SetsInForce
  #gop: Gop | undefined
  #nextId = 0
  /** When the current GOP, or the wait for the first one, began. */
  #sinceMs = -1
  /** When the newest unit of the video (or audio) arrived; at first, when the stream began. */
  #unitAtMs = -1
  /** Discontinuity that the next passing chunk reports on behalf of dropped ones. */
  #pending: Discontinuity = false
  #tracks: readonly Track[] = []

  /** `before`: state of the cutter that received the chunks until now; by default this one starts with the stream. */
  constructor(settings: GopCutterSettings, before?: CutterState) {
    this.#settings = settings
    this.#parameterSets = before?.parameterSets ?? new Map()
    this.#partialSections = new PartialSections(before?.tails)
    this.#sets = new SetsInForce(before?.sets)
    if (before === undefined) return
    this.#splice.follow(psiChunk(before.tables, true))
    for (const packet of before.tails) this.#splice.follow(psiChunk(packet, false))
    this.#gop = before.gop
    this.#nextId = before.nextId
    this.#sinceMs = before.sinceMs
    this.#pending = before.pending
    this.#tracks = before.tracks
    this.lastGopSeconds = before.lastGopSeconds
    this.keyFrameAtMs = before.keyFrameAtMs
    this.#unitAtMs = before.unitAtMs
    this.fault = before.fault
  }

  /** A copy: this cutter can continue. */
  state(): CutterState {
    const parameterSets = new Map(this.#parameterSets)
    for (const program of this.#splice.table.programs.values())
      for (const track of this.#tracksOf(program)) parameterSets.set(track.pid, track.parameterSets)
    return {
      tables: this.#splice.preamble(),
      tails: this.#partialSections.packets(),
      parameterSets,
      sets: this.#sets.stored(),
      gop: this.#gop,
      nextId: this.#nextId,
      sinceMs: this.#sinceMs,
      pending: this.#pending,
      tracks: this.#tracks,
      lastGopSeconds: this.lastGopSeconds,
      keyFrameAtMs: this.keyFrameAtMs,
      unitAtMs: this.#unitAtMs,
      fault: this.fault,
    }
  }

  /** Takes a chunk; returns the chunks that pass at once. */
  push(chunk: TsChunk): readonly GopChunk[] {
    const { receivedAtMs, discontinuity, randomAccess } = chunk
    if (this.#sinceMs < 0) this.#sinceMs = receivedAtMs
    if (this.#unitAtMs < 0) this.#unitAtMs = receivedAtMs
    if (discontinuity === 'lost' || discontinuity === 'source') {
      this.#gop = undefined
      this.#sinceMs = receivedAtMs
    }
    const cut = randomAccess ? [this.#beginAt(chunk)] : this.#pushOther(chunk)
    // After the cut: sets behind the first picture of a GOP are not in force there.
    this.#sets.follow(chunk, this.#settings.joins === 'nearest')
    if (randomAccess || this.#firstUnit(chunk) >= 0) this.#unitAtMs = receivedAtMs
    this.fault = this.#faultAt(receivedAtMs)
    return cut
  }

  /** How long the fault has lasted. */
  faultSeconds(nowMs: number): number {
    return Math.floor((nowMs - (this.fault === 'no pictures' ? this.#unitAtMs : this.#sinceMs)) / 1000)
  }

  /**
   * A long GOP is none: pictures come, and viewers that have started see them. Nor is a stream without pictures at the
   * start: what it lacks, its input says.
   */
  #faultAt(nowMs: number): GopFault {
    const { maxDurationMs } = this.#settings
    const hasPictures = nowMs - this.#unitAtMs < maxDurationMs
    if (this.#gop !== undefined) return hasPictures ? 'none' : 'no pictures'
    return hasPictures && nowMs - this.#sinceMs >= maxDurationMs ? 'no key frame' : 'none'
  }

  #beginAt(chunk: TsChunk): GopChunk {
    this.keyFrameAtMs = chunk.receivedAtMs
    return this.#begin(chunk)
  }

  #pushOther(chunk: TsChunk): readonly GopChunk[] {
    const { joins, maxDurationMs } = this.#settings
    const isLong = chunk.receivedAtMs - this.#sinceMs >= maxDurationMs
    return isLong && joins === 'nearest' ? this.#beginAnywhere(chunk) : this.#continue(chunk)
  }

  #follow(chunk: Chunk): void {
    this.#splice.follow(chunk)
    this.#partialSections.follow(chunk, this.#splice.table)
  }

  #tracksOf(program: Program | undefined): readonly Track[] {
    return this.#follower.tracks(program).map((track) => {
      const known = track.parameterSets === 0 ? (this.#parameterSets.get(track.pid) ?? 0) : track.parameterSets
      return { ...track, parameterSets: known }
    })
  }

  #continue(chunk: TsChunk): readonly GopChunk[] {
    this.#follow(chunk)
    if (this.#gop !== undefined) return [this.#pass(chunk, this.#gop, false)]
    this.skippedPackets += chunk.bytes.length / PACKET_SIZE
    // Viewers of the previous GOP see a gap, which the next passing chunk reports.
    if (this.#nextId > 0) this.#pending = 'lost'
    return []
  }

  #begin(chunk: TsChunk): GopChunk {
    const psi = this.#splice.preamble()
    this.#follow(chunk)
    this.#follower.follow(chunk)
    const tracks = this.#tracksOf(this.#splice.table.select(chunk.lead?.program))
    const startPts90k = this.#startPts(chunk)
    const before = this.#gop
    const isBroken = chunk.discontinuity !== false || this.#pending !== false || !areSameTracks(this.#tracks, tracks)
    this.#noteLength(before, startPts90k)
    this.#tracks = tracks
    const gop = { id: this.#nextId, psi, tracks, startPts90k, discontinuity: this.#nextId > 0 && isBroken }
    this.#nextId++
    this.#gop = gop
    this.#sinceMs = chunk.receivedAtMs
    return this.#pass(chunk, gop, true)
  }

  /** Cuts in front of the first unit of the leading PID, if there is one in the chunk. */
  #beginAnywhere(chunk: TsChunk): readonly GopChunk[] {
    const at = this.#firstUnit(chunk)
    if (at < 0) return this.#continue(chunk)
    if (at === 0) return [this.#begin(this.#withHead(chunk))]
    const [before, after] = splitChunk(chunk, at)
    return [...this.#continue(before), this.#begin(this.#withHead(after))]
  }

  /** The chunk begins with a picture that need not bring the parameter sets in force. */
  #withHead(chunk: TsChunk): TsChunk {
    const head = this.#sets.headFor(chunk.lead, chunk.bytes, 0)
    return head === undefined ? chunk : { ...chunk, head }
  }

  #pass(chunk: TsChunk, gop: Gop, first: boolean): GopChunk {
    const { bytes, origin, receivedAtMs, marks, lead, head } = chunk
    const passed = { ...(lead === undefined ? {} : { lead }), ...(head === undefined ? {} : { head }) }
    const discontinuity = this.#pending === false ? chunk.discontinuity : this.#pending
    this.#pending = false
    return { kind: 'gop', bytes, origin, receivedAtMs, marks, ...passed, discontinuity, gop, first }
  }

  #noteLength(before: Gop | undefined, startPts90k: number): void {
    if (before === undefined || before.startPts90k < 0 || startPts90k < 0) return
    const ticks = difference33(startPts90k, before.startPts90k)
    if (ticks > 0) this.lastGopSeconds = ticks / 90_000
  }

  /** Offset of the first unit of the leading PID, -1 if there is none. */
  #firstUnit({ marks, lead }: TsChunk): number {
    for (let at = 0; at < marks.length; at += MARK_SIZE) {
      if (marks[at + MARK_PID] === lead?.pid && (marks[at + MARK_FLAGS]! & UNIT_START) !== 0)
        return marks[at + MARK_OFFSET]!
    }
    return -1
  }

  #startPts(chunk: TsChunk): number {
    if (chunk.head?.startsInside === true && chunk.head.pts90k >= 0) return chunk.head.pts90k
    const unit = this.#firstUnit(chunk)
    return unit < 0 ? -1 : readPts(chunk.bytes, payloadOffset(chunk.bytes, unit), unit + PACKET_SIZE)
  }
}

/** Packets of tables as a chunk for `follow`. `areLast`: their continuity counters are taken over. */
function psiChunk(bytes: Uint8Array, areLast: boolean): Chunk {
  const marks: number[] = []
  for (let offset = 0; offset < bytes.length; offset += PACKET_SIZE) {
    const start = isUnitStart(bytes, offset) ? UNIT_START : 0
    marks.push(offset, readPid(bytes, offset), PSI | start | (areLast ? LAST_OF_PID : 0), 0)
  }
  const origin = { generation: 0, seq: 0 }
  return { bytes, origin, receivedAtMs: 0, discontinuity: false, marks: Int32Array.from(marks) }
}
