// The packets of incomplete sections, ISO/IEC 13818-1 2.4.4: a chunk may end in the middle of a table, and a node that
// continues from there needs the half that has already passed.
import type { Chunk } from './chunk.js'
import { CONTINUITY_ERROR, MARK_FLAGS, MARK_OFFSET, MARK_PID, MARK_SIZE, PSI, UNIT_START } from './marks.js'
import { PACKET_SIZE, readPid } from './packet.js'
import type { ProgramTable } from './program-table.js'

/** A section has at most 4098 bytes, 23 packets; some of these may have an adaptation field. */
const MAX_PACKETS = 64

export class PartialSections {
  /** By PID: the packets since the last one in which a section begins. */
  readonly #packets = new Map<number, Uint8Array[]>()

  /** `packets`: those of the instance that this one continues. */
  constructor(packets: readonly Uint8Array[] = []) {
    for (const packet of packets) {
      const pid = readPid(packet, 0)
      this.#packets.set(pid, [...(this.#packets.get(pid) ?? []), packet])
    }
  }

  /** Takes a chunk that `table` has already followed. Copies what it keeps. */
  follow({ bytes, marks, discontinuity }: Chunk, table: ProgramTable): void {
    if (discontinuity !== false) this.#packets.clear()
    for (let at = 0; at < marks.length; at += MARK_SIZE) {
      const flags = marks[at + MARK_FLAGS]!
      const pid = marks[at + MARK_PID]!
      if ((flags & PSI) === 0 || table.isSectionPid[pid] !== 1) continue
      if ((flags & UNIT_START) !== 0) this.#packets.set(pid, [])
      else if ((flags & CONTINUITY_ERROR) !== 0) this.#packets.delete(pid)
      const packets = this.#packets.get(pid)
      const offset = marks[at + MARK_OFFSET]!
      if (packets !== undefined && packets.length < MAX_PACKETS) packets.push(bytes.slice(offset, offset + PACKET_SIZE))
    }
    for (const pid of this.#packets.keys()) if (table.isSectionPid[pid] !== 1) this.#packets.delete(pid)
  }

  /** The packets of all PIDs; the caller owns the array. */
  packets(): Uint8Array[] {
    return [...this.#packets.values()].flat()
  }
}
