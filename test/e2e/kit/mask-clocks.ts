// Zeroes what a new pass over a file may change in a packet: the continuity counter, PCR and OPCR, PTS and DTS, and by how
// much the times of a cue were moved, with its CRC. ISO/IEC 13818-1 clauses 2.4.3.2, 2.4.3.4 and 2.4.3.6; SCTE 35, 9.6.

/** Returns a copy; `bytes` are whole packets. */
export function maskClocks(bytes: Uint8Array): Uint8Array {
  const out = bytes.slice()
  for (let offset = 0; offset < out.length; offset += 188) maskPacket(out.subarray(offset, offset + 188))
  return out
}

function maskPacket(packet: Uint8Array): void {
  const [, flags = 0, , control = 0, fieldLength = 0, fieldFlags = 0] = packet
  packet[3] = control & 0xf0
  const hasField = (control & 0x20) !== 0
  if (hasField && fieldLength > 0) {
    const pcrBytes = (fieldFlags & 0x10) === 0 ? 0 : 6
    const opcrBytes = (fieldFlags & 0x08) === 0 ? 0 : 6
    packet.fill(0, 6, 6 + pcrBytes + opcrBytes)
  }
  const isUnitStart = (flags & 0x40) !== 0 && (control & 0x10) !== 0
  if (!isUnitStart) return
  const payload = packet.subarray(hasField ? 5 + fieldLength : 4)
  maskTimes(payload)
  maskCue(payload.subarray(1 + (payload[0] ?? 0)))
}

/** A splice_info_section that is in one packet. */
function maskCue(section: Uint8Array): void {
  if (section[0] !== 0xfc) return
  const end = 3 + (((section[1] ?? 0) & 0x0f) << 8) + (section[2] ?? 0)
  section[4] = (section[4] ?? 0) & 0xfe
  section.fill(0, 5, 9)
  section.fill(0, end - 4, end)
}

/** Timestamps of a PES packet; sections do not begin with a start code. */
function maskTimes(payload: Uint8Array): void {
  const [zero, one, two, streamId = 0] = payload
  const isPes = zero === 0 && one === 0 && two === 1
  const hasTimes = isPes && (streamId === 0xbd || (streamId >= 0xc0 && streamId < 0xf0))
  if (!hasTimes) return
  const flags = (payload[7] ?? 0) >> 6
  if (flags >= 2) payload.fill(0, 9, flags === 3 ? 19 : 14)
}
