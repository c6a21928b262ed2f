// Marks for packets that did not come from a framer, or not as they are now: a transform that selects, drops or remaps
// PIDs calls this for each chunk that it makes. The same one scan as the framer's, without its copying and cutting.
import { MarkList } from './mark-list.js'
import { RANDOM_ACCESS } from './marks.js'
import { PacketScanner } from './packet-scanner.js'
import { PACKET_SIZE, readPid } from './packet.js'
import { ProgramTable } from './program-table.js'
import { RandomAccess } from './random-access.js'

export class Remarker {
  readonly table = new ProgramTable()
  readonly #scanner = new PacketScanner(this.table)
  readonly #marks = new MarkList()
  readonly #randomAccess: RandomAccess

  /** `program`: whose random access points are marked; by default the first of the PAT. */
  constructor(program?: number) {
    this.#randomAccess = new RandomAccess(this.table, program)
  }

  /**
   * The marks of the next chunk of one stream: `bytes` are whole packets. Counters go on from the chunk before. All
   * packets count as received at once.
   */
  remark(bytes: Uint8Array): Int32Array {
    const scanner = this.#scanner
    const length = bytes.length - (bytes.length % PACKET_SIZE)
    for (let offset = 0; offset < length; offset += PACKET_SIZE) {
      const flags = scanner.scan(bytes, offset)
      if (flags !== 0 || this.#randomAccess.isOpen) this.#note(bytes, offset, flags)
    }
    const marks = this.#marks.take(bytes, length, 0, scanner)
    scanner.shift(length)
    this.#randomAccess.shift(length)
    return marks
  }

  #note(bytes: Uint8Array, offset: number, flags: number): void {
    if (flags !== 0) this.#marks.add(offset, readPid(bytes, offset), flags, 0)
    if (this.#randomAccess.note(bytes, offset, flags) >= 0) this.#marks.flag(this.#randomAccess.unit, RANDOM_ACCESS)
  }
}
