// The bytes that a program receives of a stream: it starts at a random access point, with the tables in front, and
// continues at another one after chunks were dropped, with every PID announced as discontinuous.
import { EntryBuilder } from '@millrace/engine/plugin'
import type { AnyChunk } from '@millrace/engine/plugin'

/** A stream without random access points is passed on anyway after this much. */
const SKIPPED_BYTES = 8 * 1024 * 1024

export class StreamWriter {
  /** Bytes left out because nothing can be decoded before the first random access point. */
  skippedBytes = 0
  readonly #entries = new EntryBuilder(false)
  #isStarted = false

  /** What is to be written for a chunk, in order. */
  push(chunk: AnyChunk): readonly Uint8Array[] {
    const written: Uint8Array[] = []
    if (this.skippedBytes >= SKIPPED_BYTES) this.#entries.joinsAnywhere = true
    for (const { bytes, join } of this.#entries.push(chunk)) {
      if (!this.#isStarted && join === undefined) {
        this.skippedBytes += bytes.length
        continue
      }
      if (!this.#isStarted) written.push(join?.preamble() ?? bytes.subarray(0, 0))
      this.#isStarted = true
      written.push(bytes)
    }
    return written.filter(({ length }) => length > 0)
  }
}
