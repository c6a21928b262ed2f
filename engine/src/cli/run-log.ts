// The log of `engine run --tui` while the dashboard has the terminal: a bounded file, and the one before it beside it.
import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** Then it becomes `run.log.1`, in place of the one before. */
const MAX_BYTES = 64 * 1024 * 1024

export class RunLog {
  readonly path: string
  readonly #mostBytes: number
  #file: number
  #bytes = 0

  /** The log of the run before is kept. Throws if the file cannot be opened. */
  constructor(path: string, mostBytes = MAX_BYTES) {
    this.path = path
    this.#mostBytes = mostBytes
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    this.#file = this.#open()
  }

  /** Never throws: a full disk must not end the engine. */
  write(line: string): void {
    try {
      if (this.#bytes > 0 && this.#bytes + Buffer.byteLength(line) > this.#mostBytes) this.#turn()
      this.#bytes += writeSync(this.#file, line)
    } catch {
      // The line is lost.
    }
  }

  /** In a folder that has become read-only it goes on in the same file. */
  #turn(): void {
    const before = this.#file
    try {
      this.#file = this.#open()
      closeSync(before)
    } catch {
      this.#bytes = 0
    }
  }

  #open(): number {
    if (existsSync(this.path)) renameSync(this.path, `${this.path}.1`)
    this.#bytes = 0
    return openSync(this.path, 'w', 0o600)
  }
}
