// One continuous timeline across all generations of a source. The first generation passes unchanged; in later ones only
// PCR, OPCR, PTS, DTS, continuity counters and, where the tables changed, their version differ from what arrived. No
// timers: chunks carry their times.
import type { Discontinuity, Track, TsChunk } from './chunk.js'
import { Junction } from './junction.js'
import type { JunctionRules } from './junction.js'
import { HAS_PCR, LAST_OF_PID, MARK_FLAGS, MARK_OFFSET, MARK_PID, MARK_SIZE } from './marks.js'
import { PACKET_SIZE, PID_COUNT, readCounter } from './packet.js'
import { readPcrBase } from './pcr.js'
import { ProgramTable } from './program-table.js'
import type { TimelineRewriter } from './timeline-rewriter.js'
import { UNSEEN_COUNTER } from './sent-state.js'
import type { SentState } from './sent-state.js'
import { StreamClocks } from './stream-clocks.js'
import { areSameTracks, TrackFollower } from './track-follower.js'
import { withoutUnfinished } from './unfinished-units.js'

/** Plain numbers, for metrics. */
export interface TimelineCounters {
  /**
   * Packets dropped at junctions: unfinished units of the old generation, and units of the new one whose start is
   * missing.
   */
  droppedPackets: number
  junctions: number
}

const NO_CHUNKS: readonly TsChunk[] = []

interface GenerationEnd {
  /** The last chunk. */
  readonly chunk: TsChunk | undefined
  readonly isWholeFile: boolean
}

export class Timeline {
  readonly counters: TimelineCounters = { droppedPackets: 0, junctions: 0 }
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
    return this.#take(chunk)
  }

  /** Time has passed: a junction that has waited too long is made with what is known. */
  flush(nowMs: number): readonly TsChunk[] {
    return this.waiting === undefined && this.#junction?.isOverdue(nowMs) === true ? this.#commit() : NO_CHUNKS
  }

  /**
   * The generation has ended with `last`; the next push belongs to another one. `contiguous`: no time passes between
   * the two (a file that loops). Returns what can be sent of the old one.
   */
  endGeneration(last: readonly TsChunk[], rules: JunctionRules): readonly TsChunk[] {
    const end = { chunk: last.at(-1), isWholeFile: rules.timeline === 'contiguous' }
    this.#sent.pcrs = undefined
    const sent: TsChunk[] = []
    for (const chunk of last) sent.push(...this.#take(chunk, end))
    if (this.#junction !== undefined) sent.push(...this.#commit(end))
    this.#junction = new Junction(this.#sent, rules)
    return sent
  }

  #take(chunk: TsChunk, end?: GenerationEnd): readonly TsChunk[] {
    if (this.#junction === undefined) {
      const sent = this.#send(chunk, end)
      return sent === undefined ? NO_CHUNKS : [sent]
    }
    return this.#junction.push(chunk) && this.waiting === undefined ? this.#commit(end) : NO_CHUNKS
  }

  #commit(end?: GenerationEnd): readonly TsChunk[] {
    const junction = this.#junction
    if (junction === undefined || junction.held.length === 0) return NO_CHUNKS
    this.#junction = undefined
    this.counters.junctions++
    this.#table.reset()
    this.#rewriter = junction.plan()
    this.#isContiguous = junction.isContiguous
    const sent: TsChunk[] = []
    for (const chunk of junction.held) {
      const moved = this.#send(chunk, end)
      if (moved !== undefined) sent.push(moved)
    }
    return sent
  }

  #send(chunk: TsChunk, end: GenerationEnd | undefined): TsChunk | undefined {
    const moved = this.#move(chunk, chunk === end?.chunk ? end : undefined)
    this.counters.droppedPackets += (chunk.bytes.length - (moved?.bytes.length ?? 0)) / PACKET_SIZE
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
    const { marks, bytes } = chunk
    for (let at = 0; at < marks.length; at += MARK_SIZE) {
      if ((marks[at + MARK_FLAGS]! & LAST_OF_PID) === 0) continue
      this.#sent.counters[marks[at + MARK_PID]!] = readCounter(bytes, marks[at + MARK_OFFSET]!)
    }
    if (!chunk.randomAccess) return chunk
    const tracks = this.#tracks.tracks(this.#table.select())
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
