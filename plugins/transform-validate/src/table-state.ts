// State of the tables of a stream between two chunks, for a ProgramTable that continues with that stream.
import { PACKET_SIZE, packetise, PAT_PID, ProgramTable, readCounter, readPid } from '@millrace/media/mpegts'
import type { StoredSection } from '@millrace/media/mpegts'

/** Immutable. */
export interface TableState {
  /** PAT, CAT and PMTs in force. */
  readonly sections: readonly StoredSection[]
  /** Packets of incomplete sections, as a PartialSections keeps them. */
  readonly tails: readonly Uint8Array[]
}

/** Feeds a new table what another one has seen. */
export function restoreTables(table: ProgramTable, { sections, tails }: TableState): void {
  // A PMT is read only where the PAT names it.
  const pats = sections.filter(({ pid }) => pid === PAT_PID)
  for (const { pid, bytes } of [...pats, ...sections.filter((section) => section.pid !== PAT_PID)])
    feed(table, packetise(bytes, pid, 0))
  for (const packet of tails) feed(table, packet)
}

/** By PID of tables: the counter of the last packet before a section that is still incomplete. */
export function countersOf({ sections, tails }: TableState): ReadonlyMap<number, number> {
  const table = new ProgramTable()
  restoreTables(table, { sections, tails: [] })
  const unfinished = new Map<number, number>()
  const counters = new Map<number, number>()
  for (const packet of tails) {
    const pid = readPid(packet, 0)
    const { repeats } = table
    feed(table, packet)
    unfinished.set(pid, table.repeats === repeats ? (unfinished.get(pid) ?? 0) + 1 : 0)
    counters.set(pid, readCounter(packet, 0) - unfinished.get(pid)!)
  }
  return counters
}

function feed(table: ProgramTable, packets: Uint8Array): void {
  for (let offset = 0; offset < packets.length; offset += PACKET_SIZE) table.packet(packets, offset)
}
