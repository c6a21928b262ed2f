// Tables with a wrong CRC. Random damage is never the same twice, so a section that repeats unchanged is what its
// sender means: some multiplexers write a wrong CRC, or none. Bounded memory.
import { crc32Mpeg } from './crc32.js'
import { SECTION_CRC_SIZE } from './section-header.js'

/** A section is believed when it has come this many times in a row. */
const BELIEVED_AFTER = 3
/** PAT, CAT and PMT sections have at most this many bytes, ISO/IEC 13818-1 2.4.4. */
const MAX_BYTES = 1024
const MAX_SECTIONS = 64

interface DamagedSection {
  readonly table: number
  bytes: Uint8Array
  count: number
}

export class RepeatedDamage {
  /** How many sections have been believed. */
  believed = 0
  /** By a key of the caller that says which section of which table it is. */
  readonly #sections = new Map<number, DamagedSection>()
  readonly #uncompared: number

  /** `hasCrc`: the CRC is right, or was, and sections that differ in it differ. Some multiplexers write whatever stands there. */
  constructor(hasCrc = false) {
    this.#uncompared = hasCrc ? 0 : SECTION_CRC_SIZE
  }

  /** Takes a section with a wrong CRC; true if it is to be believed, and then its CRC has been corrected in place. */
  note(key: number, section: Uint8Array, length: number): boolean {
    if (length > MAX_BYTES) return false
    const known = this.#sections.get(key)
    if (known === undefined) {
      if (this.#sections.size >= MAX_SECTIONS) this.#sections.clear()
      this.#sections.set(key, { table: section[0]!, bytes: section.slice(0, length), count: 1 })
      return false
    }
    if (known.bytes.length !== length || !isSame(known.bytes, section, length - this.#uncompared)) {
      known.bytes = section.slice(0, length)
      known.count = 1
      return false
    }
    if (known.count < BELIEVED_AFTER && ++known.count === BELIEVED_AFTER) this.believed++
    if (known.count < BELIEVED_AFTER) return false
    correctCrc(section, length)
    return true
  }

  /** The section has come with a right CRC. */
  forget(key: number): void {
    if (this.#sections.size > 0) this.#sections.delete(key)
  }

  /** Some section of the table has come with a right CRC. */
  forgetTable(table: number): void {
    if (this.#sections.size === 0) return
    for (const [key, section] of this.#sections) if (section.table === table) this.#sections.delete(key)
  }

  /** Sections of this table have come, all of them with a wrong CRC. */
  hasTable(table: number): boolean {
    for (const section of this.#sections.values()) if (section.table === table) return true
    return false
  }
}

function isSame(stored: Uint8Array, section: Uint8Array, end: number): boolean {
  for (let at = 0; at < end; at++) if (stored[at] !== section[at]) return false
  return true
}

function correctCrc(section: Uint8Array, length: number): void {
  const at = length - SECTION_CRC_SIZE
  const crc = crc32Mpeg(section, 0, at)
  for (let index = 0; index < SECTION_CRC_SIZE; index++) section[at + index] = (crc >>> (24 - 8 * index)) & 0xff
}
