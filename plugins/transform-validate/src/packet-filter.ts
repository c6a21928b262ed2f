// Leaves packets out of a transport stream: damaged ones, null packets, programs, PIDs. What is left is a whole stream
// again: its PAT and PMTs name only what is there (ISO/IEC 13818-1 2.4.4), its counters and clocks run on.
import {
  hasPcr,
  hasTransportError,
  isUnitStart,
  MARK_FLAGS,
  MARK_MS,
  MARK_OFFSET,
  MARK_PID,
  MARK_SIZE,
  NULL_PID,
  PACKET_SIZE,
  PAT_PID,
  ProgramTable,
  PSI,
  RANDOM_ACCESS,
  readPid,
  Remarker,
  splitChunk,
} from '@millrace/media/mpegts'
import type { Discontinuity, TsChunk } from '@millrace/media/mpegts'
import { clockPacket } from './clock-packet.js'
import { PacketList } from './packet-list.js'
import { CLOCK, DROP, PASS, planPids, TABLES } from './pid-plan.js'
import type { PidPlan, Selection } from './pid-plan.js'
import { WrittenTables } from './written-tables.js'

export interface DropRules {
  readonly transportErrors: boolean
  readonly nullPackets: boolean
}

export class PacketFilter {
  /** What is dropped wherever it stands; may change at any time. */
  rules: DropRules
  readonly #selection: Selection | undefined
  readonly #table = new ProgramTable()
  readonly #tables = new WrittenTables()
  #remarker: Remarker
  #plan: PidPlan | undefined
  #seenChanges = -1
  /** Something was dropped, so that marks are to be made anew: what follows a hole has a wrong counter. */
  #isChanged = false
  /** Of a chunk of which nothing was left. */
  #carried: Discontinuity = false

  /** `selection`: by default every program and PID passes, and the tables as they are. */
  constructor(rules: DropRules, selection?: Selection) {
    this.rules = rules
    this.#selection = selection
    this.#remarker = new Remarker(selection?.program)
  }

  /**
   * What is left of the next chunk; nothing, if nothing is. The same chunk while nothing is to be left out. Several, where
   * it is another program that can be joined in the middle of it: chunks begin at random access points.
   */
  push(chunk: TsChunk): readonly TsChunk[] {
    const { transportErrors, nullPackets } = this.rules
    if (this.#selection === undefined && !transportErrors && !nullPackets) return [chunk]
    const list = this.#pick(chunk)
    if (chunk.discontinuity !== false) this.#remarker.reset()
    const discontinuity = chunk.discontinuity === false ? this.#carried : chunk.discontinuity
    const { bytes } = list
    this.#carried = bytes.length === 0 ? discontinuity : false
    if (bytes.length === 0) return []
    const marks = this.#remarker.remark(bytes, list)
    const left = { ...chunk, bytes, marks, discontinuity, randomAccess: false }
    return cutAtRandomAccess(left)
  }
}
