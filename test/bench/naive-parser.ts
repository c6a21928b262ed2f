// The straightforward way to parse a transport stream in Node, for comparison with the framer: a Buffer view and an
// object per packet, with header, adaptation field and PCR, and a concatenation if a packet spans two reads.

export interface NaivePacket {
  readonly transportErrorIndicator: boolean
  readonly payloadUnitStartIndicator: boolean
  readonly transportPriority: boolean
  readonly pid: number
  readonly scramblingControl: number
  readonly continuityCounter: number
  readonly adaptationField: NaiveAdaptationField | undefined
  readonly payload: Buffer | undefined
}

interface NaiveAdaptationField {
  readonly discontinuityIndicator: boolean
  readonly randomAccessIndicator: boolean
  readonly elementaryStreamPriorityIndicator: boolean
  readonly pcr: { readonly base: number; readonly extension: number } | undefined
}

export class NaiveParser {
  #rest = Buffer.alloc(0)

  push(bytes: Buffer): NaivePacket[] {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    const packets: NaivePacket[] = []
    let at = 0
    while (at + 188 <= all.length) {
      if (all.readUInt8(at) !== 0x47) {
        at++
        continue
      }
      packets.push(parsePacket(all.subarray(at, at + 188)))
      at += 188
    }
    this.#rest = Buffer.from(all.subarray(at))
    return packets
  }
}

function parsePacket(packet: Buffer): NaivePacket {
  const header = packet.readUInt32BE(0)
  const control = (header >>> 4) & 3
  const fieldLength = control >= 2 ? packet.readUInt8(4) : 0
  const payloadStart = control >= 2 ? 5 + fieldLength : 4
  return {
    transportErrorIndicator: (header & 0x800000) !== 0,
    payloadUnitStartIndicator: (header & 0x400000) !== 0,
    transportPriority: (header & 0x200000) !== 0,
    pid: (header >>> 8) & 0x1fff,
    scramblingControl: (header >>> 6) & 3,
    continuityCounter: header & 15,
    adaptationField: fieldLength > 0 ? parseAdaptationField(packet.subarray(5, 5 + fieldLength)) : undefined,
    payload: (control & 1) === 1 ? packet.subarray(payloadStart) : undefined,
  }
}

function parseAdaptationField(field: Buffer): NaiveAdaptationField {
  const flags = field.readUInt8(0)
  const hasPcr = (flags & 0x10) !== 0 && field.length >= 7
  return {
    discontinuityIndicator: (flags & 0x80) !== 0,
    randomAccessIndicator: (flags & 0x40) !== 0,
    elementaryStreamPriorityIndicator: (flags & 0x20) !== 0,
    pcr: hasPcr
      ? { base: field.readUInt32BE(1) * 2 + (field.readUInt8(5) >> 7), extension: field.readUInt16BE(5) & 0x1ff }
      : undefined,
  }
}
