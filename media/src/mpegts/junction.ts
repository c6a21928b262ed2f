// The join between an old generation and a new one: holds back the first chunks until their clocks are known, then
// decides by how much the new generation is shifted. One offset for all clocks, one constant for each counter.
import type { Track, TsChunk } from './chunk.js'
import { MARK_FLAGS, MARK_PID, MARK_SIZE, SCRAMBLED } from './marks.js'
import { ProgramTable } from './program-table.js'
import type { Program } from './program-table.js'
import type { RepeatedPackets } from './repeated-packets.js'
import { TimelineRewriter } from './timeline-rewriter.js'
import { followTicks, StreamClocks } from './stream-clocks.js'
import type { PidClock } from './stream-clocks.js'
import type { SentState } from './sent-state.js'
import { difference33, mod33, ticksFromMs } from './timestamps.js'

export interface JunctionRules {
  /**
   * `elapsed`: shift by at least the time that passed in between. `contiguous`: only by what keeps all clocks
   * increasing. `kept`: as the old generation was shifted; its clocks go on.
   */
  readonly timeline: 'elapsed' | 'contiguous' | 'kept'
  /** Only the clock changes: units and counters go on. By default they begin anew. */
  readonly continues?: boolean
  /** The source may send again what it has sent before: that is dropped. */
  readonly mayRepeat?: boolean
}

/** The most that is held back while clocks are still unknown. */
const MAX_HELD_MS = 1000
const MAX_HELD_BYTES = 2 * 1024 * 1024
/** Damaged streams may have any number. */
const MAX_PIDS = 256

export class Junction {
  readonly held: TsChunk[] = []
  /** By how much the generation is shifted, 90 kHz, if that is decided elsewhere; by default by `plan`. */
  offset90k: number | undefined
  readonly #sent: SentState
  readonly #rules: JunctionRules
  readonly #table = new ProgramTable()
  readonly #clocks = new StreamClocks()
  #heldBytes = 0
  readonly #scrambled = new Set<number>()

  constructor(sent: SentState, rules: JunctionRules) {
    this.#sent = sent
    this.#rules = rules
  }

  get isContiguous(): boolean {
    return this.#rules.timeline === 'contiguous'
  }

  get mayRepeat(): boolean {
    return this.#rules.mayRepeat === true
  }

  /** Takes a chunk of the new generation; true when enough is known to continue. */
  push(chunk: TsChunk): boolean {
    this.held.push(chunk)
    this.#heldBytes += chunk.bytes.length
    this.observe(chunk)
    return this.isKnown || this.isFull(chunk.receivedAtMs)
  }

  /** Learns from a chunk of the new generation that has not been pushed yet. */
  observe(chunk: TsChunk): void {
    this.#table.follow(chunk)
    this.#clocks.follow(chunk, this.#table.isSectionPid)
    const { marks } = chunk
    for (let at = 0; at < marks.length && this.#scrambled.size < MAX_PIDS; at += MARK_SIZE)
      if ((marks[at + MARK_FLAGS]! & SCRAMBLED) !== 0) this.#scrambled.add(marks[at + MARK_PID]!)
  }

  /** Not more is held back, whatever is still unknown. */
  isFull(nowMs: number): boolean {
    return this.#heldBytes >= MAX_HELD_BYTES || this.isOverdue(nowMs)
  }

  isOverdue(nowMs: number): boolean {
    const first = this.held[0]
    return first !== undefined && nowMs - first.receivedAtMs >= MAX_HELD_MS
  }

  /**
   * How to rewrite the generation. `before`: how the old one was rewritten; by default not at all. `repeated`: the new
   * one repeats the end of the old one, and goes on from there.
   */
  plan(before?: TimelineRewriter, repeated?: RepeatedPackets): TimelineRewriter {
    const continues = this.#rules.continues === true || repeated !== undefined
    const same = repeated && (before?.offset90k ?? 0)
    return new TimelineRewriter({
      offset90k: same ?? this.offset90k ?? largestOffset(this.wantedOffsets()),
      sent: this.#sent,
      table: this.#table,
      continues: continues ? (before ?? 'as it was') : undefined,
      repeated,
    })
  }

  /** Every audio and video PID that was sent before, or takes the place of one, has shown its first DTS. */
  get isKnown(): boolean {
    const { programs } = this.#table
    if (programs.size === 0 || programs.size < this.#sent.table.programs.size) return false
    for (const program of programs.values()) {
      if (this.#sent.clocks.pcr.size > 0 && this.#clocks.pcr.size === 0) return false
      for (const { media, pid } of program.tracks) {
        const isAwaited = this.#sent.clocks.dts.has(pid) || this.#replacedBy(program, pid, media).length > 0
        if (media !== 'data' && isAwaited && !this.#clocks.dts.has(pid)) return false
      }
    }
    return true
  }

  /**
   * The offset that each clock requires, and the time that has passed; empty if there is no clock on one of the sides, or
   * if the times of the units cannot be shifted: then those of the PCR must not be either.
   */
  wantedOffsets(): readonly number[] {
    if (this.#isScrambled) return []
    const wanted: number[] = []
    const replaced = this.#replacedOffsets()
    const hasUnits = replaced.length > 0 || [...this.#clocks.dts.keys()].some((pid) => this.#sent.clocks.dts.has(pid))
    for (const kind of ['pcr', 'dts'] as const) {
      for (const [pid, next] of this.#clocks[kind]) {
        const before = this.#sent.clocks[kind].get(pid)
        if (before !== undefined) wanted.push(before.last + followTicks(kind, before, hasUnits) - next.first)
      }
    }
    const clock = pairOf(this.#sent.clocks.pcr, this.#clocks.pcr)
    const lead = clock ?? pairOf(this.#sent.clocks.dts, this.#clocks.dts)
    if (lead === undefined) return []
    wanted.push(...replaced)
    // Also where the PID of the PCR has changed.
    const step = hasUnits ? 1 : lead.before.step
    if (wanted.length === 0 || clock !== undefined) wanted.push(lead.before.last + step - lead.next.first)
    if (this.#rules.timeline === 'elapsed') {
      const elapsedMs = Math.max(0, lead.next.firstAtMs - lead.before.lastAtMs)
      wanted.push(lead.before.last + ticksFromMs(elapsedMs) - lead.next.first)
    }
    return wanted
  }

  /** Of no audio or video there is a time that can be read. */
  get #isScrambled(): boolean {
    if (this.#scrambled.size === 0) return false
    const media = [...this.#table.programs.values()].flatMap(({ tracks }) =>
      tracks.filter((one) => one.media !== 'data'),
    )
    const isReadable = media.some(({ pid }) => this.#clocks.dts.has(pid))
    return !isReadable && media.some(({ pid }) => this.#scrambled.has(pid))
  }

  /** Where PIDs have changed: readers follow the kind of a track, and its times must not go back for them. */
  #replacedOffsets(): readonly number[] {
    const wanted: number[] = []
    for (const program of this.#table.programs.values()) {
      for (const { media, pid } of program.tracks) {
        const next = this.#clocks.dts.get(pid)
        if (next === undefined || media === 'data') continue
        for (const before of this.#replacedBy(program, pid, media))
          wanted.push(before.last + followTicks('dts', before, true) - next.first)
      }
    }
    return wanted
  }

  /** The clocks of the tracks of its kind that were sent last, if this one was not among them. */
  #replacedBy({ program }: Program, pid: number, media: Track['media']): readonly PidClock[] {
    const { programs } = this.#sent.table
    const [only] = programs.size === 1 ? programs.values() : []
    const { tracks = [] } = programs.get(program) ?? only ?? {}
    if (tracks.some((track) => track.pid === pid)) return []
    return tracks
      .filter((track) => track.media === media)
      .map((track) => this.#sent.clocks.dts.get(track.pid))
      .filter((clock) => clock !== undefined)
  }
}

/** The largest of offsets at one junction; 0 if there are none. */
export function largestOffset(wanted: readonly number[]): number {
  // All values belong to one clock that may wrap between them: compare their distance from the first.
  const [base = 0] = wanted
  let most = 0
  for (const offset of wanted) most = Math.max(most, difference33(mod33(offset), mod33(base)))
  return mod33(Math.round(base + most))
}

/** The clock that both generations have, else the newest of the old one and the first of the new one. */
function pairOf(
  before: ReadonlyMap<number, PidClock>,
  next: ReadonlyMap<number, PidClock>,
): { before: PidClock; next: PidClock } | undefined {
  for (const [pid, clock] of next) {
    const old = before.get(pid)
    if (old !== undefined) return { before: old, next: clock }
  }
  const [first] = next.values()
  const newest = [...before.values()].sort((a, b) => b.lastAtMs - a.lastAtMs)[0]
  return first === undefined || newest === undefined ? undefined : { before: newest, next: first }
}
