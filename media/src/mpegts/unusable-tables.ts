// PATs and PMTs that no receiver may use, although they are meant: never current (current_next_indicator 0), or with a
// program_number that the PAT does not name. Receivers play such streams, so a table that repeats unchanged, while nothing
// better comes, is put right in place and used. Bounded memory.
import { RepeatedDamage } from './repeated-damage.js'
import { isCurrent, readTableIdExtension } from './section-header.js'

export class UnusableTables {
  readonly #repeated = new RepeatedDamage(true)

  /** Tables that have been put right. */
  get believed(): number {
    return this.#repeated.believed
  }

  /**
   * Puts a section right, as current and with `extension`. False if it has not repeated often enough: it is not to be used
   * then, and may have changed. `key` says which section of which table it is.
   */
  correct(key: number, section: Uint8Array, length: number, extension: number): boolean {
    section[3] = extension >>> 8
    section[4] = extension & 0xff
    section[5] = section[5]! | 1
    return this.#repeated.note(key, section, length)
  }
}

/** The program that a PMT on `pid` is meant for, if its own number is not named there and only one program is. */
export function meantProgram(named: ReadonlyMap<number, number>, pid: number, section: Uint8Array): number | undefined {
  const number = readTableIdExtension(section)
  if (named.get(number) === pid) return number
  let only: number | undefined
  for (const [program, pmtPid] of named) {
    if (pmtPid !== pid) continue
    if (only !== undefined) return undefined
    only = program
  }
  return only
}

/** The section need not be put right. */
export function isUsable(section: Uint8Array, program: number): boolean {
  return isCurrent(section) && readTableIdExtension(section) === program
}
