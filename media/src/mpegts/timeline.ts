// One continuous timeline across all generations of a source. The first generation passes unchanged; in later ones only
// PCR, OPCR, PTS, DTS, continuity counters and, where the tables changed, their version differ from what arrived. No
// timers: chunks carry their times.
import type { Discontinuity, Track, TsChunk } from './chunk.js'
import { ClockJumps } from './clock-jumps.js'
import type { ClockedChunk } from './clock-jumps.js'
import { Junction } from './junction.js'
import type { JunctionRules } from './junction.js'
import { HAS_PCR, LAST_OF_PID, MARK_FLAGS, MARK_OFFSET, MARK_PID, MARK_SIZE } from './marks.js'
import { PACKET_SIZE, PID_COUNT, readCounter } from './packet.js'
import { readPcrBase } from './pcr.js'
import { ProgramTable } from './program-table.js'
import { MIN_ADVANCE, RepeatedPackets } from './repeated-packets.js'
import { UNSEEN_COUNTER } from './sent-state.js'
import type { SentState } from './sent-state.js'
import { SentUnits } from './sent-units.js'
import type { Recognition } from './sent-units.js'
import { StreamClocks } from './stream-clocks.js'
import type { TimelineRewriter } from './timeline-rewriter.js'
import { areSameTracks, TrackFollower } from './track-follower.js'
import { withoutUnfinished } from './unfinished-units.js'

/** Plain numbers, for metrics. */
export interface TimelineCounters {
  /**
   * Packets dropped at junctions: unfinished units of the old generation, and units of the new one whose start is
   * missing.
   */
  droppedPackets: number
  /** Packets dropped because the source had sent them before it was connected again. */
  repeatedPackets: number
  junctions: number
  /** Jumps of the clock within a generation. */
  clockJumps: number
}

const NO_CHUNKS: readonly TsChunk[] = []

interface GenerationEnd {
  /** The last chunk. */
  readonly chunk: TsChunk | undefined
  readonly isWholeFile: boolean
}

export class Timeline {
  readonly counters: TimelineCounters = { droppedPackets: 0, repeatedPackets: 0, junctions: 0, clockJumps: 0 }
  readonly #table = new ProgramTable()
  readonly #tracks = new TrackFollower(this.#table)
  readonly #sent: SentState = {
    table: this.#table,
    clocks: new StreamClocks(),
    counters: new Uint8Array(PID_COUNT).fill(UNSEEN_COUNTER),
    pcrs: undefined,
  }
  #junction: Junction | undefined
  #rewriter: TimelineRewriter | undefined
  #nextSeq = 0
  /** The current generation follows the previous one without a gap in time. */
  #isContiguous = false
  /** The discontinuity of a chunk of which nothing was sent. */
  #pendingDiscontinuity: Discontinuity = false
  #lastTracks: readonly Track[] = []
  readonly #isAligned: boolean
  readonly #units = new SentUnits()
  /** What the current generation repeats. */
  #repeated: RepeatedPackets | undefined
  /** The source plays a recording again: to drop that would leave nothing. */
  #isRecording = false
  /** How much the current generation repeats that is not dropped; -1 for nothing. */
  #playedAgain90k = -1
  readonly #jumps = new ClockJumps()
  readonly #hasClock = (pid: number): boolean => this.#clockPids.has(pid)
  /** PIDs of audio and video that arrive. */
  #clockPids = new Set<number>()
  #clockChanges = -1

  /** `isAligned`: at each junction it waits for `align`. */
  constructor({ isAligned = false }: { readonly isAligned?: boolean } = {}) {
    this.#isAligned = isAligned
  }

  /** The junction that waits for `align`. */
  get waiting(): Junction | undefined {
    return this.#isAligned && this.#junction?.offset90k === undefined ? this.#junction : undefined
  }

  /** It has sent something. */
  get hasSent(): boolean {
    return this.#nextSeq > 0
  }

  /** Decides the offset of the current generation. Returns what can be sent. */
  align(offset90k: number, nowMs: number): readonly TsChunk[] {
    const { waiting } = this
    if (waiting === undefined) return NO_CHUNKS
    waiting.offset90k = offset90k
    return waiting.isKnown || waiting.isFull(nowMs) ? this.#commit() : NO_CHUNKS
  }

  /** Takes a chunk of the current generation and owns it: its bytes may be changed. Returns what can be sent. */
  push(chunk: TsChunk): readonly TsChunk[] {
    if (this.#isAligned) return this.#take(chunk)
    this.#listClocks()
    return this.#takeClocked(this.#jumps.push(chunk, this.#hasClock))
  }

  /** Time has passed: what has waited too long for a jump or a junction goes on with what is known. */
  flush(nowMs: number): readonly TsChunk[] {
    const held = this.#jumps.isOverdue(nowMs) ? this.#takeClocked(this.#jumps.release()) : NO_CHUNKS
    const joined = this.waiting === undefined && this.#junction?.isOverdue(nowMs) === true ? this.#commit() : NO_CHUNKS
    return held.length === 0 ? joined : [...held, ...joined]
  }

  /**
   * The generation has ended with `last`; the next push belongs to another one. `contiguous`: no time passes between
   * the two (a file that loops). Returns what can be sent of the old one.
   */
  endGeneration(last: readonly TsChunk[], rules: JunctionRules): readonly TsChunk[] {
    const end = { chunk: last.at(-1), isWholeFile: rules.timeline === 'contiguous' }
    this.#sent.pcrs = undefined
    const sent: TsChunk[] = [...this.#takeClocked(this.#jumps.reset())]
    for (const chunk of last) sent.push(...this.#take(chunk, end))
    if (this.#junction !== undefined) sent.push(...this.#commit(end))
    this.#judgeRecording()
    this.#repeated = undefined
    this.#junction = new Junction(this.#sent, rules)
    if (rules.timeline === 'kept') this.#junction.offset90k = this.#rewriter?.offset90k ?? 0
    return sent
  }

  #takeClocked(parts: readonly ClockedChunk[]): readonly TsChunk[] {
    const sent: TsChunk[] = []
    for (const { chunk, jumps } of parts) {
      if (jumps) sent.push(...this.#jump())
      sent.push(...this.#take(chunk))
    }
    return sent
  }

  /** What follows has another clock, and goes on where the stream is. Several programs need not jump together. */
  #jump(): readonly TsChunk[] {
    this.counters.clockJumps++
    if (this.#table.programs.size > 1) return NO_CHUNKS
    const sent = this.#commit()
    this.#sent.pcrs = undefined
    this.#junction = new Junction(this.#sent, { timeline: 'contiguous', continues: true })
    return sent
  }

  #listClocks(): void {
    if (this.#table.changes === this.#clockChanges) return
    this.#clockChanges = this.#table.changes
    this.#clockPids = new Set()
    for (const { tracks } of this.#table.programs.values())
      for (const { media, pid } of tracks) if (media !== 'data') this.#clockPids.add(pid)
  }

  #take(chunk: TsChunk, end?: GenerationEnd): readonly TsChunk[] {
    if (this.#junction === undefined) {
      const sent = this.#send(chunk, end)
      if (this.#repeated?.hasFailed(chunk.receivedAtMs) === true) this.#endRepeat()
      return sent === undefined ? NO_CHUNKS : [sent]
    }
    if (!this.#junction.push(chunk) || this.waiting !== undefined) return NO_CHUNKS
    const isUnsure = this.#recognize(this.#junction) === 'some' && !this.#junction.isFull(chunk.receivedAtMs)
    return isUnsure ? NO_CHUNKS : this.#commit(end)
  }

  #recognize(junction: Junction): Recognition {
    return junction.mayRepeat ? this.#units.recognize(junction.held, this.#rewriter?.offset90k ?? 0) : 'none'
  }

  /** What is repeated from here on, if anything is. */
  #findRepeat(junction: Junction): RepeatedPackets | undefined {
    const recognition = this.#recognize(junction)
    if (recognition === 'none' || this.#isRecording) {
      if (recognition !== 'none') this.#playedAgain90k = this.#units.overlap90k
      this.#units.clear()
      return undefined
    }
    const pcrs = new Map(this.#sent.pcrs)
    for (const [pid, { last }] of this.#sent.clocks.pcr) if (!pcrs.has(pid)) pcrs.set(pid, last)
    const offset90k = this.#rewriter?.offset90k ?? 0
    return new RepeatedPackets(this.#units, { offset90k, pcrs, atMs: junction.held[0]?.receivedAtMs ?? 0 })
  }

  /** A generation has ended: whether it went beyond the one before. */
  #judgeRecording(): void {
    if (this.#repeated?.isRecording === true) this.#isRecording = true
    const again90k = this.#playedAgain90k
    if (again90k >= 0 && this.#units.span90k > again90k + MIN_ADVANCE) this.#isRecording = false
    this.#playedAgain90k = -1
  }

  /** What follows is a new generation like any other. */
  #endRepeat(): void {
    this.#repeated = undefined
    this.#isRecording = true
    this.#pendingDiscontinuity = 'source'
    this.#junction = new Junction(this.#sent, { timeline: 'elapsed' })
  }

  #commit(end?: GenerationEnd): readonly TsChunk[] {
    const junction = this.#junction
    if (junction === undefined || junction.held.length === 0) return NO_CHUNKS
    this.#junction = undefined
    this.counters.junctions++
    this.#table.reset()
    this.#repeated = this.#findRepeat(junction)
    this.#rewriter = junction.plan(this.#rewriter, this.#repeated)
    this.#isContiguous = junction.isContiguous || this.#repeated !== undefined
    const sent: TsChunk[] = []
    for (const chunk of junction.held) sent.push(...this.#take(chunk, end))
    return sent
  }

  #send(chunk: TsChunk, end: GenerationEnd | undefined): TsChunk | undefined {
    const moved = this.#move(chunk, chunk === end?.chunk ? end : undefined)
    const repeated = this.#repeated?.takeCount() ?? 0
    this.counters.repeatedPackets += repeated
    this.counters.droppedPackets += (chunk.bytes.length - (moved?.bytes.length ?? 0)) / PACKET_SIZE - repeated
    const discontinuity = this.#breakBefore(chunk) || this.#pendingDiscontinuity
    this.#pendingDiscontinuity = moved === undefined ? discontinuity : false
    if (moved === undefined) return undefined
    const { generation } = chunk.origin
    const seq = this.#nextSeq++
    const isAsIs = moved.discontinuity === discontinuity && moved.origin.seq === seq
    return this.#follow(isAsIs ? moved : { ...moved, origin: { generation, seq }, discontinuity })
  }

  /** A file that loops continues without a break: no reader has to start again. */
  #breakBefore({ discontinuity }: TsChunk): Discontinuity {
    return this.#isContiguous && discontinuity === 'source' ? false : discontinuity
  }

  /** The chunk on the timeline, without what must not be sent. */
  #move(chunk: TsChunk, end: GenerationEnd | undefined): TsChunk | undefined {
    const moved = this.#rewriter === undefined ? chunk : this.#rewriter.rewrite(chunk)
    if (moved === undefined) return undefined
    this.#table.follow(moved)
    // Units dropped at the end still count in time: the length of a loop does not depend on where chunks were cut.
    const pcrs = end && new Map(Array.from(this.#sent.clocks.pcr, ([pid, { last }]) => [pid, last] as const))
    this.#sent.clocks.follow(moved, this.#table.isSectionPid)
    if (end === undefined) return moved
    const kept = withoutUnfinished(moved, this.#table, end.isWholeFile)
    if (kept !== undefined && pcrs !== undefined) notePcrs(kept, pcrs)
    this.#sent.pcrs = pcrs
    return kept
  }

  /** Records what is sent, and marks a chunk whose tracks differ from those before. */
  #follow(chunk: TsChunk): TsChunk {
    this.#tracks.follow(chunk)
    if (!this.#isAligned) this.#units.follow(chunk, this.#table.isSectionPid)
    const { marks, bytes } = chunk
    for (let at = 0; at < marks.length; at += MARK_SIZE) {
      if ((marks[at + MARK_FLAGS]! & LAST_OF_PID) === 0) continue
      this.#sent.counters[marks[at + MARK_PID]!] = readCounter(bytes, marks[at + MARK_OFFSET]!)
    }
    if (!chunk.randomAccess) return chunk
    const tracks = this.#tracks.tracks(this.#table.select(chunk.lead?.program))
    const isSame = this.#lastTracks.length === 0 || areSameTracks(this.#lastTracks, tracks)
    this.#lastTracks = tracks
    return isSame ? chunk : { ...chunk, discontinuity: 'marked' }
  }
}

function notePcrs({ marks, bytes }: TsChunk, pcrs: Map<number, number>): void {
  for (let at = 0; at < marks.length; at += MARK_SIZE) {
    if ((marks[at + MARK_FLAGS]! & HAS_PCR) === 0) continue
    pcrs.set(marks[at + MARK_PID]!, readPcrBase(bytes, marks[at + MARK_OFFSET]!))
  }
}
