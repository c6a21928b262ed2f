// A position in a stream at which viewers can start or continue, remembered until one does: the tables, the counters and
// the head of that position, from which the splice buffers are made later.
import type { DecoderHead } from './chunk.js'
import { concat } from './concat.js'
import { renderHead } from './decoder-head.js'
import { PACKET_SIZE, readCounter, readPid, SYNC_BYTE } from './packet.js'
import { packetise } from './render-psi.js'

const DISCONTINUITY_FIELD = 0x80
const STUFFING = 0xff
/** Objects and lists of a point. */
const OVERHEAD_BYTES = 256

/** What the points between two changes share. */
export interface SpliceTables {
  /** Of the tables in force, by PID: PAT, then CAT, then PMTs. Immutable. */
  readonly sections: ReadonlyMap<number, readonly Uint8Array[]>
  /** PIDs whose discontinuity is announced. */
  readonly bridged: readonly number[]
}

export interface SpliceHead {
  readonly head: DecoderHead
  /** The counter that precedes the next one of its PID. */
  readonly lastCounter: number
}

export class SplicePoint {
  readonly #tables: SpliceTables
  /** Of the bridged PIDs, then of those with sections. */
  readonly #counters: Uint8Array
  readonly #head: SpliceHead | undefined

  constructor(tables: SpliceTables, counters: Uint8Array, head: SpliceHead | undefined) {
    this.#tables = tables
    this.#counters = counters
    this.#head = head
  }

  /** Memory that it keeps alive; tables may be shared with other points. */
  get heldBytes(): number {
    let bytes = OVERHEAD_BYTES + this.#counters.length + (this.#head?.head.elementary.length ?? 0)
    for (const sections of this.#tables.sections.values()) for (const section of sections) bytes += section.length
    return bytes
  }

  /** As `SpliceTracker.preamble`. */
  preamble(): Uint8Array {
    return concat(this.#runs())
  }

  /** As `SpliceTracker.bridge`. */
  bridge(): Uint8Array {
    const runs = this.#runs()
    const announcements = this.#tables.bridged.map((pid, index) => {
      const first = runs.find((packets) => readPid(packets, 0) === pid)
      const counter = first === undefined ? this.#counters[index]! : readCounter(first, 0) + 15
      return announceDiscontinuity(pid, counter & 0x0f)
    })
    return concat([...announcements, ...runs])
  }

  /** One run of packets per PID; the head, if there is one, comes last. */
  #runs(): Uint8Array[] {
    const runs: Uint8Array[] = []
    let at = this.#tables.bridged.length
    for (const [pid, sections] of this.#tables.sections) {
      const packets = concat(sections.map((section) => packetise(section, pid, 0)))
      renumber(packets, this.#counters[at++]!)
      runs.push(packets)
    }
    if (this.#head !== undefined) {
      const packets = renderHead(this.#head.head)
      renumber(packets, this.#head.lastCounter)
      runs.push(packets)
    }
    return runs
  }
}

/** A packet without payload that announces the discontinuity of its PID (ISO/IEC 13818-1 2.4.3.5). */
export function announceDiscontinuity(pid: number, counter: number): Uint8Array {
  const packet = new Uint8Array(PACKET_SIZE).fill(STUFFING)
  packet.set([SYNC_BYTE, pid >>> 8, pid & 0xff, 0x20 | counter, PACKET_SIZE - 5, DISCONTINUITY_FIELD])
  return packet
}

/** Renumbers the packets so that the last one has the counter `last`. */
function renumber(packets: Uint8Array, last: number): void {
  const count = packets.length / PACKET_SIZE
  for (let index = 0; index < count; index++) {
    const at = index * PACKET_SIZE + 3
    packets[at] = (packets[at]! & 0xf0) | ((last - (count - 1 - index)) & 0x0f)
  }
}
