// Splice buffers: the few packets that the engine inserts where a viewer starts, or resumes after a gap. Shared chunks
// are never rewritten; what a viewer lacks is put before them.
import type { Chunk } from './chunk.js'
import { LAST_OF_PID, MARK_FLAGS, MARK_OFFSET, MARK_PID, MARK_SIZE } from './marks.js'
import { CAT_PID, NULL_PID, PACKET_SIZE, PAT_PID, PID_COUNT, readCounter, SYNC_BYTE } from './packet.js'
import { ProgramTable } from './program-table.js'
import { packetise } from './render-psi.js'

const UNSEEN = 0xff
/** The most PIDs that a bridge announces: 48 KB. */
const MAX_PIDS = 256
const DISCONTINUITY_FIELD = 0x80
const STUFFING = 0xff

/** Follows a stream chunk by chunk, and makes the splice buffers for the position right after the last one. */
export class SpliceTracker {
  /** The programs of the stream up to this position. */
  readonly table = new ProgramTable()
  readonly #counters = new Uint8Array(PID_COUNT).fill(UNSEEN)
  readonly #pids: number[] = []

  /** Takes a chunk that has been passed on. Not a second scan: it reads the marks. */
  follow(chunk: Chunk): void {
    this.table.follow(chunk)
    const { marks, bytes } = chunk
    for (let at = 0; at < marks.length; at += MARK_SIZE) {
      if ((marks[at + MARK_FLAGS]! & LAST_OF_PID) === 0) continue
      const pid = marks[at + MARK_PID]!
      if (this.#counters[pid] === UNSEEN && pid !== NULL_PID) this.#pids.push(pid)
      this.#counters[pid] = readCounter(bytes, marks[at + MARK_OFFSET]!)
    }
  }

  /** The continuity counter of the PID's last packet; undefined if there was none. */
  counterOf(pid: number): number | undefined {
    const counter = this.#counters[pid] ?? UNSEEN
    return counter === UNSEEN ? undefined : counter
  }

  /** For a viewer that starts here: PAT, CAT and PMTs in force, with the counters that precede the next ones. */
  preamble(): Uint8Array {
    return concat(this.#psi())
  }

  /**
   * For a viewer that resumes here after a gap: one packet without payload per PID that announces the discontinuity
   * (ISO/IEC 13818-1 2.4.3.5), with the counter that precedes the PID's next one, then the preamble.
   */
  bridge(): Uint8Array {
    const psi = this.#psi()
    const announcements: Uint8Array[] = []
    for (const pid of this.#bridgedPids()) {
      const first = psi.find((packets) => pidOf(packets) === pid)
      const counter = first === undefined ? this.#counters[pid]! : readCounter(first, 0) + 15
      announcements.push(announceDiscontinuity(pid, counter & 0x0f))
    }
    return concat([...announcements, ...psi])
  }

  /** PIDs that the tables name come first: damaged streams may have any number of others. */
  #bridgedPids(): readonly number[] {
    if (this.#pids.length <= MAX_PIDS) return this.#pids
    const named = new Set<number>()
    for (const { pid } of this.table.sections.values()) named.add(pid)
    for (const { pcrPid, tracks } of this.table.programs.values()) {
      named.add(pcrPid)
      for (const { pid } of tracks) named.add(pid)
    }
    const first = this.#pids.filter((pid) => named.has(pid))
    return [...first, ...this.#pids.filter((pid) => !named.has(pid))].slice(0, MAX_PIDS)
  }

  /** One run of packets per PID: PAT, then CAT, then PMTs. */
  #psi(): Uint8Array[] {
    const byPid = new Map<number, Uint8Array[]>([
      [PAT_PID, []],
      [CAT_PID, []],
    ])
    for (const { pid, bytes } of this.table.sections.values()) {
      const sections = byPid.get(pid)
      if (sections === undefined) byPid.set(pid, [bytes])
      else sections.push(bytes)
    }
    const runs: Uint8Array[] = []
    for (const [pid, sections] of byPid) {
      if (sections.length === 0) continue
      const packets = concat(sections.map((section) => packetise(section, pid, 0)))
      renumber(packets, this.#counters[pid] ?? 0)
      runs.push(packets)
    }
    return runs
  }
}

/** Renumbers the packets so that the last one has the counter `last`. */
function renumber(packets: Uint8Array, last: number): void {
  const count = packets.length / PACKET_SIZE
  for (let index = 0; index < count; index++) {
    const at = index * PACKET_SIZE + 3
    packets[at] = (packets[at]! & 0xf0) | ((last - (count - 1 - index)) & 0x0f)
  }
}

function announceDiscontinuity(pid: number, counter: number): Uint8Array {
  const packet = new Uint8Array(PACKET_SIZE).fill(STUFFING)
  packet.set([SYNC_BYTE, pid >>> 8, pid & 0xff, 0x20 | counter, PACKET_SIZE - 5, DISCONTINUITY_FIELD])
  return packet
}

function pidOf(packets: Uint8Array): number {
  return ((packets[1]! & 0x1f) << 8) | packets[2]!
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const whole = new Uint8Array(length)
  length = 0
  for (const part of parts) {
    whole.set(part, length)
    length += part.length
  }
  return whole
}
