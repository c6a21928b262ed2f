// Writes the header of a PES packet with PTS and, where it differs, DTS: ISO/IEC 13818-1 2.4.3.6.
import { writeTimestamp } from '../pes.js'

const FIXED_SIZE = 9
const STAMP_SIZE = 5
/** Bytes after PES_packet_length that are always there. */
const FLAGS_SIZE = 3
/** '10', no scrambling, data_alignment_indicator. */
const ALIGNED = 0x84
const PTS_ONLY = 0x80
const PTS_DTS = 0xc0
export const MAX_PES_HEADER = FIXED_SIZE + 2 * STAMP_SIZE
/** What a PES packet of known length holds at most. */
export const MAX_PES_PAYLOAD = 0xffff - MAX_PES_HEADER

/** With the times that are given: writes at 0 and returns the length. `payload`: its bytes, or -1 for a PES_packet_length of 0, which only video may have. */
export function writePesHeader(
  bytes: Uint8Array,
  streamId: number,
  payload: number,
  pts90k: number | undefined,
  dts90k = pts90k,
): number {
  const hasDts = pts90k !== undefined && dts90k !== undefined && pts90k !== dts90k
  const stamps = hasDts ? 2 * STAMP_SIZE : pts90k === undefined ? 0 : STAMP_SIZE
  const length = payload < 0 ? 0 : FLAGS_SIZE + stamps + payload
  bytes[0] = 0
  bytes[1] = 0
  bytes[2] = 1
  bytes[3] = streamId
  bytes[4] = length >>> 8
  bytes[5] = length & 0xff
  bytes[6] = ALIGNED
  bytes[7] = hasDts ? PTS_DTS : pts90k === undefined ? 0 : PTS_ONLY
  bytes[8] = stamps
  if (pts90k !== undefined) writeStamp(bytes, FIXED_SIZE, hasDts ? 3 : 2, pts90k)
  if (hasDts) writeStamp(bytes, FIXED_SIZE + STAMP_SIZE, 1, dts90k)
  return FIXED_SIZE + stamps
}

/** A stamp with its prefix and marker bits. */
function writeStamp(bytes: Uint8Array, at: number, prefix: number, time90k: number): void {
  bytes[at] = (prefix << 4) | 1
  bytes[at + 2] = 1
  bytes[at + 4] = 1
  writeTimestamp(bytes, at, time90k)
}
