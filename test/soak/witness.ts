// What a pipeline's input gave, as an output shows it that no edit touches: the measure for all other viewers of it.
import { LightReader } from '../oracle/light-reader.js'
import type { LightReport } from '../oracle/light-reader.js'
import { PacketSieve } from './packet-sieve.js'
import type { Sieve } from './packet-sieve.js'

/** About 30 s at 2 Mb/s: viewers are compared more often than that. */
const MOST_PACKETS = 40_000
const FORGET = 10_000
const UNIT_START = 0x40

export class Witness implements AsyncDisposable {
  readonly reader: LightReader
  readonly pipeline: string
  readonly sieve: Sieve
  readonly #sieved: PacketSieve
  #packets: Buffer[] = []
  /** Packets that were forgotten. */
  #begin = 0
  /** Places of packets that begin a unit: their timestamps are there only once. */
  readonly #places = new Map<string, number>()

  constructor(url: string, pipeline: string, sieve: Sieve) {
    this.pipeline = pipeline
    this.sieve = sieve
    this.#sieved = new PacketSieve(sieve)
    this.reader = new LightReader(url, { onBody: (bytes) => this.#take(bytes) })
  }

  /** Place of the packet that comes next. */
  get end(): number {
    return this.#begin + this.#packets.length
  }

  /** Undefined where it was forgotten, or has not come. */
  packetAt(place: number): Buffer | undefined {
    return this.#packets[place - this.#begin]
  }

  /** Of a packet that begins a unit; undefined for others, and for those that it has not got. */
  placeOf(packet: Buffer): number | undefined {
    return isUnique(packet) ? this.#places.get(packet.toString('latin1')) : undefined
  }

  /** Of any packet, the nearest one. */
  find(packet: Buffer, near: number): number | undefined {
    let found: number | undefined
    for (const [index, other] of this.#packets.entries()) {
      const place = this.#begin + index
      if (!other.equals(packet)) continue
      if (found === undefined || Math.abs(place - near) < Math.abs(found - near)) found = place
    }
    return found
  }

  report(): LightReport {
    return this.reader.report()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.reader[Symbol.asyncDispose]()
  }

  #take(bytes: Uint8Array): void {
    for (const packet of this.#sieved.take(bytes)) {
      if (isUnique(packet)) this.#places.set(packet.toString('latin1'), this.end)
      this.#packets.push(packet)
    }
    if (this.#packets.length > MOST_PACKETS) this.#forget()
  }

  #forget(): void {
    for (const packet of this.#packets.slice(0, FORGET)) {
      const key = packet.toString('latin1')
      if ((this.#places.get(key) ?? Infinity) < this.#begin + FORGET) this.#places.delete(key)
    }
    this.#packets = this.#packets.slice(FORGET)
    this.#begin += FORGET
  }
}

/** The beginning of a PES packet of video or audio, which carries a PTS. */
function isUnique(packet: Buffer): boolean {
  if (((packet[1] ?? 0) & UNIT_START) === 0) return false
  const fieldLength = ((packet[3] ?? 0) & 0x20) === 0 ? 0 : 1 + (packet[4] ?? 0)
  const at = 4 + fieldLength
  return packet[at] === 0 && packet[at + 1] === 0 && packet[at + 2] === 1 && (packet[at + 3] ?? 0) >= 0xc0
}
