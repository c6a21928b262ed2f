// Marks for packets that did not come from a framer, or that were changed since: a transform that selects, drops or
// remaps PIDs calls this for each chunk it makes. The same single scan as the framer's, without its copying and
// cutting.
import type { DecoderHead, Lead } from './chunk.js'
import { LeadChoice } from './lead-choice.js'
import { MarkList } from './mark-list.js'
import { PSI, RANDOM_ACCESS } from './marks.js'
import { PacketScanner } from './packet-scanner.js'
import { PACKET_SIZE, readPid } from './packet.js'
import { ProgramTable } from './program-table.js'
import { obstacleOf } from './stream-obstacle.js'
import { RandomAccess } from './random-access.js'

/** What earlier marks said about packets that were kept: one number per packet. */
export interface PriorMarks {
  /** Milliseconds since the chunk's receivedAtMs. By default all packets arrived at once. */
  readonly ms: Int32Array
  /** Flags that a scan cannot find again, such as lost synchronisation. */
  readonly flags: Int32Array
  /** receivedAtMs of the chunk. By default 0. */
  readonly arrivalMs?: number
}

export class Remarker {
  readonly table = new ProgramTable()
  /** What decoders lack that start in the chunk remarked last, by the offset of the packet marked RANDOM_ACCESS. */
  readonly heads = new Map<number, DecoderHead>()
  readonly #marks = new MarkList()
  readonly #randomAccess: RandomAccess
  readonly #scanner = new PacketScanner(this.table)
  readonly #choice: LeadChoice
  #lead: Lead | undefined
  /** Of the chunk that is being remarked. */
  #arrivalMs = 0
  #given: Lead | undefined

  /** `program`: the only one that can lead; by default any. */
  constructor(program?: number) {
    this.#choice = new LeadChoice(this.table, this.#scanner, { program })
    this.#randomAccess = new RandomAccess(this.table, this.#choice.time, false)
  }

  /** The track whose random access points were marked last. */
  get lead(): Lead | undefined {
    return this.#lead
  }

  /** Why no viewer can start in the stream; empty while one can. */
  get obstacle(): string {
    return obstacleOf(this.table, this.#choice)
  }

  /**
   * The marks of the next chunk of one stream: `bytes` are whole packets. Counters continue from the previous chunk. A
   * unit that shows its picture only in the next chunk stays undecided, without RANDOM_ACCESS. `lead`: the track that leads;
   * by default it is chosen by what flows.
   */
  remark(bytes: Uint8Array, prior?: PriorMarks, lead?: Lead): Int32Array {
    if (this.heads.size > 0) this.heads.clear()
    const scanner = this.#scanner
    const arrivalMs = prior?.arrivalMs ?? 0
    this.#arrivalMs = arrivalMs
    this.#given = lead
    this.#follow()
    const length = bytes.length - (bytes.length % PACKET_SIZE)
    const randomAccess = this.#randomAccess
    for (let offset = 0; offset < length; offset += PACKET_SIZE) {
      let flags = scanner.scan(bytes, offset)
      let ms = 0
      if (prior !== undefined) {
        const index = offset / PACKET_SIZE
        flags |= prior.flags[index] ?? 0
        ms = prior.ms[index] ?? 0
      }
      // Most packets merely continue their PID.
      if (flags !== 0 || randomAccess.isReading) this.#note(bytes, offset, flags, ms)
    }
    if (this.#choice.check(bytes, arrivalMs)) this.#follow()
    const marks = this.#marks.take(bytes, length, 0, scanner)
    scanner.shift(length)
    this.#randomAccess.shift(length)
    return marks
  }

  /** The next chunk does not continue the previous one: its counters and sections start from scratch. */
  reset(): void {
    this.table.reset()
    this.#scanner.reset()
    this.#randomAccess.reset()
  }

  #follow(): void {
    this.#lead = this.#given ?? this.#choice.lead
    this.#randomAccess.follow(this.#lead)
  }

  #note(bytes: Uint8Array, offset: number, flags: number, ms: number): void {
    const pid = readPid(bytes, offset)
    if (flags !== 0) {
      if (this.#choice.note(bytes, offset, pid, flags, this.#arrivalMs + ms)) this.#follow()
      this.#marks.add(offset, pid, flags, ms)
    }
    const { leadPid, isReading } = this.#randomAccess
    if (pid === leadPid || (flags & PSI) !== 0 || isReading) this.#findPoint(bytes, offset, flags)
  }

  #findPoint(bytes: Uint8Array, offset: number, flags: number): void {
    if (this.#randomAccess.note(bytes, offset, flags) < 0) return
    const { unit, leadPid, head } = this.#randomAccess
    this.#marks.flag(unit, leadPid, RANDOM_ACCESS)
    if (head !== undefined) this.heads.set(unit, head)
  }
}
