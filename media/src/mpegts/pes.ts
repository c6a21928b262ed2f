// The header of a PES packet, ISO/IEC 13818-1 2.4.3.6: the timestamps, and where the elementary stream begins.
// `payload` is the offset of packet_start_code_prefix, `end` the end of the transport packet; bytes from `end` on are
// never read. Marker bits are not checked; receivers do not check them either. No allocation.

import { mod33 } from './timestamps.js'

/** packet_start_code_prefix, stream_id, PES_packet_length. */
const FIXED_HEADER_SIZE = 6
/** The fixed part, two bytes of flags, PES_header_data_length. */
const OPTIONAL_HEADER_POSITION = 9
const TIMESTAMP_SIZE = 5
const PTS_POSITION = OPTIONAL_HEADER_POSITION
const DTS_POSITION = PTS_POSITION + TIMESTAMP_SIZE

/** Values of PTS_DTS_flags, table 2-21. */
const TIMESTAMPS_NONE = 0b00
const TIMESTAMPS_PTS = 0b10
const TIMESTAMPS_PTS_DTS = 0b11

/** A packet_start_code_prefix and a stream_id are at `payload`. */
export function isPesStart(bytes: Uint8Array, payload: number, end: number): boolean {
  return payload + 4 <= end && bytes[payload] === 0 && bytes[payload + 1] === 0 && bytes[payload + 2] === 1
}

/** stream_id, or -1 if no PES packet begins here. */
export function readStreamId(bytes: Uint8Array, payload: number, end: number): number {
  return isPesStart(bytes, payload, end) ? bytes[payload + 3]! : -1
}

/** PES_packet_length (0: unbounded, video only), or -1 if it is not in the packet. */
export function pesPacketLength(bytes: Uint8Array, payload: number, end: number): number {
  if (payload + FIXED_HEADER_SIZE > end || !isPesStart(bytes, payload, end)) return -1
  return (bytes[payload + 4]! << 8) | bytes[payload + 5]!
}

/** PTS_DTS_flags; TIMESTAMPS_NONE for the forbidden value 01 and for packets without an optional header. */
export function pesTimestampFlags(bytes: Uint8Array, payload: number, end: number): number {
  if (payload + OPTIONAL_HEADER_POSITION > end || !isPesStart(bytes, payload, end)) return TIMESTAMPS_NONE
  if (!hasOptionalHeader(bytes[payload + 3]!)) return TIMESTAMPS_NONE
  const flags = bytes[payload + 7]! >>> 6
  return flags === 0b01 ? TIMESTAMPS_NONE : flags
}

/** Presentation time, 90 kHz, 33 bits; -1 if it is absent or incomplete. */
export function readPts(bytes: Uint8Array, payload: number, end: number): number {
  return hasPts(bytes, payload, end) ? readTimestamp(bytes, payload + PTS_POSITION) : -1
}

/** Decoding time, 90 kHz, 33 bits; without a DTS the PTS, which then equals it; -1 if it is absent or incomplete. */
export function readDts(bytes: Uint8Array, payload: number, end: number): number {
  if (hasDts(bytes, payload, end)) return readTimestamp(bytes, payload + DTS_POSITION)
  return pesTimestampFlags(bytes, payload, end) === TIMESTAMPS_PTS ? readPts(bytes, payload, end) : -1
}

/** Replaces the PTS, modulo 2^33, and keeps prefix and marker bits; does nothing without a PTS. */
export function writePts(bytes: Uint8Array, payload: number, end: number, pts90k: number): void {
  if (hasPts(bytes, payload, end)) writeTimestamp(bytes, payload + PTS_POSITION, pts90k)
}

/** Replaces the DTS, modulo 2^33, and keeps prefix and marker bits; does nothing without a separate DTS. */
export function writeDts(bytes: Uint8Array, payload: number, end: number, dts90k: number): void {
  if (hasDts(bytes, payload, end)) writeTimestamp(bytes, payload + DTS_POSITION, dts90k)
}

/**
 * Offset of the first byte of the elementary stream; `end` if the header continues in the next packet or there is none.
 */
export function pesHeaderEnd(bytes: Uint8Array, payload: number, end: number): number {
  if (payload + FIXED_HEADER_SIZE > end || !isPesStart(bytes, payload, end)) return end
  if (!hasOptionalHeader(bytes[payload + 3]!)) return payload + FIXED_HEADER_SIZE
  if (payload + OPTIONAL_HEADER_POSITION > end) return end
  return Math.min(end, payload + OPTIONAL_HEADER_POSITION + bytes[payload + 8]!)
}

/** Streams whose PES packets have only data after PES_packet_length, 2.4.3.7. */
export function hasOptionalHeader(streamId: number): boolean {
  switch (streamId) {
    case 0xbc: // program_stream_map
    case 0xbe: // padding_stream
    case 0xbf: // private_stream_2
    case 0xf0: // ECM
    case 0xf1: // EMM
    case 0xf2: // DSM-CC
    case 0xf8: // ITU-T H.222.1 type E
    case 0xff: // program_stream_directory
      return false
    default:
      return true
  }
}

function hasPts(bytes: Uint8Array, payload: number, end: number): boolean {
  return pesTimestampFlags(bytes, payload, end) !== TIMESTAMPS_NONE && holds(bytes, payload, end, DTS_POSITION)
}

function hasDts(bytes: Uint8Array, payload: number, end: number): boolean {
  return (
    pesTimestampFlags(bytes, payload, end) === TIMESTAMPS_PTS_DTS &&
    holds(bytes, payload, end, DTS_POSITION + TIMESTAMP_SIZE)
  )
}

/** The header is at least `size` bytes long, both by its PES_header_data_length and by `end`. */
function holds(bytes: Uint8Array, payload: number, end: number, size: number): boolean {
  return payload + size <= end && OPTIONAL_HEADER_POSITION + bytes[payload + 8]! >= size
}

function readTimestamp(bytes: Uint8Array, at: number): number {
  const low30 = (bytes[at + 1]! << 22) | ((bytes[at + 2]! >>> 1) << 15) | (bytes[at + 3]! << 7) | (bytes[at + 4]! >>> 1)
  return ((bytes[at]! >>> 1) & 0x07) * 2 ** 30 + low30
}

/** Writes the 33 bits, and keeps prefix and marker bits. */
export function writeTimestamp(bytes: Uint8Array, at: number, value: number): void {
  const ticks = mod33(value)
  const high3 = Math.floor(ticks / 2 ** 30)
  const low30 = ticks - high3 * 2 ** 30
  bytes[at] = (bytes[at]! & 0xf1) | (high3 << 1)
  bytes[at + 1] = low30 >>> 22
  bytes[at + 2] = (bytes[at + 2]! & 0x01) | ((low30 >>> 14) & 0xfe)
  bytes[at + 3] = low30 >>> 7
  bytes[at + 4] = (bytes[at + 4]! & 0x01) | ((low30 << 1) & 0xfe)
}
