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

/** Texts by file name; undefined if the file is to be removed. */
export type Texts = ReadonlyMap<string, string | undefined>

/** Shorter than the engine waits for a save to finish. */
const SOON_MS = 30
/** Longer than the engine waits for a save to finish. */
const LATE_MS = 250

export class SavedFiles {
  readonly #folder: string
  readonly #disk: Map<string, string | undefined>
  #savedAt = 0

  /** `disk`: what the folder contains. */
  constructor(folder: string, disk: Texts) {
    this.#folder = folder
    this.#disk = new Map(disk)
  }

  /**
   * Writes the files that differ; a file that takes content over from another is written before that one. Returns the
   * time at which the last write began, Unix time in ms.
   */
  async save(texts: Texts, method: SaveMethod): Promise<number> {
    const changed = [...texts].filter(([name, text]) => this.#disk.get(name) !== text)
    const grown = ([name, text]: (typeof changed)[number]): number => {
      return (this.#disk.get(name)?.length ?? 0) - (text?.length ?? 0)
    }
    changed.sort((a, b) => grown(a) - grown(b))
    for (const [name, text] of changed) {
      // On a busy machine the engine may have applied it before `#write` returns.
      this.#savedAt = Date.now()
      // Only the main file is recognisably broken when half written.
      await this.#write(join(this.#folder, name), text, name === MAIN_FILE ? method : 'rename over')
      this.#disk.set(name, text)
    }
    return this.#savedAt
  }

  /** Writes two texts alternately, ten times a second; the second one is last. */
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
