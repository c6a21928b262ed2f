// Writes transport stream packets and keeps the continuity counter of each PID: ISO/IEC 13818-1 clauses 2.4.3.2 and
// 2.4.3.4. Payloads shorter than their packet are stuffed in the adaptation field.
import { NULL_PID, PACKET_SIZE, packetise, writePcr27M } from '@millrace/media/mpegts'

export interface PacketPlan {
  readonly pid: number
  /** At most `payloadRoom` bytes; if empty, only an adaptation field is written, which does not advance the counter. */
  readonly payload: Uint8Array
  readonly unitStart?: boolean
  readonly randomAccess?: boolean
  readonly discontinuity?: boolean
  /** In units of 27 MHz, of any size: wrapped here. */
  readonly pcr27m?: number
}

/** Payload bytes that fit next to the adaptation field that a packet needs. */
export function payloadRoom(needs: { readonly randomAccess?: boolean; readonly pcr?: boolean }): number {
  if (needs.pcr === true) return 184 - 8
  return needs.randomAccess === true ? 184 - 2 : 184
}

export class PacketWriter {
  #bytes = new Uint8Array(PACKET_SIZE * 1024)
  #length = 0
  readonly #counters = new Map<number, number>()
  readonly #nullEvery: number
  #sinceNull = 0
  #nullPackets = 0

  /**
   * `nextCounters` has the counter of the next packet with payload, by PID; 0 for a PID that is missing. A null packet
   * follows every `nullEvery` others.
   */
  constructor(nextCounters: Readonly<Record<number, number>> = {}, nullEvery = Infinity) {
    this.#nullEvery = nullEvery
    for (const [pid, counter] of Object.entries(nextCounters)) this.#counters.set(Number(pid), counter & 15)
  }

  get nullPackets(): number {
    return this.#nullPackets
  }

  /** Returns the offset of the packet. */
  write(packet: PacketPlan): number {
    const { pid, payload } = packet
    const hasPayload = payload.length > 0
    const next = this.#counters.get(pid) ?? 0
    const counter = hasPayload ? next : (next + 15) & 15
    this.#counters.set(pid, hasPayload ? (next + 1) & 15 : next)
    const field = renderAdaptationField(packet, 184 - payload.length)
    const control = (field.length > 0 ? 0x20 : 0) | (hasPayload ? 0x10 : 0)
    const offset = this.#reserve()
    this.#bytes.set([0x47, (packet.unitStart === true ? 0x40 : 0) | (pid >> 8), pid & 0xff, control | counter], offset)
    this.#bytes.set(field, offset + 4)
    if (packet.pcr27m !== undefined) writePcr27M(this.#bytes, offset, Math.round(packet.pcr27m))
    this.#bytes.set(payload, offset + 4 + field.length)
    if (++this.#sinceNull >= this.#nullEvery) this.writeNull()
    return offset
  }

  /** A null packet: its counter is undefined by clause 2.4.3.3 and stays 0 here. */
  writeNull(): void {
    const offset = this.#reserve()
    this.#bytes.fill(0xff, offset, offset + PACKET_SIZE)
    this.#bytes.set([0x47, NULL_PID >> 8, NULL_PID & 0xff, 0x10], offset)
    this.#nullPackets++
    this.#sinceNull = 0
  }

  toBytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  nextCounters(): Record<number, number> {
    return Object.fromEntries(this.#counters)
  }

  #reserve(): number {
    if (this.#length + PACKET_SIZE > this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2)
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    this.#length += PACKET_SIZE
    return this.#length - PACKET_SIZE
  }
}

/** Splits section bytes over payloads: a pointer_field of 0 in the first, 0xFF after the end. */
export function splitSection(section: Uint8Array): Uint8Array[] {
  const packets = packetise(section, NULL_PID, 0)
  const payloads: Uint8Array[] = []
  for (let at = 4; at < packets.length; at += PACKET_SIZE) payloads.push(packets.subarray(at, at + 184))
  return payloads
}

function renderAdaptationField(packet: PacketPlan, size: number): Uint8Array {
  const { pcr27m } = packet
  const flags =
    (packet.discontinuity === true ? 0x80 : 0) |
    (packet.randomAccess === true ? 0x40 : 0) |
    (pcr27m === undefined ? 0 : 0x10)
  const needed = pcr27m === undefined ? (flags === 0 ? 0 : 2) : 8
  if (size < needed) throw new Error(`no room for an adaptation field: ${size} of ${needed} bytes are free`)
  const field = new Uint8Array(size).fill(0xff)
  if (size > 0) field[0] = size - 1
  if (size > 1) field[1] = flags
  return field
}
