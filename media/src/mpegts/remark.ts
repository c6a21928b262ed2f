// Marks for packets that did not come from a framer, or that were changed since: a transform that selects, drops or
// remaps PIDs calls this for each chunk it makes. The same single scan as the framer's, without its copying and
// cutting.
import { MarkList } from './mark-list.js'
import { RANDOM_ACCESS } from './marks.js'
import { PacketScanner } from './packet-scanner.js'
import { PACKET_SIZE, readPid } from './packet.js'
import { ProgramTable } from './program-table.js'
import { RandomAccess } from './random-access.js'

/** What earlier marks said about packets that were kept: one number per packet. */
export interface PriorMarks {
  /** Milliseconds since the chunk's receivedAtMs. By default all packets arrived at once. */
  readonly ms: Int32Array
  /** Flags that a scan cannot find again, such as lost synchronisation. */
  readonly flags: Int32Array
}

export class Remarker {
  readonly table = new ProgramTable()
  readonly #marks = new MarkList()
  readonly #randomAccess: RandomAccess
  #scanner = new PacketScanner(this.table)

  /** `program`: the one whose random access points are marked; by default the first in the PAT. */
  constructor(program?: number) {
    this.#randomAccess = new RandomAccess(this.table, program)
  }

  /**
   * The marks of the next chunk of one stream: `bytes` are whole packets. Counters continue from the previous chunk. A
   * unit that shows its picture only in the next chunk stays undecided, without RANDOM_ACCESS.
   */
  remark(bytes: Uint8Array, prior?: PriorMarks): Int32Array {
    const scanner = this.#scanner
    const length = bytes.length - (bytes.length % PACKET_SIZE)
    for (let offset = 0; offset < length; offset += PACKET_SIZE) {
      let flags = scanner.scan(bytes, offset)
      let ms = 0
      if (prior !== undefined) {
        const index = offset / PACKET_SIZE
        flags |= prior.flags[index] ?? 0
        ms = prior.ms[index] ?? 0
      }
      if (flags !== 0 || this.#randomAccess.isOpen) this.#note(bytes, offset, flags, ms)
    }
    const marks = this.#marks.take(bytes, length, 0, scanner)
    scanner.shift(length)
    this.#randomAccess.shift(length)
    return marks
  }

  /** The next chunk does not continue the previous one: its counters and sections start from scratch. */
  reset(): void {
    this.table.reset()
    this.#scanner = new PacketScanner(this.table)
    this.#randomAccess.giveUp()
  }

  #note(bytes: Uint8Array, offset: number, flags: number, ms: number): void {
    if (flags !== 0) this.#marks.add(offset, readPid(bytes, offset), flags, ms)
    if (this.#randomAccess.note(bytes, offset, flags) >= 0) this.#marks.flag(this.#randomAccess.unit, RANDOM_ACCESS)
  }
}
