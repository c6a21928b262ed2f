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
import { CLOCK, DROP, PASS, planPids, TABLES } from './pid-plan.js'
import type { Selection } from './pid-plan.js'
import { WrittenTables } from './written-tables.js'

export interface DropRules {
  readonly transportErrors: boolean
  readonly nullPackets: boolean
}

export class PacketFilter {
  /** What is left out wherever it stands; may change at any time. */
  rules: DropRules
  readonly #selection: Selection | undefined
  readonly #table = new ProgramTable()
  readonly #tables = new WrittenTables()
  readonly #remarker: Remarker
  #actions: Uint8Array | undefined
  #plannedChanges = 0
  #isEmpty = false
  /** Chunks have passed unseen. */
  #isBehind = false
  /** Of a chunk of which nothing was left. */
  #carried: Discontinuity = false

  /** `selection`: by default all programs and PIDs pass, with their tables as they are. */
  constructor(rules: DropRules, selection?: Selection) {
    this.rules = rules
    this.#selection = selection
    this.#remarker = new Remarker(selection?.program)
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
    if (this.#selection !== undefined) return cutAtRandomAccess(left)
    return [{ ...left, randomAccess: chunk.randomAccess && keepsStart(chunk, transportErrors) }]
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
