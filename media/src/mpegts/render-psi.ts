// Renders PAT and PMT sections with their CRC, and their packets: the inverse of pat.ts, pmt.ts and
// section-assembler.ts.

import { crc32Mpeg } from './crc32.js'
import { PACKET_SIZE, SYNC_BYTE } from './packet.js'
import { PAT_TABLE_ID, type Pat } from './pat.js'
import { PMT_TABLE_ID, type Pmt } from './pmt.js'
import { LONG_HEADER_SIZE, SECTION_CRC_SIZE, SHORT_HEADER_SIZE } from './section-header.js'

/** section_length of PAT and PMT, ISO/IEC 13818-1 2.4.4.5 and 2.4.4.9. */
const MAX_PSI_SECTION_LENGTH = 1021
const PACKET_HEADER_SIZE = 4
/** Tables from here on are not of ISO/IEC 13818-1; the bit that is 0 in its tables is 1, ETSI EN 300 468 5.1. */
const FIRST_OTHER_TABLE = 0x40

/** One section of a PAT; the network PID comes first. Throws a RangeError if it does not fit into one section. */
export function renderPat(pat: Pat): Uint8Array {
  const body: number[] = []
  if (pat.networkPid !== undefined) body.push(0, 0, ...with3ReservedBits(pat.networkPid))
  for (const { program, pmtPid } of pat.programs) {
    body.push(program >>> 8, program & 0xff, ...with3ReservedBits(pmtPid))
  }
  return renderSection(PAT_TABLE_ID, pat.transportStreamId, pat, pat.sectionNumber, pat.lastSectionNumber, body)
}

/** The section of a PMT. Throws a RangeError if it does not fit into one section. */
export function renderPmt(pmt: Pmt): Uint8Array {
  const body = [
    ...with3ReservedBits(pmt.pcrPid),
    ...with4ReservedBits(pmt.descriptors.length),
    ...pmt.descriptors,
    ...pmt.streams.flatMap((stream) => [
      stream.streamType,
      ...with3ReservedBits(stream.pid),
      ...with4ReservedBits(stream.descriptors.length),
      ...stream.descriptors,
    ]),
  ]
  return renderSection(PMT_TABLE_ID, pmt.program, pmt, 0, 0, body)
}

/**
 * The packets of a section: pointer_field 0 in the first, 0xff after the section in the last, continuity counters from
 * `counter` on.
 */
export function packetise(section: Uint8Array, pid: number, counter: number): Uint8Array {
  const room = PACKET_SIZE - PACKET_HEADER_SIZE
  const payload = new Uint8Array(Math.ceil((1 + section.length) / room) * room).fill(0xff)
  payload[0] = 0
  payload.set(section, 1)
  const packets = new Uint8Array((payload.length / room) * PACKET_SIZE)
  for (let number = 0; number * room < payload.length; number++) {
    const at = number * PACKET_SIZE
    packets[at] = SYNC_BYTE
    packets[at + 1] = (number === 0 ? 0x40 : 0) | ((pid >>> 8) & 0x1f)
    packets[at + 2] = pid
    packets[at + 3] = 0x10 | ((counter + number) & 0x0f)
    packets.set(payload.subarray(number * room, (number + 1) * room), at + PACKET_HEADER_SIZE)
  }
  return packets
}

/** A section with the long header and its CRC. Throws a RangeError if it is longer than those of PSI may be. */
export function renderSection(
  tableId: number,
  extension: number,
  { version, current }: { readonly version: number; readonly current: boolean },
  sectionNumber: number,
  lastSectionNumber: number,
  body: readonly number[],
): Uint8Array {
  const bytes = new Uint8Array(LONG_HEADER_SIZE + body.length + SECTION_CRC_SIZE)
  const sectionLength = bytes.length - SHORT_HEADER_SIZE
  if (sectionLength > MAX_PSI_SECTION_LENGTH) {
    throw new RangeError(`section_length is ${sectionLength}, the maximum is ${MAX_PSI_SECTION_LENGTH}`)
  }
  const view = new DataView(bytes.buffer)
  view.setUint8(0, tableId)
  view.setUint16(1, (tableId < FIRST_OTHER_TABLE ? 0xb000 : 0xf000) | sectionLength)
  view.setUint16(3, extension)
  view.setUint8(5, 0xc0 | ((version & 0x1f) << 1) | (current ? 1 : 0))
  view.setUint8(6, sectionNumber)
  view.setUint8(7, lastSectionNumber)
  bytes.set(body, LONG_HEADER_SIZE)
  const crcAt = bytes.length - SECTION_CRC_SIZE
  view.setUint32(crcAt, crc32Mpeg(bytes, 0, crcAt))
  return bytes
}

function with3ReservedBits(pid: number): [number, number] {
  return [0xe0 | ((pid >>> 8) & 0x1f), pid & 0xff]
}

function with4ReservedBits(length: number): [number, number] {
  return [0xf0 | ((length >>> 8) & 0x0f), length & 0xff]
}
