// Splice buffers: the few packets that the engine inserts where a viewer starts, or resumes after a gap. Shared chunks
// are never rewritten; what a viewer lacks is put before them.
import type { Chunk } from './chunk.js'
import { LAST_OF_PID, MARK_FLAGS, MARK_OFFSET, MARK_PID, MARK_SIZE } from './marks.js'
import {
  CAT_PID,
  hasPayload,
  hasTransportError,
  NULL_PID,
  PACKET_SIZE,
  PAT_PID,
  PID_COUNT,
  readCounter,
  readPid,
} from './packet.js'
import { ProgramTable } from './program-table.js'
import { type SpliceHead, SplicePoint, type SpliceTables } from './splice-point.js'

const UNSEEN = 0xff
/** The most PIDs that a bridge announces: 48 KB. */
const MAX_PIDS = 256

/** Follows a stream chunk by chunk, and makes the splice buffers for the position right after the last one. */
export class SpliceTracker {
  /** The programs of the stream up to this position. */
  readonly table = new ProgramTable()
  readonly #counters = new Uint8Array(PID_COUNT).fill(UNSEEN)
  readonly #pids: number[] = []
  /** As of the last point; undefined if tables or PIDs have changed since. */
  #tables: SpliceTables | undefined
  /** `table.stored` at the last point. */
  #stored = 0

  /** Takes a chunk that has been passed on. Not a second scan: it reads the marks. */
  follow(chunk: Chunk): void {
    this.table.follow(chunk)
    const { marks, bytes } = chunk
    for (let at = 0; at < marks.length; at += MARK_SIZE) {
      if ((marks[at + MARK_FLAGS]! & LAST_OF_PID) === 0) continue
      const pid = marks[at + MARK_PID]!
      if (this.#counters[pid] === UNSEEN && pid !== NULL_PID) this.#addPid(pid)
      this.#counters[pid] = readCounter(bytes, marks[at + MARK_OFFSET]!)
    }
  }

  /** Packets before this chunk are missing: the counters of its PIDs go on from those that precede its first packets. */
  resume({ bytes }: Chunk): void {
    const met = new Set<number>()
    for (let offset = 0; offset < bytes.length; offset += PACKET_SIZE) {
      const pid = readPid(bytes, offset)
      if (met.has(pid) || hasTransportError(bytes, offset)) continue
      met.add(pid)
      if (this.#counters[pid] !== UNSEEN) this.#counters[pid] = precedingCounter(bytes, offset)
    }
  }

  /** The continuity counter of the PID's last packet; undefined if there was none. */
  counterOf(pid: number): number | undefined {
    const counter = this.#counters[pid] ?? UNSEEN
    return counter === UNSEEN ? undefined : counter
  }

  /**
   * For a viewer that starts here: PAT, CAT and PMTs in force, with the counters that precede the next ones. If it
   * starts with `next`, also the head of that chunk; one that begins inside a packet is split first (`splitAtStart`).
   */
  preamble(next?: Chunk): Uint8Array {
    return this.point(next).preamble()
  }

  /**
   * For a viewer that resumes here after a gap: one packet without payload per PID that announces the discontinuity
   * (ISO/IEC 13818-1 2.4.3.5), with the counter that precedes the PID's next one, then the preamble.
   */
  bridge(next?: Chunk): Uint8Array {
    return this.point(next).bridge()
  }

  /** This position: its preamble and bridge can be made later, when the tracker has gone on. It does not keep the chunk. */
  point(next?: Chunk): SplicePoint {
    if (this.#stored !== this.table.stored) this.#tables = undefined
    this.#stored = this.table.stored
    const tables = (this.#tables ??= { sections: this.#sections(), bridged: this.#bridgedPids() })
    const { bridged, sections } = tables
    const counters = new Uint8Array(bridged.length + sections.size)
    let at = 0
    for (const pid of bridged) counters[at++] = this.#counters[pid]!
    for (const pid of sections.keys()) counters[at++] = this.#counters[pid]!
    return new SplicePoint(tables, counters, next && this.#headOf(next))
  }

  #addPid(pid: number): void {
    this.#pids.push(pid)
    this.#tables = undefined
  }

  /** PIDs that the tables name come first: damaged streams may have any number of others. */
  #bridgedPids(): readonly number[] {
    if (this.#pids.length <= MAX_PIDS) return [...this.#pids]
    const named = new Set<number>()
    for (const { pid } of this.table.sections.values()) named.add(pid)
    for (const { pcrPid, tracks } of this.table.programs.values()) {
      named.add(pcrPid)
      for (const { pid } of tracks) named.add(pid)
    }
    const first = this.#pids.filter((pid) => named.has(pid))
    return [...first, ...this.#pids.filter((pid) => !named.has(pid))].slice(0, MAX_PIDS)
  }

  /** The counters of a head precede the first one of its PID in the chunk. */
  #headOf({ bytes, head }: Chunk): SpliceHead | undefined {
    if (head === undefined) return undefined
    return { head, lastCounter: counterBefore(bytes, head.pid) ?? this.counterOf(head.pid) ?? 0 }
  }

  #sections(): ReadonlyMap<number, readonly Uint8Array[]> {
    const byPid = new Map<number, Uint8Array[]>([
      [PAT_PID, []],
      [CAT_PID, []],
    ])
    for (const { pid, bytes } of this.table.sections.values()) {
      const sections = byPid.get(pid)
      if (sections === undefined) byPid.set(pid, [bytes])
      else sections.push(bytes)
    }
    for (const [pid, sections] of byPid) if (sections.length === 0) byPid.delete(pid)
    return byPid
  }
}

/** The counter that precedes the first one of a PID; undefined if the packets have none. */
function counterBefore(bytes: Uint8Array, pid: number): number | undefined {
  for (let offset = 0; offset < bytes.length; offset += PACKET_SIZE) {
    if (readPid(bytes, offset) === pid) return precedingCounter(bytes, offset)
  }
  return undefined
}

function precedingCounter(bytes: Uint8Array, offset: number): number {
  return (readCounter(bytes, offset) + (hasPayload(bytes, offset) ? 15 : 0)) & 15
}
