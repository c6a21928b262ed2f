// The header and adaptation field of one transport stream packet at `(bytes, offset)`, ISO/IEC 13818-1 2.4.3.2 and
// 2.4.3.4. The caller has made sure that all 188 bytes are there; nothing outside them is read. No allocation.

/** Bytes per packet, 2.4.1. */
export const PACKET_SIZE = 188
/** sync_byte, 2.4.3.3. */
export const SYNC_BYTE = 0x47
/** PIDs are 13 bits wide. */
export const PID_COUNT = 8192
/** Program association table, table 2-3. */
export const PAT_PID = 0x0000
/** Conditional access table, table 2-3. */
export const CAT_PID = 0x0001
/** Null packets, table 2-3. */
export const NULL_PID = 0x1fff

/** The longest adaptation field that fits: in a packet without payload, 2.4.3.5. */
const MAX_ADAPTATION_LENGTH = 183
/** The flags byte of the adaptation field, then program_clock_reference. */
const PCR_FIELD_END = 1 + 6

/** Flags of the adaptation field, as `readAdaptationFlags` returns them. */
export const DISCONTINUITY_FLAG = 0x80
export const RANDOM_ACCESS_FLAG = 0x40
export const PCR_FLAG = 0x10
export const OPCR_FLAG = 0x08
const SPLICING_POINT_FLAG = 0x04
const PRIVATE_DATA_FLAG = 0x02
const EXTENSION_FLAG = 0x01
/** program_clock_reference, and original_program_clock_reference. */
const CLOCK_SIZE = 6

export function readPid(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset + 1]! & 0x1f) << 8) | bytes[offset + 2]!
}

/** payload_unit_start_indicator: a PES packet or a section begins in this packet. */
export function isUnitStart(bytes: Uint8Array, offset: number): boolean {
  return (bytes[offset + 1]! & 0x40) !== 0
}

/** transport_error_indicator: at least one bit of this packet is wrong, and it is unknown which. */
export function hasTransportError(bytes: Uint8Array, offset: number): boolean {
  return (bytes[offset + 1]! & 0x80) !== 0
}

/** transport_scrambling_control is not 00: the payload cannot be read. */
export function isScrambled(bytes: Uint8Array, offset: number): boolean {
  return (bytes[offset + 3]! & 0xc0) !== 0
}

/** adaptation_field_control announces a payload; only such packets increment the continuity counter. */
export function hasPayload(bytes: Uint8Array, offset: number): boolean {
  return (bytes[offset + 3]! & 0x10) !== 0
}

export function hasAdaptationField(bytes: Uint8Array, offset: number): boolean {
  return (bytes[offset + 3]! & 0x20) !== 0
}

/** continuity_counter, 0 to 15. */
export function readCounter(bytes: Uint8Array, offset: number): number {
  return bytes[offset + 3]! & 0x0f
}

/** Sets continuity_counter to the low four bits of `counter`. */
export function writeCounter(bytes: Uint8Array, offset: number, counter: number): void {
  bytes[offset + 3] = (bytes[offset + 3]! & 0xf0) | (counter & 0x0f)
}

/** Offset of the first payload byte, or `offset + 188` if there is none (also if the lengths are damaged). */
export function payloadOffset(bytes: Uint8Array, offset: number): number {
  const control = bytes[offset + 3]! & 0x30
  if (control === 0x10) return offset + 4
  if (control !== 0x30) return offset + PACKET_SIZE
  return Math.min(offset + 5 + bytes[offset + 4]!, offset + PACKET_SIZE)
}

/** adaptation_field_length, limited to what fits into the packet; 0 without an adaptation field. */
export function adaptationLength(bytes: Uint8Array, offset: number): number {
  if (!hasAdaptationField(bytes, offset)) return 0
  return Math.min(bytes[offset + 4]!, MAX_ADAPTATION_LENGTH)
}

/** The flags byte of the adaptation field; 0 if there is no field, or it is empty, or its length is impossible. */
export function readAdaptationFlags(bytes: Uint8Array, offset: number): number {
  if (!hasAdaptationField(bytes, offset)) return 0
  const length = bytes[offset + 4]!
  return length === 0 || length > MAX_ADAPTATION_LENGTH ? 0 : bytes[offset + 5]!
}

export function hasDiscontinuityIndicator(bytes: Uint8Array, offset: number): boolean {
  return (readAdaptationFlags(bytes, offset) & DISCONTINUITY_FLAG) !== 0
}

export function hasRandomAccessIndicator(bytes: Uint8Array, offset: number): boolean {
  return (readAdaptationFlags(bytes, offset) & RANDOM_ACCESS_FLAG) !== 0
}

/** The adaptation field carries a PCR and is long enough for it. */
export function hasPcr(bytes: Uint8Array, offset: number): boolean {
  return (readAdaptationFlags(bytes, offset) & PCR_FLAG) !== 0 && bytes[offset + 4]! >= PCR_FIELD_END
}

/**
 * The adaptation field of a packet with payload is longer than what is in it, 2.4.3.5: the payload had no more bytes, so
 * what it belongs to ends here.
 */
export function hasStuffing(bytes: Uint8Array, offset: number): boolean {
  if ((bytes[offset + 3]! & 0x30) !== 0x30) return false
  const length = bytes[offset + 4]!
  if (length === 0) return true
  if (length >= MAX_ADAPTATION_LENGTH) return false
  const flags = bytes[offset + 5]!
  if (flags === 0) return true
  const end = offset + 5 + length
  let at = offset + 6
  if ((flags & PCR_FLAG) !== 0) at += CLOCK_SIZE
  if ((flags & OPCR_FLAG) !== 0) at += CLOCK_SIZE
  if ((flags & SPLICING_POINT_FLAG) !== 0) at += 1
  // Private data, and the extension, begin with their length.
  for (const flag of [PRIVATE_DATA_FLAG, EXTENSION_FLAG]) {
    if ((flags & flag) === 0) continue
    if (at >= end) return false
    at += 1 + bytes[at]!
  }
  return at < end
}
