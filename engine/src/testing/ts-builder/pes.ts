// Renders one PES packet with PTS and, where it differs, DTS: ISO/IEC 13818-1 clause 2.4.3.6.
import { MAX_PES_HEADER, mod33, WRAP_90K, writePesHeader } from '@millrace/media/mpegts'

/** Where the 33-bit clock of PTS, DTS and PCR base wraps: after 26.5 hours. */
export const PTS_WRAP = WRAP_90K
/** A time of any size as it stands on the wire, in 33 bits. */
export const wrap90k = mod33

export function renderPes(pes: {
  readonly streamId: number
  /** Undefined: without times. */
  readonly pts90k: number | undefined
  readonly dts90k: number | undefined
  readonly payload: Uint8Array
  /** PES_packet_length is written; otherwise it is 0, which only video may have. */
  readonly bounded: boolean
}): Uint8Array {
  const { streamId, pts90k, dts90k = pts90k, payload, bounded } = pes
  const bytes = new Uint8Array(MAX_PES_HEADER + payload.length)
  const size = writePesHeader(bytes, streamId, bounded ? payload.length : -1, pts90k, dts90k)
  const length = size - 6 + payload.length
  if (bounded && length > 0xffff) throw new Error(`a bounded PES packet of ${length} bytes: at most 65535 fit`)
  bytes.set(payload, size)
  return bytes.subarray(0, size + payload.length)
}
