// The newest chunks from a key frame on, so that an encoder that is started again can begin at once instead of waiting for
// the next one. Bounded: of a longer GOP nothing is kept.
import type { Entry } from './inlet-stream.js'

const MAX_BYTES = 8 * 1024 * 1024

export class RecentGop {
  readonly #entries: Entry[] = []
  #bytes = 0

  push(entry: Entry): void {
    if (entry.start !== undefined) this.clear()
    else if (this.#entries.length === 0) return
    if (entry.isBreak && entry.start === undefined) return this.clear()
    this.#entries.push(entry)
    this.#bytes += entry.bytes.length
    if (this.#bytes > MAX_BYTES) this.clear()
  }

  /** The first one is a start. */
  get entries(): readonly Entry[] {
    return this.#entries
  }

  clear(): void {
    this.#entries.length = 0
    this.#bytes = 0
  }
}
