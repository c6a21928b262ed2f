// The header of an ADTS frame, ISO/IEC 14496-3 1.A.2.2: what an AAC decoder is configured from.

/** adts_fixed_header and adts_variable_header without CRC. */
export const ADTS_HEADER_SIZE = 7
/** The highest sampling_frequency_index that stands for a frequency, table 1.18. */
const MAX_SAMPLING_INDEX = 12

/**
 * The header fields that are constant for a whole stream, of the frame at `offset`, as one number: ID, profile,
 * sampling_frequency_index, channel_configuration. -1 if there is no header.
 */
export function readAdtsConfiguration(bytes: Uint8Array, offset: number, end: number): number {
  if (offset + ADTS_HEADER_SIZE > end) return -1
  // syncword, and layer, which is always 0; the mask leaves out ID and protection_absent
  if (bytes[offset] !== 0xff || (bytes[offset + 1]! & 0xf6) !== 0xf0) return -1
  if (((bytes[offset + 2]! >>> 2) & 0x0f) > MAX_SAMPLING_INDEX) return -1
  if (readAdtsFrameLength(bytes, offset) < ADTS_HEADER_SIZE) return -1
  const id = (bytes[offset + 1]! >>> 3) & 1
  const profileAndSampling = bytes[offset + 2]! >>> 2
  const channels = ((bytes[offset + 2]! & 1) << 2) | (bytes[offset + 3]! >>> 6)
  return (id << 9) | (profileAndSampling << 3) | channels
}

/** aac_frame_length: bytes of the frame, header included. */
export function readAdtsFrameLength(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset + 3]! & 0x03) << 11) | (bytes[offset + 4]! << 3) | (bytes[offset + 5]! >>> 5)
}
