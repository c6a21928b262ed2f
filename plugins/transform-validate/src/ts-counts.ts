// Counts errors of a transport stream from the marks of the framer.
import {
  CONTINUITY_ERROR,
  CRC_ERROR,
  HAS_PCR,
  MARK_FLAGS,
  MARK_PID,
  MARK_SIZE,
  NULL_PID,
  PAT_PID,
  ProgramTable,
  SCRAMBLED,
  SYNC_BYTE_ERROR,
  SYNC_LOSS,
  TRANSPORT_ERROR,
  PartialSections,
  UNIT_START,
} from '@millrace/media/mpegts'
import type { Chunk } from '@millrace/media/mpegts'
import { StreamRates } from './stream-rates.js'
import { StreamTiming } from './stream-timing.js'
import { restoreTables } from './table-state.js'
import type { TableState } from './table-state.js'

/** Maximum number of PIDs with a count of their own; all others count as `other`. */
const MAX_PIDS = 64
export const OTHER = 'other'
const WRONG = SYNC_LOSS | SYNC_BYTE_ERROR | CONTINUITY_ERROR | TRANSPORT_ERROR | CRC_ERROR | SCRAMBLED
const TOLD = WRONG | HAS_PCR | UNIT_START

/** State for the counts of a node that continues with the same stream. Immutable. */
export interface CountsState {
  readonly tables: TableState
  /** PIDs that have a series of their own. */
  readonly counted: readonly number[]
}

/** A PID, for `details`. */
export type StreamStatus = {
  readonly pid: number
  /** Codec of a track, or PCR, PAT, PMT, null. */
  readonly type: string
  readonly program?: number
  readonly language?: string
  readonly kbps: number
  /** Continuity errors. */
  readonly CC: number
}

export class TsCounts {
  syncLosses = 0
  syncByteErrors = 0
  transportErrors = 0
  /** By decimal PID, or `other`. */
  readonly continuityErrors = new Map<string, number>()
  readonly crcErrors = new Map<string, number>()
  readonly scrambledPackets = new Map<string, number>()
  readonly #table = new ProgramTable()
  /** PIDs that the tables in force name, MAX_PIDS at most. */
  readonly #named = new Set<number>()
  /** PIDs that have a count of their own: those that are named, and those that had errors before, whose counts stay. */
  readonly #counted = new Set<number>()
  readonly #psiTail: PartialSections
  #seenChanges = -1
  readonly #rates = new StreamRates()
  /** Of the program of the lead, or the first one. */
  readonly timing: StreamTiming
  #program: number | undefined

  /**
   * `before`: the state of the stream until now. Counts begin at 0 regardless. `onJitter`: see StreamTiming; by default
   * nothing.
   */
  constructor(before?: CountsState, onJitter: (seconds: number) => void = () => undefined) {
    this.timing = new StreamTiming(onJitter)
    this.#psiTail = new PartialSections(before?.tables.tails)
    if (before === undefined) return
    restoreTables(this.#table, before.tables)
    for (const pid of before.counted) this.#counted.add(pid)
  }

  /** A copy: these counts can continue. */
  state(): CountsState {
    const tables = { sections: [...this.#table.sections.values()], tails: this.#psiTail.packets() }
    return { tables, counted: [...this.#counted] }
  }

  /** PIDs of PAT and PMTs that have a count of their own. */
  *countedPids(): Iterable<number> {
    for (const pid of this.#named) if (this.#counted.has(pid)) yield pid
  }

  /** Those of them that carry tables. */
  *tablePids(): Iterable<number> {
    const { programs } = this.#table
    for (const pid of this.countedPids())
      if (pid === PAT_PID || [...programs.values()].some(({ pmtPid }) => pmtPid === pid)) yield pid
  }

  /** Called once a second: the rates of `streams` are those since the call before. */
  measure(nowMs: number): void {
    this.#rates.measure(nowMs)
    this.timing.measure()
  }

  /** What the tables name, at most as many as have a count of their own, and null packets. */
  streams(): StreamStatus[] {
    const rows = new Map<number, StreamStatus>()
    const add = (pid: number, type: string, program?: number, language = ''): void => {
      if (rows.has(pid) || (pid !== NULL_PID && !this.#named.has(pid))) return
      rows.set(pid, {
        ...{ pid, type, ...(program === undefined ? {} : { program }), ...(language === '' ? {} : { language }) },
        ...{ kbps: this.#rates.kbps(pid), CC: this.continuityErrors.get(String(pid)) ?? 0 },
      })
    }
    for (const { program, tracks } of this.#table.programs.values()) {
      for (const { pid, codec, language } of tracks) add(pid, codec, program, language)
    }
    for (const { program, pcrPid } of this.#table.programs.values()) add(pcrPid, 'PCR', program)
    add(PAT_PID, 'PAT')
    for (const { program, pmtPid } of this.#table.programs.values()) add(pmtPid, 'PMT', program)
    add(NULL_PID, 'null')
    return [...rows.values()]
  }

  /** Takes a chunk; returns true if it has errors. */
  push(chunk: Chunk): boolean {
    this.#table.follow(chunk)
    this.#psiTail.follow(chunk, this.#table)
    const program = chunk.lead?.program ?? this.#program
    if (this.#table.changes !== this.#seenChanges || program !== this.#program) this.#nameStreams(program)
    this.#rates.push(chunk.bytes)
    if (chunk.discontinuity === 'source' || chunk.discontinuity === 'marked') this.timing.restart()
    const { marks } = chunk
    let isWrong = false
    for (let at = 0; at < marks.length; at += MARK_SIZE) {
      const flags = marks[at + MARK_FLAGS]!
      if ((flags & TOLD) === 0) continue
      if ((flags & HAS_PCR) !== 0) this.timing.clock(chunk, at)
      if ((flags & UNIT_START) !== 0) this.timing.unit(chunk, at)
      if ((flags & WRONG) === 0) continue
      isWrong = true
      this.#count(flags, marks[at + MARK_PID]!)
    }
    return isWrong
  }

  #count(flags: number, pid: number): void {
    if ((flags & SYNC_LOSS) !== 0) this.syncLosses++
    if ((flags & SYNC_BYTE_ERROR) !== 0) this.syncByteErrors++
    if ((flags & TRANSPORT_ERROR) !== 0) this.transportErrors++
    if ((flags & CONTINUITY_ERROR) !== 0) this.#countOf(this.continuityErrors, pid)
    if ((flags & CRC_ERROR) !== 0) this.#countOf(this.crcErrors, pid)
    if ((flags & SCRAMBLED) !== 0) this.#countOf(this.scrambledPackets, pid)
  }

  #countOf(counts: Map<string, number>, pid: number): void {
    const label = this.#label(pid)
    counts.set(label, (counts.get(label) ?? 0) + 1)
  }

  /** Only PIDs that PAT and PMT name get a series of their own, because damage can produce any PID. */
  #label(pid: number): string {
    return this.#named.has(pid) && this.#counted.has(pid) ? String(pid) : OTHER
  }

  #hasErrors(pid: number): boolean {
    const label = String(pid)
    return this.continuityErrors.has(label) || this.crcErrors.has(label) || this.scrambledPackets.has(label)
  }

  #nameStreams(program: number | undefined): void {
    this.#seenChanges = this.#table.changes
    this.#program = program
    const { programs } = this.#table
    const { pcrPid: pcr = NULL_PID, tracks = [] } = programs.get(program ?? 0) ?? [...programs.values()][0] ?? {}
    const first = (media: string): number => tracks.find((track) => track.media === media)?.pid ?? NULL_PID
    this.timing.follow({ pcr, video: first('video'), audio: first('audio') })
    this.#named.clear()
    this.#name(PAT_PID)
    for (const { pmtPid, pcrPid, tracks } of this.#table.programs.values()) {
      for (const named of [pmtPid, pcrPid, ...tracks.map((track) => track.pid)]) this.#name(named)
    }
    for (const pid of this.#counted) if (!this.#named.has(pid) && !this.#hasErrors(pid)) this.#counted.delete(pid)
    for (const pid of this.#named) if (this.#counted.size < MAX_PIDS) this.#counted.add(pid)
    this.#rates.keep(this.#named)
  }

  #name(pid: number): void {
    // The null PID as pcrPid means that a program has no PCR: ISO/IEC 13818-1 2.4.4.9.
    if (pid !== NULL_PID && this.#named.size < MAX_PIDS) this.#named.add(pid)
  }
}
