// Drops packets from a transport stream: damaged ones, null packets, programs, PIDs. A selection is a consistent stream
// again: PAT and PMTs name only what is present (ISO/IEC 13818-1 2.4.4), counters and clocks continue.
import {
  CAT_PID,
  CONTINUITY_ERROR,
  hasPcr,
  hasTransportError,
  MARK_FLAGS,
  MARK_MS,
  MARK_OFFSET,
  MARK_PID,
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
import type { Discontinuity, Lead, TsChunk } from '@millrace/media/mpegts'
import { pcrOnlyPacket } from './pcr-only-packet.js'
import { cutAtRandomAccess } from './cut-at-random-access.js'
import { PacketList } from './packet-list.js'
import { PCR_ONLY, DROP, EVERYTHING, PASS, planPids, REWRITE } from './pid-plan.js'
import type { Selection } from './pid-plan.js'
import { countersOf, restoreTables } from './table-state.js'
import type { TableState } from './table-state.js'
import { RewrittenTables } from './rewritten-tables.js'

const NO_PACKET = new Uint8Array(0)

export interface DropRules {
  readonly transportErrors: boolean
  readonly nullPackets: boolean
}

/** State of a filter between two chunks, for another filter that continues with the same stream. Immutable. */
export interface FilterState {
  /** Undefined if tables have passed unchanged. */
  readonly tables: RewrittenTables | undefined
  readonly lastStart: Uint8Array
  readonly isBehind: boolean
  readonly carried: Discontinuity
}

export class PacketFilter {
  /** Packets that are dropped on any PID; can change at any time. */
  rules: DropRules
  readonly #selection: Selection | undefined
  readonly #table = new ProgramTable()
  readonly #tables: RewrittenTables
  readonly #remarker: Remarker
  #actions: Uint8Array | undefined
  #plannedChanges = 0
  #isEmpty = false
  #obstacle = ''
  /** Chunks have passed without being scanned. */
  #isBehind = false
  /** Discontinuity of a chunk that was dropped completely. */
  #carried: Discontinuity = false
  /** The packet of the newest random access point: the next one of an audio-only stream is found relative to it. */
  #lastStart: Uint8Array = NO_PACKET

  /**
   * `selection`: by default all programs and PIDs pass, with their tables unchanged. `before`: state of the filter that
   * received the chunks until now, and the incoming tables. If that filter rewrote tables, so does this one: otherwise
   * later readers would mistake the original tables for those they already have.
   */
  constructor(rules: DropRules, selection?: Selection, before?: FilterState & { readonly seenTables: TableState }) {
    this.rules = rules
    this.#selection = selection ?? (before?.tables === undefined ? undefined : EVERYTHING)
    this.#remarker = new Remarker(selection?.program)
    this.#tables = new RewrittenTables(before?.tables)
    if (before === undefined) return
    this.#lastStart = before.lastStart
    this.#isBehind = before.isBehind
    this.#carried = before.carried
    restoreTables(this.#table, before.seenTables)
    if (this.#selection !== undefined) this.#continueTables(before.tables !== undefined, before.seenTables)
    this.#primeMarks(before.seenTables)
  }

  /** A copy: this filter can continue. */
  state(): FilterState {
    return {
      tables: this.#selection === undefined ? undefined : new RewrittenTables(this.#tables),
      lastStart: this.#lastStart,
      isBehind: this.#isBehind,
      carried: this.#carried,
    }
  }

  /** There is a PAT, but it contains nothing that is selected. */
  get isEmpty(): boolean {
    return this.#isEmpty
  }

  /**
   * Returns what remains of the next chunk: the chunk itself if nothing is to be dropped, none if nothing remains,
   * several if the selection has a random access point in the middle, because chunks begin at random access points.
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
    const left = { ...this.#remark(chunk, bytes, list), discontinuity }
    this.#noteStart(left)
    if (this.#selection === undefined) return [left]
    return cutAtRandomAccess(left, (pid) => this.#remarker.table.isPatOrPmt(pid), this.#remarker.heads)
  }

  /** Why no viewer can start in what is left, although the input sends what one could start at; else empty. */
  get obstacle(): string {
    return this.#obstacle
  }

  /** The chunk with these packets of it. */
  #remark(chunk: TsChunk, bytes: Uint8Array, list: PacketList): TsChunk {
    list.arrivalMs = chunk.receivedAtMs
    const kept = this.#keptLead(chunk)
    const marks = this.#remarker.remark(bytes, list, kept)
    this.#obstacle = chunk.lead === undefined || kept !== undefined ? '' : this.#remarker.obstacle
    const { lead } = this.#remarker
    const { lead: _, head, ...rest } = chunk
    const randomAccess = chunk.randomAccess && kept !== undefined && keepsStart(chunk, this.rules.transportErrors)
    const start = head === undefined || !randomAccess ? {} : { head }
    return { ...rest, bytes, marks, randomAccess, ...start, ...(lead === undefined ? {} : { lead }) }
  }

  /** The lead of the chunk, unless it is not selected. */
  #keptLead({ lead }: TsChunk): Lead | undefined {
    const { program } = this.#selection ?? {}
    if (lead === undefined || (program !== undefined && lead.program !== program)) return undefined
    return this.#actionOf(lead.pid) === PASS ? lead : undefined
  }

  /** Rewrites tables from now on, continuing from those that were rewritten, or have passed, before. */
  #continueTables(hasRewritten: boolean, seen: TableState): void {
    const tables = this.#tables
    if (this.#table.changes === 0) return
    if (!hasRewritten) {
      const { pat, pmts } = planPids(this.#table, EVERYTHING)
      tables.set(pat, pmts)
      for (const [pid, counter] of countersOf(seen)) tables.follow(pid, counter)
      tables.isPatDue = false
    }
    const { sections, isPatDue } = tables
    this.#replan()
    // The PAT is written when the next one arrives, so its counter continues as if nothing had changed.
    tables.isPatDue = isPatDue
    const isSame = tables.sections.length === sections.length
    const differs = !isSame || tables.sections.some(({ bytes }, index) => bytes !== sections[index]?.bytes)
    if (differs && this.#carried === false) this.#carried = 'marked'
  }

  /** Feeds the remarker what it would have seen: the tables, and the last random access point. */
  #primeMarks({ sections, tails }: TableState): void {
    const written = this.#selection === undefined ? sections : this.#tables.sections
    const seen = [...written].sort((a, b) => Number(b.pid === PAT_PID) - Number(a.pid === PAT_PID))
    const packets = [...seen.map(({ pid, bytes }) => packetise(bytes, pid, 0)), this.#lastStart]
    for (const bytes of packets) this.#remarker.remark(bytes)
    this.#remarker.reset()
    for (const packet of tails) if (this.#actionOf(readPid(packet, 0)) === PASS) this.#remarker.table.packet(packet, 0)
  }

  #noteStart({ bytes, marks, lead }: TsChunk): void {
    for (let at = marks.length - MARK_SIZE; at >= 0; at -= MARK_SIZE) {
      if ((marks[at + MARK_FLAGS]! & RANDOM_ACCESS) === 0 || marks[at + MARK_PID] !== lead?.pid) continue
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
      case REWRITE:
        if (hasTables) this.#write(pid, ms, list)
        break
      case PCR_ONLY:
        if (!isDamaged && hasPcr(bytes, offset)) list.add(pcrOnlyPacket(bytes, offset), ms)
        break
      default:
    }
  }

  /** A PMT may complete what the PAT was waiting for: then the PAT is written first. */
  #write(pid: number, ms: number, list: PacketList): void {
    const pids = pid !== PAT_PID && this.#tables.isPatDue ? [PAT_PID, pid] : [pid]
    for (const each of pids) for (const packets of this.#tables.packetsOf(each)) list.add(packets, ms)
  }

  #actionOf(pid: number): number {
    if (this.#selection === undefined) return PASS
    // Before the first PAT it is not known which PID belongs to which program.
    if (this.#actions === undefined) return pid === NULL_PID ? PASS : DROP
    return this.#actions[pid] ?? DROP
  }

  /** Returns whether a PAT or PMT ends in this packet. */
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

/** The packet that makes the chunk a random access point is kept. */
function keepsStart({ bytes, marks, lead }: TsChunk, dropsDamaged: boolean): boolean {
  for (let at = 0; at < marks.length; at += MARK_SIZE) {
    if ((marks[at + MARK_FLAGS]! & RANDOM_ACCESS) === 0 || marks[at + MARK_PID] !== lead?.pid) continue
    return !dropsDamaged || !hasTransportError(bytes, marks[at + MARK_OFFSET]!)
  }
  return false
}
