// One continuous timeline over all generations of a source. The first generation passes untouched; later ones differ
// from what arrived only in PCR, OPCR, PTS, DTS, continuity counters and, where the tables changed, their version.
// No timers: chunks carry their times.
import type { Track, TsChunk } from './chunk.js'
import { Junction } from './junction.js'
import type { JunctionRules } from './junction.js'
import { LAST_OF_PID, MARK_FLAGS, MARK_OFFSET, MARK_PID, MARK_SIZE } from './marks.js'
import { PACKET_SIZE, PID_COUNT, readCounter } from './packet.js'
import { ProgramTable } from './program-table.js'
import type { Rewriter } from './rewriter.js'
import { UNSEEN_COUNTER } from './sent.js'
import type { Sent } from './sent.js'
import { StreamClocks } from './stream-clocks.js'
import { areSameTracks, TrackFollower } from './track-follower.js'
import { withoutUnfinished } from './unfinished-units.js'

/** Plain numbers, for metrics. */
export interface TimelineCounters {
  /** Packets left out at junctions: unfinished units of the old side, headless ones of the new. */
  droppedPackets: number
  junctions: number
}

export class Timeline {
  readonly counters: TimelineCounters = { droppedPackets: 0, junctions: 0 }
  readonly #table = new ProgramTable()
  readonly #tracks = new TrackFollower(this.#table)
  readonly #sent: Sent = {
    table: this.#table,
    clocks: new StreamClocks(),
    counters: new Uint8Array(PID_COUNT).fill(UNSEEN_COUNTER),
  }
  #junction: Junction | undefined
  #rewriter: Rewriter | undefined
  #nextSeq = 0
  #lastTracks: readonly Track[] = []

  /** Takes a chunk of the generation at hand, and owns it: its bytes may be changed. Returns what can be sent. */
  push(chunk: TsChunk): readonly TsChunk[] {
    if (this.#junction === undefined) return this.#send([chunk])
    return this.#junction.push(chunk) ? this.#commit() : []
  }

  /** Time has passed: a junction that has waited long enough is made with what is known. */
  flush(nowMs: number): readonly TsChunk[] {
    return this.#junction?.isOverdue(nowMs) === true ? this.#commit() : []
  }

  /**
   * The generation has ended with `last`; what is pushed next belongs to another. `contiguous`: no time passes between
   * the two (a file that starts over). Returns what can be sent of the old one.
   */
  endGeneration(last: readonly TsChunk[], rules: JunctionRules): readonly TsChunk[] {
    const sent: TsChunk[] = []
    for (const chunk of last) sent.push(...this.#endWith(chunk, chunk === last.at(-1), rules))
    if (this.#junction !== undefined) sent.push(...this.#commit())
    this.#junction = new Junction(this.#sent, rules)
    return sent
  }

  #endWith(chunk: TsChunk, isLast: boolean, rules: JunctionRules): readonly TsChunk[] {
    if (!isLast) return this.push(chunk)
    const whole = withoutUnfinished(chunk, this.#table, rules.timeline === 'contiguous')
    this.counters.droppedPackets += (chunk.bytes.length - (whole?.bytes.length ?? 0)) / PACKET_SIZE
    return whole === undefined ? [] : this.push(whole)
  }

  #commit(): readonly TsChunk[] {
    const junction = this.#junction
    if (junction === undefined || junction.held.length === 0) return []
    this.#junction = undefined
    this.counters.junctions++
    this.#table.reset()
    this.#rewriter = junction.plan()
    return this.#send(junction.held)
  }

  #send(chunks: readonly TsChunk[]): readonly TsChunk[] {
    const out: TsChunk[] = []
    for (const chunk of chunks) {
      const rewritten = this.#rewriter === undefined ? chunk : this.#rewriter.rewrite(chunk)
      this.counters.droppedPackets += (chunk.bytes.length - (rewritten?.bytes.length ?? 0)) / PACKET_SIZE
      if (rewritten === undefined) continue
      const origin = { generation: chunk.origin.generation, seq: this.#nextSeq++ }
      out.push(this.#follow({ ...rewritten, origin }))
    }
    return out
  }

  /** Notes what is sent, and marks a chunk that begins with other tracks. */
  #follow(chunk: TsChunk): TsChunk {
    this.#table.follow(chunk)
    this.#tracks.follow(chunk)
    this.#sent.clocks.follow(chunk, this.#table.isSectionPid)
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
