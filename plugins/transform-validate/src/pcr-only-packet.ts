// Makes a packet that keeps only the clock of another: PCR and discontinuity_indicator in an adaptation field that
// fills the packet, ISO/IEC 13818-1 2.4.3.4. Packets without payload do not advance the continuity counter: it stays 0.
import { DISCONTINUITY_FLAG, PACKET_SIZE, PCR_FLAG, readAdaptationFlags } from '@millrace/media/mpegts'

const FIELD_LENGTH = 183
const ADAPTATION_ONLY = 0x20
/** End of sync byte and PID; start and end of the PCR in the adaptation field. */
const PID_END = 3
const PCR_START = 6
const PCR_END = 12
const STUFFING = 0xff
const PID_BITS = 0x1f

/** The packet at `offset` must have a PCR. */
export function pcrOnlyPacket(bytes: Uint8Array, offset: number): Uint8Array {
  const packet = new Uint8Array(PACKET_SIZE).fill(STUFFING)
  packet.set(bytes.subarray(offset, offset + PID_END))
  packet[1] = packet[1]! & PID_BITS
  packet[3] = ADAPTATION_ONLY
  packet[4] = FIELD_LENGTH
  packet[5] = (readAdaptationFlags(bytes, offset) & DISCONTINUITY_FLAG) | PCR_FLAG
  packet.set(bytes.subarray(offset + PCR_START, offset + PCR_END), PCR_START)
  return packet
}
