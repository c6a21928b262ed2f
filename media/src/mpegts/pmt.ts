// The program map table, ISO/IEC 13818-1 2.4.4.8: the elementary streams of one program, and the PID of its clock.

import {
  isCurrent,
  isSectionOf,
  LONG_HEADER_SIZE,
  readTableIdExtension,
  readVersion,
  SECTION_CRC_SIZE,
} from './section-header.js'

export const PMT_TABLE_ID = 0x02
/** PCR_PID and program_info_length. */
const PROGRAM_HEADER_SIZE = 4
/** stream_type, elementary_PID, ES_info_length. */
const STREAM_HEADER_SIZE = 5

export interface PmtStream {
  readonly pid: number
  /** stream_type, table 2-34. */
  readonly streamType: number
  /** The bytes of its descriptor loop; parse them with descriptors.ts. */
  readonly descriptors: Uint8Array
}

export interface Pmt {
  /** program_number. */
  readonly program: number
  /** 0 to 31. */
  readonly version: number
  /** In force; otherwise it announces the next version. */
  readonly current: boolean
  /** 0x1fff: the program has no clock. */
  readonly pcrPid: number
  /** The bytes of the program's descriptor loop. */
  readonly descriptors: Uint8Array
  /** In the order of the section. */
  readonly streams: readonly PmtStream[]
}

/**
 * Parses one whole section whose CRC has been checked. Returns undefined if it is malformed. The result owns its bytes.
 */
export function parsePmt(section: Uint8Array, length: number): Pmt | undefined {
  if (!isSectionOf(PMT_TABLE_ID, section, length)) return undefined
  const body = section.slice(LONG_HEADER_SIZE, length - SECTION_CRC_SIZE)
  if (body.length < PROGRAM_HEADER_SIZE) return undefined
  const programInfoEnd = PROGRAM_HEADER_SIZE + read12(body, 2)
  if (programInfoEnd > body.length) return undefined
  const streams = parseStreams(body, programInfoEnd)
  if (streams === undefined) return undefined
  return {
    program: readTableIdExtension(section),
    version: readVersion(section),
    current: isCurrent(section),
    pcrPid: read13(body, 0),
    descriptors: body.subarray(PROGRAM_HEADER_SIZE, programInfoEnd),
    streams,
  }
}

function parseStreams(body: Uint8Array, start: number): PmtStream[] | undefined {
  const streams: PmtStream[] = []
  let at = start
  while (at < body.length) {
    if (at + STREAM_HEADER_SIZE > body.length) return undefined
    const infoStart = at + STREAM_HEADER_SIZE
    const infoEnd = infoStart + read12(body, at + 3)
    if (infoEnd > body.length) return undefined
    streams.push({
      pid: read13(body, at + 1),
      streamType: body[at]!,
      descriptors: body.subarray(infoStart, infoEnd),
    })
    at = infoEnd
  }
  return streams
}

/** A length field of 12 bits, of which the standard allows 10. */
function read12(body: Uint8Array, at: number): number {
  return ((body[at]! & 0x0f) << 8) | body[at + 1]!
}

function read13(body: Uint8Array, at: number): number {
  return ((body[at]! & 0x1f) << 8) | body[at + 1]!
}
