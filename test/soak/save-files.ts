// The ways in which editors, scripts and people write files.
import { appendFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { endOfHalf } from './edits/broken-edits.js'
import { MAIN_FILE } from './render-config.js'

export const SAVE_METHODS = [
  'in place',
  'rename over',
  'in two halves',
  'in two halves, slowly',
  'gone for a moment',
] as const
export type SaveMethod = (typeof SAVE_METHODS)[number]

/** Undefined where the file is to be gone. */
export type Texts = ReadonlyMap<string, string | undefined>

/** Shorter than what the engine waits for the end of a save. */
const SOON_MS = 30
/** Longer. */
const LATE_MS = 250

export class SavedFiles {
  readonly #folder: string
  readonly #disk: Map<string, string | undefined>
  #savedAt = 0

  /** `disk`: what is in it. */
  constructor(folder: string, disk: Texts) {
    this.#folder = folder
    this.#disk = new Map(disk)
  }

  /**
   * Writes what differs; a file that takes something over from another is written before that one. Returns
   * when something was written last, Unix time in ms.
   */
  async save(texts: Texts, method: SaveMethod): Promise<number> {
    const changed = [...texts].filter(([name, text]) => this.#disk.get(name) !== text)
    const grown = ([name, text]: (typeof changed)[number]): number => {
      return (this.#disk.get(name)?.length ?? 0) - (text?.length ?? 0)
    }
    changed.sort((a, b) => grown(a) - grown(b))
    for (const [name, text] of changed) {
      // Only the main file can be told to be broken by its half.
      await this.#write(join(this.#folder, name), text, name === MAIN_FILE ? method : 'rename over')
      this.#disk.set(name, text)
      this.#savedAt = Date.now()
    }
    return this.#savedAt
  }

  /** Two texts in turn, ten times a second; the last one stays. */
  async flipFlop(first: Texts, second: Texts, times: number): Promise<number> {
    for (let time = 0; time < times; time++) {
      await this.save(time % 2 === 0 ? first : second, 'in place')
      await pause(100)
    }
    return this.save(second, 'rename over')
  }

  async #write(path: string, text: string | undefined, method: SaveMethod): Promise<void> {
    if (text === undefined) return rm(path, { force: true })
    if (method === 'in place') return writeFile(path, text)
    if (method === 'in two halves' || method === 'in two halves, slowly') {
      const half = endOfHalf(text)
      await writeFile(path, text.slice(0, half))
      await pause(method === 'in two halves' ? SOON_MS : LATE_MS)
      return appendFile(path, text.slice(half))
    }
    if (method === 'gone for a moment') {
      await rm(path, { force: true })
      await pause(SOON_MS)
    }
    await writeFile(`${path}.new`, text, { mode: 0o600 })
    return rename(`${path}.new`, path)
  }
}
