// Shifts the chunks of a generation onto the timeline of what was already sent: one pass over the packets for counters,
// the marks for everything else. Chunks are changed in place; no one else has seen them yet.
import type { DecoderHead, TsChunk } from './chunk.js'
import { CueTimes } from './cue-times.js'
import { withoutPackets } from './edit-chunk.js'
import {
  DISCONTINUITY_INDICATOR,
  HAS_PCR,
  MARK_FLAGS,
  MARK_OFFSET,
  MARK_PID,
  MARK_SIZE,
  PSI,
  SCRAMBLED,
  UNIT_START,
} from './marks.js'
import {
  DISCONTINUITY_FLAG,
  hasPayload,
  hasTransportError,
  isUnitStart,
  NULL_PID,
  PACKET_SIZE,
  payloadOffset,
  PID_COUNT,
  readCounter,
  readPid,
  writeCounter,
} from './packet.js'
import { readOpcrBase, readPcrBase, writeOpcrBase, writePcrBase } from './pcr.js'
import { readDts, readPts, writeDts, writePts } from './pes.js'
import type { ProgramTable } from './program-table.js'
import type { RepeatedPackets } from './repeated-packets.js'
import { SectionVersion } from './section-version.js'
import { UNSEEN_COUNTER } from './sent-state.js'
import type { SentState } from './sent-state.js'
import { difference33, mod33 } from './timestamps.js'
import { versionShifts } from './version-shifts.js'

/** A PID that has not begun a unit in this generation yet. */
const NOT_STARTED = 0xff
/** Counters of a generation that was sent as it was. */
const UNSHIFTED = new Uint8Array(PID_COUNT)
/** A PCR step longer than this (100 ms, ISO/IEC 13818-1 2.7.2) is announced by discontinuity_indicator. */
const MAX_PCR_STEP = 9_000
/** PCRs are compared for this long (1 s) where their PID has no units: nothing of it is dropped after that. */
const SETTLES_WITHIN = 90_000
/** Units further behind what was sent than this (10 s) belong to a clock of their own. */
const MAX_OVERLAP = 900_000

export interface RewritePlan {
  readonly offset90k: number
  readonly sent: SentState
  /** Of the new generation, as far as it is known at its start. */
  readonly table: ProgramTable
  /** How the old generation was rewritten, if counters, units and tables continue from it; by default they begin anew. */
  readonly continues?: TimelineRewriter | 'as it was' | undefined
  /** What of the new generation was sent before: it is dropped. */
  readonly repeated?: RepeatedPackets | undefined
}

export class TimelineRewriter {
  readonly #offset: number
  readonly #repeated: RepeatedPackets | undefined
  readonly #sent: SentState
  readonly #table: ProgramTable
  /** 1 for PIDs that carry no PES. */
  readonly #isSectionPid: Uint8Array
  readonly #cues: CueTimes
  /** Of the old generation, if counters continue from it: not all of it, or each would keep the one before. */
  readonly #shiftBefore: Uint8Array | undefined
  readonly #counterShift = new Uint8Array(PID_COUNT).fill(NOT_STARTED)
  readonly #versions = new Map<number, SectionVersion>()
  /** PIDs whose tables have come in this generation. */
  readonly #decided = new Set<number>()
  /** PIDs of tables that receivers have. */
  readonly #known: ReadonlySet<number>
  /** `stored` of the table then. */
  #decidedStored = -1
  /** PIDs whose PCRs follow each other as in the source. */
  readonly #pcrSettled = new Set<number>()
  /** Of the PIDs that have not settled: the first PCR of this generation, and the last one that was sent. */
  readonly #pcrs = new Map<number, { readonly first: number; last: number }>()
  /** Of the PIDs that begin in the chunk that is rewritten: where. */
  readonly #startsAt = new Map<number, number>()

  constructor({ offset90k, sent, table, continues, repeated }: RewritePlan) {
    this.#offset = offset90k
    this.#cues = new CueTimes(offset90k)
    this.#repeated = repeated
    this.#sent = sent
    this.#table = table
    this.#isSectionPid = table.isSectionPid
    if (continues instanceof TimelineRewriter) {
      this.#shiftBefore = continues.#counterShift
      for (const [pid, { shift }] of continues.#versions) this.#versions.set(pid, new SectionVersion(shift))
    } else if (continues === 'as it was') this.#shiftBefore = UNSHIFTED
    this.#known = new Set(Array.from(sent.table.sections.values(), ({ pid }) => pid))
    this.#decideVersions()
  }

  get offset90k(): number {
    return this.#offset
  }

  /** The chunk on the timeline, or undefined if none of its packets may be sent. */
  rewrite(chunk: TsChunk): TsChunk | undefined {
    this.#table.follow(chunk)
    if (this.#table.stored !== this.#decidedStored) this.#decideVersions()
    const drop = this.#counters(chunk.bytes)
    this.#clocks(chunk, drop)
    this.#cues.apply(chunk.bytes, this.#table, drop)
    this.#startsAt.clear()
    const rest = drop === undefined ? chunk : withoutPackets(chunk, drop)
    return rest?.head === undefined ? rest : { ...rest, head: this.#moved(rest.head) }
  }

  /** Of tables that are new in this generation, also if they come late. */
  #decideVersions(): void {
    this.#decidedStored = this.#table.stored
    const shifts = versionShifts(this.#sent.table, this.#table, (pid) => this.#decided.has(pid))
    for (const [pid, shift] of shifts) {
      this.#decided.add(pid)
      const isNew = shift !== 0 && this.#versions.get(pid)?.shift !== shift
      if (isNew) this.#versions.set(pid, new SectionVersion(shift))
    }
  }

  #moved(head: DecoderHead): DecoderHead {
    const { pts90k, dts90k } = head
    if (pts90k < 0) return head
    return { ...head, pts90k: mod33(pts90k + this.#offset), dts90k: mod33(dts90k + this.#offset) }
  }

  /** Rewrites the counter of every packet; the result marks the packets before the first unit of their PID. */
  #counters(bytes: Uint8Array): Uint8Array | undefined {
    let drop: Uint8Array | undefined
    for (let offset = 0; offset < bytes.length; offset += PACKET_SIZE) {
      const pid = readPid(bytes, offset)
      const shift = this.#counterShift[pid]!
      if (shift === 0 || (pid === NULL_PID && this.#repeated?.isOver !== false)) continue
      if (shift !== NOT_STARTED) writeCounter(bytes, offset, readCounter(bytes, offset) + shift)
      else if (hasTransportError(bytes, offset) || !this.#start(bytes, offset, pid)) {
        drop ??= new Uint8Array(bytes.length / PACKET_SIZE)
        drop[offset / PACKET_SIZE] = 1
      }
    }
    return drop
  }

  /** Handles the first packets of a PID in this generation; false for those that must not be sent. */
  #start(bytes: Uint8Array, offset: number, pid: number): boolean {
    const last = this.#sent.counters[pid]!
    if (this.#repeated?.covers(bytes, offset, pid) === true) return false
    if (!hasPayload(bytes, offset)) {
      if (last !== UNSEEN_COUNTER) writeCounter(bytes, offset, last)
      return true
    }
    if (this.#goesOn(bytes, offset, pid, last)) return true
    if (!isUnitStart(bytes, offset) || this.#isUndecided(pid)) return false
    if (this.#repeated === undefined && this.#isBehind(bytes, offset, pid)) return false
    const counter = readCounter(bytes, offset)
    const shift = last === UNSEEN_COUNTER ? 0 : (last + 1 - counter) & 0x0f
    this.#counterShift[pid] = shift
    this.#startsAt.set(pid, offset)
    writeCounter(bytes, offset, counter + shift)
    return true
  }

  /** A table whose version is not known yet: it comes again. */
  #isUndecided(pid: number): boolean {
    return this.#isSectionPid[pid] === 1 && this.#known.has(pid) && !this.#decided.has(pid)
  }

  /** The packet is the next one of its PID: nothing has begun anew. */
  #goesOn(bytes: Uint8Array, offset: number, pid: number, last: number): boolean {
    const shift = this.#shiftBefore?.[pid] ?? NOT_STARTED
    if (last === UNSEEN_COUNTER) return false
    const counter = readCounter(bytes, offset)
    if (shift === NOT_STARTED || ((counter + shift) & 0x0f) !== ((last + 1) & 0x0f)) return false
    this.#counterShift[pid] = shift
    writeCounter(bytes, offset, counter + shift)
    return true
  }

  /** The unit would go back behind one that was already sent: a track that began late and was not waited for. */
  #isBehind(bytes: Uint8Array, offset: number, pid: number): boolean {
    const before = this.#sent.clocks.dts.get(pid)
    if (before === undefined || this.#isSectionPid[pid] === 1) return false
    const dts = readDts(bytes, payloadOffset(bytes, offset), offset + PACKET_SIZE)
    if (dts < 0) return false
    const step = difference33(mod33(dts + this.#offset), before.last)
    return step <= 0 && step > -MAX_OVERLAP
  }

  #clocks(chunk: TsChunk, drop: Uint8Array | undefined): void {
    const { marks, bytes } = chunk
    for (let at = 0; at < marks.length; at += MARK_SIZE) {
      const flags = marks[at + MARK_FLAGS]!
      const offset = marks[at + MARK_OFFSET]!
      if (drop !== undefined && drop[offset / PACKET_SIZE] === 1) continue
      const pid = marks[at + MARK_PID]!
      if ((flags & HAS_PCR) !== 0 && this.#pcr(bytes, offset, pid))
        marks[at + MARK_FLAGS] = flags | DISCONTINUITY_INDICATOR
      if ((flags & PSI) !== 0) this.#versions.get(pid)?.apply(bytes, offset)
      else if ((flags & (UNIT_START | SCRAMBLED)) === UNIT_START) this.#timestamps(bytes, offset)
    }
  }

  /** Returns true if the PCR now announces a discontinuity. */
  #pcr(bytes: Uint8Array, offset: number, pid: number): boolean {
    const pcr = mod33(readPcrBase(bytes, offset) + this.#offset)
    writePcrBase(bytes, offset, pcr)
    const original = readOpcrBase(bytes, offset)
    if (original >= 0) writeOpcrBase(bytes, offset, mod33(original + this.#offset))
    // What follows a repeat goes on as in the source.
    if (this.#pcrSettled.has(pid) || this.#repeated !== undefined) return false
    const before = this.#noteUnsettled(pid, pcr, offset)
    if (before === undefined) return false
    const step = difference33(pcr, before)
    if (step >= 0 && step <= MAX_PCR_STEP) return false
    bytes[offset + 5] = bytes[offset + 5]! | DISCONTINUITY_FLAG
    return true
  }

  /**
   * The PCR that was sent before this one. PCRs in packets without payload are sent before the first unit of their PID,
   * those in packets of a unit that has been cut off are not: a step that this makes is one of ours, until the PID has
   * begun.
   */
  #noteUnsettled(pid: number, pcr: number, offset: number): number | undefined {
    const pcrs = this.#pcrs.get(pid)
    const hasBegun = this.#counterShift[pid] !== NOT_STARTED && offset >= (this.#startsAt.get(pid) ?? 0)
    if (hasBegun || difference33(pcr, pcrs?.first ?? pcr) > SETTLES_WITHIN) {
      this.#pcrSettled.add(pid)
      this.#pcrs.delete(pid)
    } else if (pcrs === undefined) this.#pcrs.set(pid, { first: pcr, last: pcr })
    const before = pcrs?.last ?? this.#sent.pcrs?.get(pid) ?? this.#sent.clocks.pcr.get(pid)?.last
    if (pcrs !== undefined) pcrs.last = pcr
    return before
  }

  #timestamps(bytes: Uint8Array, offset: number): void {
    const end = offset + PACKET_SIZE
    const payload = payloadOffset(bytes, offset)
    const pts = readPts(bytes, payload, end)
    if (pts < 0) return
    const dts = readDts(bytes, payload, end)
    writePts(bytes, payload, end, mod33(pts + this.#offset))
    writeDts(bytes, payload, end, mod33(dts + this.#offset))
  }
}
