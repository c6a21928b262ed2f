// What a datagram carries.
import { PACKET_SIZE } from '@millrace/media/mpegts'

export const PACKET_BYTES = PACKET_SIZE
/** 7 packets: what live mode sends in a datagram. */
export const PAYLOAD_BYTES = 7 * PACKET_SIZE
