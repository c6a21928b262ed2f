// The fields common to all sections with section_syntax_indicator 1, ISO/IEC 13818-1 2.4.4.11 (table 2-35).

/** Up to and including last_section_number. */
export const LONG_HEADER_SIZE = 8
export const SECTION_CRC_SIZE = 4
/** table_id to section_length. */
export const SHORT_HEADER_SIZE = 3
/** The largest section_length of private sections and of DVB's EIT; PAT, CAT and PMT stay below 1022. */
export const MAX_SECTION_LENGTH = 4093

/** section_length: the number of bytes after the field, including the CRC_32. */
export function readSectionLength(section: Uint8Array): number {
  return ((section[1]! & 0x0f) << 8) | section[2]!
}

export function hasSectionSyntax(section: Uint8Array): boolean {
  return (section[1]! & 0x80) !== 0
}

/**
 * The first `length` bytes are one section of the table, including header and CRC_32. The CRC itself is not checked.
 */
export function isSectionOf(tableId: number, section: Uint8Array, length: number): boolean {
  if (length < LONG_HEADER_SIZE + SECTION_CRC_SIZE || length > section.length) return false
  return (
    section[0] === tableId && hasSectionSyntax(section) && SHORT_HEADER_SIZE + readSectionLength(section) === length
  )
}

/** transport_stream_id of a PAT, program_number of a PMT. */
export function readTableIdExtension(section: Uint8Array): number {
  return (section[3]! << 8) | section[4]!
}

/** version_number, 0 to 31. */
export function readVersion(section: Uint8Array): number {
  return (section[5]! >>> 1) & 0x1f
}

/** current_next_indicator: the section is in force; otherwise it announces the next version. */
export function isCurrent(section: Uint8Array): boolean {
  return (section[5]! & 1) !== 0
}
