// Counts errors of a transport stream from the marks of the framer: packets are not scanned again.
import {
  CONTINUITY_ERROR,
  CRC_ERROR,
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
} from '@millrace/media/mpegts'
import type { Chunk } from '@millrace/media/mpegts'
import { restoreTables } from './table-state.js'
import type { TableState } from './table-state.js'

/** Maximum number of PIDs with a count of their own; all others count as `other`. */
const MAX_PIDS = 64
export const OTHER = 'other'
const WRONG = SYNC_LOSS | SYNC_BYTE_ERROR | CONTINUITY_ERROR | TRANSPORT_ERROR | CRC_ERROR | SCRAMBLED

/** State for the counts of a node that continues with the same stream. Immutable. */
export interface CountsState {
  readonly tables: TableState
  /** PIDs that have a series of their own. */
  readonly counted: readonly number[]
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
  /** PIDs that the tables in force name, and that have a count of their own. */
  readonly #named = new Set<number>()
  /** PIDs that were named at any time: their counts stay. */
  readonly #counted = new Set<number>()
  readonly #psiTail: PartialSections
  #seenChanges = -1

  /** `before`: the state of the stream until now. Counts begin at 0 regardless. */
  constructor(before?: CountsState) {
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

  /** Takes a chunk; returns true if it has errors. */
  push(chunk: Chunk): boolean {
    this.#table.follow(chunk)
    this.#psiTail.follow(chunk, this.#table)
    const { marks } = chunk
    let isWrong = false
    for (let at = 0; at < marks.length; at += MARK_SIZE) {
      const flags = marks[at + MARK_FLAGS]!
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
    if (this.#table.changes !== this.#seenChanges) {
      this.#seenChanges = this.#table.changes
      this.#named.clear()
      this.#name(PAT_PID)
      for (const { pmtPid, pcrPid, tracks } of this.#table.programs.values()) {
        for (const named of [pmtPid, pcrPid, ...tracks.map((track) => track.pid)]) this.#name(named)
      }
    }
    return this.#named.has(pid) ? String(pid) : OTHER
  }

  #name(pid: number): void {
    // The null PID as pcrPid means that a program has no PCR: ISO/IEC 13818-1 2.4.4.9.
    if (pid === NULL_PID || (this.#counted.size >= MAX_PIDS && !this.#counted.has(pid))) return
    this.#counted.add(pid)
    this.#named.add(pid)
  }
}
