// Writes packets of any content, with continuity counters of its own.
import { PACKET_SIZE } from '@millrace/media/mpegts'

const HEADER_SIZE = 4

export interface PacketFields {
  readonly unitStart?: boolean
  /** The flags of the adaptation field and what follows them. */
  readonly field?: readonly number[]
}

export class HostileWriter {
  readonly #counters = new Map<number, number>()
  #bytes = new Uint8Array(1024 * PACKET_SIZE)
  #length = 0

  get packets(): number {
    return this.#length / PACKET_SIZE
  }

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  /** A packet with this payload; what is left of the packet is stuffed. */
  packet(pid: number, payload: Uint8Array, { unitStart = false, field = [] }: PacketFields = {}): void {
    const packet = new Uint8Array(PACKET_SIZE).fill(0xff)
    const room = PACKET_SIZE - HEADER_SIZE - payload.length
    packet.set([0x47, (unitStart ? 0x40 : 0) | (pid >>> 8), pid & 0xff, room > 0 ? 0x30 : 0x10])
    if (room > 0) packet[4] = room - 1
    if (room > 1) packet.set(field.length === 0 ? [0] : field.slice(0, room - 1), 5)
    packet.set(payload, HEADER_SIZE + room)
    this.packets188(packet)
  }

  /** Whole packets, whose counters are set here. */
  packets188(packets: Uint8Array): void {
    this.#reserve(packets.length)
    for (let at = 0; at < packets.length; at += PACKET_SIZE) {
      const pid = ((packets[at + 1]! & 0x1f) << 8) | packets[at + 2]!
      const counter = ((this.#counters.get(pid) ?? -1) + 1) & 15
      this.#counters.set(pid, counter)
      packets[at + 3] = (packets[at + 3]! & 0xf0) | counter
    }
    this.#bytes.set(packets, this.#length)
    this.#length += packets.length
  }

  /** Changes a byte of the last packet. */
  patch(offset: number, value: number): void {
    this.#bytes[this.#length - PACKET_SIZE + offset] = value
  }

  /** A PES packet of unspecified length with a PTS. */
  pes(pts90k: number, data: Uint8Array): Uint8Array {
    const high = Math.floor(pts90k / 2 ** 30) & 7
    const low = pts90k % 2 ** 30
    const pts = [
      0x21 | (high << 1),
      (low >>> 22) & 0xff,
      ((low >>> 14) & 0xfe) | 1,
      (low >>> 7) & 0xff,
      ((low << 1) & 0xfe) | 1,
    ]
    return Uint8Array.from([0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, ...pts, ...data])
  }

  /** An adaptation field with a PCR and these other flags. */
  clock(pcr90k: number, flags: number): number[] {
    const base = Math.floor(pcr90k / 2) % 2 ** 32
    return [
      flags | 0x10,
      base >>> 24,
      (base >>> 16) & 0xff,
      (base >>> 8) & 0xff,
      base & 0xff,
      ((pcr90k & 1) << 7) | 0x7e,
      0,
    ]
  }

  #reserve(length: number): void {
    if (this.#length + length <= this.#bytes.length) return
    const larger = new Uint8Array(this.#bytes.length * 2 + length)
    larger.set(this.#bytes)
    this.#bytes = larger
  }
}
