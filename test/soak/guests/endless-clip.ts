// A clip as an encoder sends it: for ever, with clocks and continuity counters that go on from round to round.
const SIZE = 188
const NULL_PID = 0x1fff
const WRAP = 2 ** 33

interface PacketFields {
  readonly pid: number
  readonly hasPayload: boolean
  /** Offset of the PCR in the packet, of the PTS, and of the DTS; 0 if there is none. */
  readonly pcr: number
  readonly pts: number
  readonly dts: number
}

export class EndlessClip {
  readonly #clip: Buffer
  readonly #fields: readonly PacketFields[]
  /** Packets with a payload in one round, by PID. */
  readonly #payloads = new Map<number, number>()
  readonly #durationMs: number
  readonly #start90k: number
  #next = 0

  /** The clip is exactly `durationMs` long in all of its tracks. `start90k` is added to all clocks. */
  constructor(clip: Uint8Array, durationMs: number, start90k: number) {
    this.#clip = Buffer.from(clip)
    this.#durationMs = durationMs
    this.#start90k = start90k
    this.#fields = Array.from({ length: clip.length / SIZE }, (_, index) => readFields(this.#clip, index * SIZE))
    for (const { pid, hasPayload } of this.#fields) {
      if (hasPayload) this.#payloads.set(pid, (this.#payloads.get(pid) ?? 0) + 1)
    }
  }

  /** The packets between those read before and the given time since the start. */
  read(untilMs: number): Buffer {
    const end = Math.max(this.#next, Math.floor((untilMs / this.#durationMs) * this.#fields.length))
    const bytes = Buffer.alloc((end - this.#next) * SIZE)
    for (let at = 0; this.#next < end; at += SIZE) this.#writePacket(bytes.subarray(at, at + SIZE), this.#next++)
    return bytes
  }

  #writePacket(packet: Buffer, number: number): void {
    const round = Math.floor(number / this.#fields.length)
    const index = number % this.#fields.length
    const fields = this.#fields[index]
    this.#clip.copy(packet, 0, index * SIZE, (index + 1) * SIZE)
    if (fields === undefined || fields.pid === NULL_PID) return
    const counter = ((packet[3] ?? 0) + round * (this.#payloads.get(fields.pid) ?? 0)) & 0x0f
    packet[3] = ((packet[3] ?? 0) & 0xf0) | counter
    const offset90k = this.#start90k + round * this.#durationMs * 90
    if (fields.pcr > 0) movePcr(packet, fields.pcr, offset90k)
    if (fields.pts > 0) moveTimestamp(packet, fields.pts, offset90k)
    if (fields.dts > 0) moveTimestamp(packet, fields.dts, offset90k)
  }
}

/** ISO/IEC 13818-1, 2.4.3.2 to 2.4.3.7. */
function readFields(clip: Buffer, at: number): PacketFields {
  const control = clip[at + 3] ?? 0
  const hasField = (control & 0x20) !== 0
  const hasPayload = (control & 0x10) !== 0
  const fieldLength = hasField ? 1 + (clip[at + 4] ?? 0) : 0
  const hasPcr = fieldLength > 1 && ((clip[at + 5] ?? 0) & 0x10) !== 0
  const pes = 4 + fieldLength
  const begins = hasPayload && ((clip[at + 1] ?? 0) & 0x40) !== 0 && clip.readUIntBE(at + pes, 3) === 1
  const flags = begins ? (clip[at + pes + 7] ?? 0) >> 6 : 0
  return {
    pid: clip.readUInt16BE(at + 1) & 0x1fff,
    hasPayload,
    pcr: hasPcr ? 6 : 0,
    pts: flags >= 2 ? pes + 9 : 0,
    dts: flags === 3 ? pes + 14 : 0,
  }
}

function movePcr(packet: Buffer, at: number, offset90k: number): void {
  const base = (packet.readUInt32BE(at) * 2 + ((packet[at + 4] ?? 0) >> 7) + offset90k) % WRAP
  packet.writeUInt32BE(Math.floor(base / 2), at)
  packet[at + 4] = ((packet[at + 4] ?? 0) & 0x7f) | ((base % 2) << 7)
}

function moveTimestamp(packet: Buffer, at: number, offset90k: number): void {
  const high = ((packet[at] ?? 0) >> 1) & 0x07
  const value = high * 2 ** 30 + (packet.readUInt16BE(at + 1) >> 1) * 2 ** 15 + (packet.readUInt16BE(at + 3) >> 1)
  const moved = (value + offset90k) % WRAP
  packet[at] = ((packet[at] ?? 0) & 0xf1) | (Math.floor(moved / 2 ** 30) << 1)
  packet.writeUInt16BE((Math.floor(moved / 2 ** 15) % 2 ** 15) * 2 + 1, at + 1)
  packet.writeUInt16BE((moved % 2 ** 15) * 2 + 1, at + 3)
}
