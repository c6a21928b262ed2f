// The program association table, ISO/IEC 13818-1 2.4.4.3: the list of programs and the PID of each PMT.

import {
  isCurrent,
  isSectionOf,
  LONG_HEADER_SIZE,
  readTableIdExtension,
  readVersion,
  SECTION_CRC_SIZE,
} from './section-header.js'

export const PAT_TABLE_ID = 0x00
const ENTRY_SIZE = 4
/** program_number 0 stands for the network PID. */
const NETWORK = 0

interface PatProgram {
  /** program_number, 1 to 65535. */
  readonly program: number
  readonly pmtPid: number
}

/** One section of the PAT. */
export interface Pat {
  readonly transportStreamId: number
  /** 0 to 31. */
  readonly version: number
  /** In force; otherwise it announces the next version. */
  readonly current: boolean
  readonly sectionNumber: number
  readonly lastSectionNumber: number
  /** In the order of the section. */
  readonly programs: readonly PatProgram[]
  readonly networkPid: number | undefined
}

/** Parses one whole section whose CRC has been checked. Returns undefined if it is malformed. */
export function parsePat(section: Uint8Array, length: number): Pat | undefined {
  if (!isSectionOf(PAT_TABLE_ID, section, length)) return undefined
  const end = length - SECTION_CRC_SIZE
  if ((end - LONG_HEADER_SIZE) % ENTRY_SIZE !== 0) return undefined
  const programs: PatProgram[] = []
  let networkPid: number | undefined
  for (let at = LONG_HEADER_SIZE; at < end; at += ENTRY_SIZE) {
    const program = (section[at]! << 8) | section[at + 1]!
    const pid = ((section[at + 2]! & 0x1f) << 8) | section[at + 3]!
    if (program === NETWORK) networkPid = pid
    else programs.push({ program, pmtPid: pid })
  }
  return {
    transportStreamId: readTableIdExtension(section),
    version: readVersion(section),
    current: isCurrent(section),
    sectionNumber: section[6]!,
    lastSectionNumber: section[7]!,
    programs,
    networkPid,
  }
}
