// Leaves packets out of a transport stream: damaged ones, null packets, programs, PIDs. What is left of a selection is a
// whole stream again: PAT and PMTs name only what is there (ISO/IEC 13818-1 2.4.4), counters and clocks run on.
import {
  CAT_PID,
  CONTINUITY_ERROR,
  hasPcr,
  hasTransportError,
  MARK_FLAGS,
  MARK_MS,
  MARK_OFFSET,
  MARK_SIZE,
  NULL_PID,
  PACKET_SIZE,
  packetise,
  PAT_PID,
  ProgramTable,
  PSI,
  RANDOM_ACCESS,
  readPid,
  Remarker,
} from '@millrace/media/mpegts'
import type { Discontinuity, TsChunk } from '@millrace/media/mpegts'
import { clockPacket } from './clock-packet.js'
import { cutAtRandomAccess } from './cut-at-random-access.js'
import { PacketList } from './packet-list.js'
import { CLOCK, DROP, EVERYTHING, PASS, planPids, TABLES } from './pid-plan.js'
import type { Selection } from './pid-plan.js'
import { countersOf, restoreTables } from './table-state.js'
import type { TableState } from './table-state.js'
import { WrittenTables } from './written-tables.js'

const NO_PACKET = new Uint8Array(0)

export interface DropRules {
  readonly transportErrors: boolean
  readonly nullPackets: boolean
}

/** What a filter knows between two chunks, for one that goes on with the same stream. Nothing in it changes any more. */
export interface FilterState {
  /** Undefined where tables have passed as they are. */
  readonly tables: WrittenTables | undefined
  readonly lastStart: Uint8Array
  readonly isBehind: boolean
  readonly carried: Discontinuity
}

export class PacketFilter {
  /** What is left out wherever it stands; may change at any time. */
  rules: DropRules
  readonly #selection: Selection | undefined
  readonly #table = new ProgramTable()
  readonly #tables: WrittenTables
  readonly #remarker: Remarker
  #actions: Uint8Array | undefined
  #plannedChanges = 0
  #isEmpty = false
  /** Chunks have passed unseen. */
  #isBehind = false
  /** Of a chunk of which nothing was left. */
  #carried: Discontinuity = false
  /** The packet that made the newest random access point one: from there on the next one of sound alone is found. */
  #lastStart: Uint8Array = NO_PACKET

  /**
   * `selection`: by default all programs and PIDs pass, with their tables as they are. `before`: of the filter that had
   * the chunks until now, and the tables that came in. Where that one wrote tables, this one does: else whoever reads on
   * would take those that come for the ones that it has.
   */
  constructor(rules: DropRules, selection?: Selection, before?: FilterState & { readonly came: TableState }) {
    this.rules = rules
    this.#selection = selection ?? (before?.tables === undefined ? undefined : EVERYTHING)
    this.#remarker = new Remarker(selection?.program)
    this.#tables = new WrittenTables(before?.tables)
    if (before === undefined) return
    this.#lastStart = before.lastStart
    this.#isBehind = before.isBehind
    this.#carried = before.carried
    restoreTables(this.#table, before.came)
    if (this.#selection !== undefined) this.#goOn(before.tables !== undefined, before.came)
    this.#primeMarks(before.came)
  }

  /** A copy: this filter may go on. */
  state(): FilterState {
    return {
      tables: this.#selection === undefined ? undefined : new WrittenTables(this.#tables),
      lastStart: this.#lastStart,
      isBehind: this.#isBehind,
      carried: this.#carried,
    }
  }

  /** There is a PAT, and nothing in it that is selected. */
  get isEmpty(): boolean {
    return this.#isEmpty
  }

  /**
   * What is left of the next chunk: the same one while nothing is to be left out, none if nothing is left. Several, where a
   * selection can be joined in the middle of it: chunks begin at random access points.
   */
  push(chunk: TsChunk): readonly TsChunk[] {
    const { transportErrors, nullPackets } = this.rules
    if (this.#selection === undefined && !transportErrors && !nullPackets) {
      this.#isBehind = true
      return [chunk]
    }
    if (chunk.discontinuity !== false) this.#table.reset()
    if (chunk.discontinuity !== false || this.#isBehind) this.#remarker.reset()
    this.#isBehind = false
    const list = new PacketList(chunk.bytes)
    this.#pick(chunk, list)
    const bytes = list.finish()
    const discontinuity = chunk.discontinuity === false ? this.#carried : chunk.discontinuity
    this.#carried = bytes.length === 0 ? discontinuity : false
    if (bytes.length === 0) return []
    const left = { ...chunk, bytes, marks: this.#remarker.remark(bytes, list), discontinuity }
    this.#noteStart(left)
    if (this.#selection !== undefined) return cutAtRandomAccess(left)
    return [{ ...left, randomAccess: chunk.randomAccess && keepsStart(chunk, transportErrors) }]
  }

  /** Tables are written from now on, as this filter has them, behind those that were written, or have passed. */
  #goOn(hasWritten: boolean, came: TableState): void {
    const tables = this.#tables
    if (this.#table.changes === 0) return
    if (!hasWritten) {
      const { pat, pmts } = planPids(this.#table, EVERYTHING)
      tables.set(pat, pmts)
      for (const [pid, counter] of countersOf(came)) tables.follow(pid, counter)
      tables.isPatDue = false
    }
    const { sections, isPatDue } = tables
    this.#replan()
    // It is written when one comes in: so its counter is the one that it would have had.
    tables.isPatDue = isPatDue
    const isSame = tables.sections.length === sections.length
    const differs = !isSame || tables.sections.some(({ bytes }, index) => bytes !== sections[index]?.bytes)
    if (differs && this.#carried === false) this.#carried = 'marked'
  }

  /** Shows the remarker what it would have seen: tables, and where the stream began last. */
  #primeMarks({ sections, tails }: TableState): void {
    const written = this.#selection === undefined ? sections : this.#tables.sections
    const seen = [...written].sort((a, b) => Number(b.pid === PAT_PID) - Number(a.pid === PAT_PID))
    const packets = [...seen.map(({ pid, bytes }) => packetise(bytes, pid, 0)), this.#lastStart]
    for (const bytes of packets) this.#remarker.remark(bytes)
    this.#remarker.reset()
    for (const packet of tails) if (this.#actionOf(readPid(packet, 0)) === PASS) this.#remarker.table.packet(packet, 0)
  }

  #noteStart({ bytes, marks }: TsChunk): void {
    for (let at = marks.length - MARK_SIZE; at >= 0; at -= MARK_SIZE) {
      if ((marks[at + MARK_FLAGS]! & RANDOM_ACCESS) === 0) continue
      const offset = marks[at + MARK_OFFSET]!
      this.#lastStart = bytes.slice(offset, offset + PACKET_SIZE)
      return
    }
  }

  #pick({ bytes, marks }: TsChunk, list: PacketList): void {
    let at = 0
    let ms = 0
    for (let offset = 0; offset < bytes.length; offset += PACKET_SIZE) {
      let flags = 0
      if (marks[at + MARK_OFFSET] === offset) {
        flags = marks[at + MARK_FLAGS]!
        ms = marks[at + MARK_MS]!
        at += MARK_SIZE
      }
      this.#take(bytes, offset, ms, flags, list)
    }
  }

  #take(bytes: Uint8Array, offset: number, ms: number, flags: number, list: PacketList): void {
    const pid = readPid(bytes, offset)
    const isDamaged = hasTransportError(bytes, offset)
    if (isDamaged && this.rules.transportErrors) return
    if (pid === NULL_PID && !isDamaged && this.rules.nullPackets) return
    const hasTables =
      this.#selection !== undefined && (flags & PSI) !== 0 && this.#readTables(bytes, offset, pid, flags)
    switch (this.#actionOf(pid)) {
      case PASS:
        list.pass(offset, ms, flags)
        break
      case TABLES:
        if (hasTables) this.#write(pid, ms, list)
        break
      case CLOCK:
        if (!isDamaged && hasPcr(bytes, offset)) list.add(clockPacket(bytes, offset), ms)
        break
      default:
    }
  }

  /** A PMT may be what the PAT was waiting for: then that comes first. */
  #write(pid: number, ms: number, list: PacketList): void {
    const pids = pid !== PAT_PID && this.#tables.isPatDue ? [PAT_PID, pid] : [pid]
    for (const each of pids) for (const packets of this.#tables.packetsOf(each)) list.add(packets, ms)
  }

  #actionOf(pid: number): number {
    if (this.#selection === undefined) return PASS
    // Before the first PAT nobody knows what belongs to what.
    if (this.#actions === undefined) return pid === NULL_PID ? PASS : DROP
    return this.#actions[pid] ?? DROP
  }

  /** Whether a PAT or PMT ends in this packet. */
  #readTables(bytes: Uint8Array, offset: number, pid: number, flags: number): boolean {
    const table = this.#table
    if ((flags & CONTINUITY_ERROR) !== 0) table.resetPid(pid)
    const { repeats } = table
    table.packet(bytes, offset)
    const isAccess = pid === CAT_PID && this.#actions !== undefined
    if (table.changes !== this.#plannedChanges || isAccess) this.#replan()
    return table.repeats !== repeats
  }

  #replan(): void {
    if (this.#selection === undefined) return
    this.#plannedChanges = this.#table.changes
    const { actions, isEmpty, pat, pmts } = planPids(this.#table, this.#selection)
    this.#actions = actions
    this.#isEmpty = isEmpty
    this.#tables.set(pat, pmts)
  }
}

/** The packet that makes the chunk a random access point is still there. */
function keepsStart({ bytes, marks }: TsChunk, dropsDamaged: boolean): boolean {
  for (let at = 0; at < marks.length; at += MARK_SIZE) {
    if ((marks[at + MARK_FLAGS]! & RANDOM_ACCESS) === 0) continue
    return !dropsDamaged || !hasTransportError(bytes, marks[at + MARK_OFFSET]!)
  }
  return false
}
