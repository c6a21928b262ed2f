// The packets of a reference viewer, in which those of other viewers are looked up.
import { PacketSplitter } from './packet-splitter.js'
import type { ExcludedPids } from './packet-splitter.js'

/** About 30 s at 2 Mb/s: viewers are compared more often than that. */
const MAX_PACKETS = 40_000
const FORGET_COUNT = 10_000
const UNIT_START = 0x40

export class ReferencePackets {
  readonly excluded: ExcludedPids
  readonly #splitter: PacketSplitter
  #packets: Buffer[] = []
  /** Number of packets dropped from the front. */
  #begin = 0
  /** Positions of packets that begin a PES packet of video or audio, whose timestamps occur only once. */
  readonly #positions = new Map<string, number>()

  constructor(excluded: ExcludedPids) {
    this.excluded = excluded
    this.#splitter = new PacketSplitter(excluded)
  }

  /** Position of the next packet to arrive. */
  get end(): number {
    return this.#begin + this.#packets.length
  }

  /** The bytes are copied. */
  push(bytes: Uint8Array): void {
    for (const packet of this.#splitter.take(bytes)) {
      if (beginsUnit(packet)) this.#positions.set(packet.toString('latin1'), this.end)
      this.#packets.push(packet)
    }
    if (this.#packets.length > MAX_PACKETS) this.#forget()
  }

  /** Undefined if it has been dropped, or has not arrived. */
  packetAt(position: number): Buffer | undefined {
    return this.#packets[position - this.#begin]
  }

  /** Position of a packet that begins a unit; undefined for others, and for packets not received. */
  positionOf(packet: Buffer): number | undefined {
    return beginsUnit(packet) ? this.#positions.get(packet.toString('latin1')) : undefined
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

  #forget(): void {
    for (const packet of this.#packets.slice(0, FORGET_COUNT)) {
      const key = packet.toString('latin1')
      if ((this.#positions.get(key) ?? Infinity) < this.#begin + FORGET_COUNT) this.#positions.delete(key)
    }
    this.#packets = this.#packets.slice(FORGET_COUNT)
    this.#begin += FORGET_COUNT
  }
}

/** It has a payload that begins here, and no PES packet begins in it: ISO/IEC 13818-1, 2.4.4. */
export function beginsTable(packet: Buffer): boolean {
  return startsPayload(packet) && (packet[3]! & 0x10) !== 0 && !startsPes(packet)
}

/** Of video or audio, which carries a PTS. */
function beginsUnit(packet: Buffer): boolean {
  return startsPayload(packet) && startsPes(packet) && (packet[payloadAt(packet) + 3] ?? 0) >= 0xc0
}

function startsPayload(packet: Buffer): boolean {
  return (packet[1]! & UNIT_START) !== 0
}

function startsPes(packet: Buffer): boolean {
  const at = payloadAt(packet)
  return packet[at] === 0 && packet[at + 1] === 0 && packet[at + 2] === 1
}

function payloadAt(packet: Buffer): number {
  return 4 + ((packet[3]! & 0x20) === 0 ? 0 : 1 + packet[4]!)
}
