// Renders the head of a chunk as the packets of one PES packet (ISO/IEC 13818-1 2.4.3.6), to be sent before the chunk.
import type { DecoderHead } from './chunk.js'
import { PACKET_SIZE, SYNC_BYTE } from './packet.js'
import { writeTimestamp } from './pes.js'

const VIDEO_STREAM = 0xe0
/** The fixed part, flags and PES_header_data_length. */
const HEADER_SIZE = 9
const TIMESTAMP_SIZE = 5
/** adaptation_field_length, and the flags with random_access_indicator. */
const INDICATOR = [1, 0x40]
const STUFFING = 0xff

/** Counters are left at 0, for the caller to fill in. */
export function renderHead(head: DecoderHead): Uint8Array {
  const { pid } = head
  const pes = renderPes(head)
  const packets: Uint8Array[] = []
  for (let at = 0; at < pes.length;) {
    const field = packets.length === 0 ? INDICATOR : []
    const room = PACKET_SIZE - 4 - field.length
    const part = pes.subarray(at, at + room)
    packets.push(renderPacket(pid, field, part, at === 0))
    at += part.length
  }
  const bytes = new Uint8Array(packets.length * PACKET_SIZE)
  for (const [index, packet] of packets.entries()) bytes.set(packet, index * PACKET_SIZE)
  return bytes
}

/** If the picture begins inside a packet, the PES packet goes on in the packets of the chunk: it has no length. */
function renderPes({ elementary, pts90k, dts90k, startsInside }: DecoderHead): Uint8Array {
  const hasDts = pts90k >= 0 && dts90k >= 0 && dts90k !== pts90k
  const times = pts90k < 0 ? 0 : hasDts ? 2 : 1
  const size = HEADER_SIZE + times * TIMESTAMP_SIZE
  const pes = new Uint8Array(size + elementary.length)
  const length = startsInside || pes.length - 6 > 0xffff ? 0 : pes.length - 6
  const flags = times === 0 ? 0 : times === 1 ? 0x80 : 0xc0
  pes.set([0, 0, 1, VIDEO_STREAM, (length >>> 8) & 0xff, length & 0xff, 0x80, flags, size - HEADER_SIZE])
  if (times > 0) {
    // The prefix of the field, and its marker bits.
    pes.set([hasDts ? 0x31 : 0x21, 0, 1, 0, 1], HEADER_SIZE)
    writeTimestamp(pes, HEADER_SIZE, pts90k)
  }
  if (hasDts) {
    pes.set([0x11, 0, 1, 0, 1], HEADER_SIZE + TIMESTAMP_SIZE)
    writeTimestamp(pes, HEADER_SIZE + TIMESTAMP_SIZE, dts90k)
  }
  pes.set(elementary, size)
  return pes
}

/** Fills the packet by an adaptation field, which `field` begins or is empty. */
function renderPacket(pid: number, field: readonly number[], payload: Uint8Array, isStart: boolean): Uint8Array {
  const packet = new Uint8Array(PACKET_SIZE).fill(STUFFING)
  const size = PACKET_SIZE - 4 - payload.length
  packet.set([SYNC_BYTE, (isStart ? 0x40 : 0) | (pid >>> 8), pid & 0xff, size > 0 ? 0x30 : 0x10])
  packet.set(field, 4)
  if (size > 0) packet[4] = size - 1
  if (size > 1 && field.length === 0) packet[5] = 0
  packet.set(payload, PACKET_SIZE - payload.length)
  return packet
}
