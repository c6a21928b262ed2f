// What a pipeline's input delivered, as received from an output that no edit touches: the reference for all other
// viewers of the pipeline.
import { HttpReader } from '../oracle/http-reader.js'
import type { HttpReaderReport } from '../oracle/http-reader.js'
import { PacketSplitter } from './packet-splitter.js'
import type { ExcludedPids } from './packet-splitter.js'

/** About 30 s at 2 Mb/s: viewers are compared more often than that. */
const MAX_PACKETS = 40_000
const FORGET_COUNT = 10_000
const UNIT_START = 0x40

export class ReferenceViewer implements AsyncDisposable {
  readonly reader: HttpReader
  readonly pipeline: string
  readonly excluded: ExcludedPids
  readonly #splitter: PacketSplitter
  #packets: Buffer[] = []
  /** Number of packets dropped from the front. */
  #begin = 0
  /** Positions of packets that begin a unit: their timestamps occur only once. */
  readonly #positions = new Map<string, number>()

  constructor(url: string, pipeline: string, excluded: ExcludedPids) {
    this.pipeline = pipeline
    this.excluded = excluded
    this.#splitter = new PacketSplitter(excluded)
    this.reader = new HttpReader(url, { onBody: (bytes) => this.#take(bytes) })
  }

  /** Position of the next packet to arrive. */
  get end(): number {
    return this.#begin + this.#packets.length
  }

  /** Undefined if it has been dropped, or has not arrived. */
  packetAt(position: number): Buffer | undefined {
    return this.#packets[position - this.#begin]
  }

  /** Position of a packet that begins a unit; undefined for others, and for packets not received. */
  positionOf(packet: Buffer): number | undefined {
    return isUnique(packet) ? this.#positions.get(packet.toString('latin1')) : undefined
  }

  /** Position of any packet; of several, the nearest one. */
  find(packet: Buffer, near: number): number | undefined {
    let found: number | undefined
    for (const [index, other] of this.#packets.entries()) {
      const position = this.#begin + index
      if (!other.equals(packet)) continue
      if (found === undefined || Math.abs(position - near) < Math.abs(found - near)) found = position
    }
    return found
  }

  report(): HttpReaderReport {
    return this.reader.report()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.reader[Symbol.asyncDispose]()
  }

  #take(bytes: Uint8Array): void {
    for (const packet of this.#splitter.take(bytes)) {
      if (isUnique(packet)) this.#positions.set(packet.toString('latin1'), this.end)
      this.#packets.push(packet)
    }
    if (this.#packets.length > MAX_PACKETS) this.#forget()
  }

  #forget(): void {
    for (const packet of this.#packets.slice(0, FORGET_COUNT)) {
      const key = packet.toString('latin1')
      if ((this.#positions.get(key) ?? Infinity) < this.#begin + FORGET_COUNT) this.#positions.delete(key)
    }
    this.#packets = this.#packets.slice(FORGET_COUNT)
    this.#begin += FORGET_COUNT
  }
}

/** The packet begins a PES packet of video or audio, which carries a PTS. */
function isUnique(packet: Buffer): boolean {
  if (((packet[1] ?? 0) & UNIT_START) === 0) return false
  const fieldLength = ((packet[3] ?? 0) & 0x20) === 0 ? 0 : 1 + (packet[4] ?? 0)
  const at = 4 + fieldLength
  return packet[at] === 0 && packet[at + 1] === 0 && packet[at + 2] === 1 && (packet[at + 3] ?? 0) >= 0xc0
}
