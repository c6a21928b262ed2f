// The join between an old generation and a new one: holds back the first chunks until their clocks are known, then
// decides by how much the new generation is shifted. One offset for all clocks, one constant for each counter.
import type { TsChunk } from './chunk.js'
import { ProgramTable } from './program-table.js'
import { TimelineRewriter } from './timeline-rewriter.js'
import { followTicks, StreamClocks } from './stream-clocks.js'
import type { PidClock } from './stream-clocks.js'
import type { SentState } from './sent-state.js'
import { difference33, mod33, ticksFromMs } from './timestamps.js'

export interface JunctionRules {
  /**
   * `elapsed`: shift by at least the time that passed in between. `contiguous`: only by what keeps all clocks
   * increasing.
   */
  readonly timeline: 'elapsed' | 'contiguous'
}

/** The most that is held back while clocks are still unknown. */
const MAX_HELD_MS = 1000
const MAX_HELD_BYTES = 2 * 1024 * 1024

export class Junction {
  readonly held: TsChunk[] = []
  /** By how much the generation is shifted, 90 kHz, if that is decided elsewhere; by default by `plan`. */
  offset90k: number | undefined
  readonly #sent: SentState
  readonly #rules: JunctionRules
  readonly #table = new ProgramTable()
  readonly #clocks = new StreamClocks()
  #heldBytes = 0

  constructor(sent: SentState, rules: JunctionRules) {
    this.#sent = sent
    this.#rules = rules
  }

  get isContiguous(): boolean {
    return this.#rules.timeline === 'contiguous'
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
  }

  /** Not more is held back, whatever is still unknown. */
  isFull(nowMs: number): boolean {
    return this.#heldBytes >= MAX_HELD_BYTES || this.isOverdue(nowMs)
  }

  isOverdue(nowMs: number): boolean {
    const first = this.held[0]
    return first !== undefined && nowMs - first.receivedAtMs >= MAX_HELD_MS
  }

  /** How to rewrite the generation. */
  plan(): TimelineRewriter {
    return new TimelineRewriter({
      offset90k: this.offset90k ?? largestOffset(this.wantedOffsets()),
      sent: this.#sent,
      versionShifts: this.#versionShifts(),
      isSectionPid: this.#table.isSectionPid,
    })
  }

  /** Every audio and video PID that was sent before and that the new generation announces has shown its first DTS. */
  get isKnown(): boolean {
    const { programs } = this.#table
    if (programs.size === 0 || programs.size < this.#sent.table.programs.size) return false
    for (const program of programs.values()) {
      if (this.#sent.clocks.pcr.size > 0 && this.#clocks.pcr.size === 0) return false
      for (const { media, pid } of program.tracks) {
        if (media !== 'data' && this.#sent.clocks.dts.has(pid) && !this.#clocks.dts.has(pid)) return false
      }
    }
    return true
  }

  /** The offset that each clock requires, and the time that has passed; empty if there is no clock on one of the sides. */
  wantedOffsets(): readonly number[] {
    const wanted: number[] = []
    const hasUnits = [...this.#clocks.dts.keys()].some((pid) => this.#sent.clocks.dts.has(pid))
    for (const kind of ['pcr', 'dts'] as const) {
      for (const [pid, next] of this.#clocks[kind]) {
        const before = this.#sent.clocks[kind].get(pid)
        if (before !== undefined) wanted.push(before.last + followTicks(kind, before, hasUnits) - next.first)
      }
    }
    const lead = pairOf(this.#sent.clocks.pcr, this.#clocks.pcr) ?? pairOf(this.#sent.clocks.dts, this.#clocks.dts)
    if (lead === undefined) return []
    if (wanted.length === 0) wanted.push(lead.before.last + lead.before.step - lead.next.first)
    if (this.#rules.timeline === 'elapsed') {
      const elapsedMs = Math.max(0, lead.next.firstAtMs - lead.before.lastAtMs)
      wanted.push(lead.before.last + ticksFromMs(elapsedMs) - lead.next.first)
    }
    return wanted
  }

  /** For each PAT and PMT PID, what to add to its version. Unchanged tables keep theirs, changed ones get the next. */
  #versionShifts(): Map<number, number> {
    const shifts = new Map<number, number>()
    const before = this.#sent.table
    for (const { pid, bytes } of this.#table.sections.values()) {
      const old = [...before.sections.values()].find((section) => section.pid === pid && section.bytes[0] === bytes[0])
      if (old === undefined || shifts.has(pid)) continue
      const next = isSameContent(old.bytes, bytes) ? versionOf(old.bytes) : versionOf(old.bytes) + 1
      shifts.set(pid, (next - versionOf(bytes) + 32) % 32)
    }
    return shifts
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

function versionOf(section: Uint8Array): number {
  return (section[5]! >>> 1) & 0x1f
}

/** The sections have the same content, ignoring version (and therefore CRC). */
function isSameContent(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let at = 0; at < a.length - 4; at++) if (at !== 5 && a[at] !== b[at]) return false
  return true
}
