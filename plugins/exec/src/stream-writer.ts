// The bytes that a program receives of a stream: it starts at a random access point, with the tables in front, and
// continues at another one after chunks were dropped, with every PID announced as discontinuous.
import { isRandomAccessPoint } from '@millrace/engine/plugin'
import type { AnyChunk } from '@millrace/engine/plugin'
import { Remarker, SpliceTracker } from '@millrace/media/mpegts'

/** A stream without random access points is passed on anyway after this much. */
const SKIPPED_BYTES = 8 * 1024 * 1024
const NONE: readonly Uint8Array[] = []

export class StreamWriter {
  /** Bytes left out because nothing can be decoded before the first random access point. */
  skippedBytes = 0
  readonly #splice = new SpliceTracker()
  #isStarted = false

  /** What is to be written for a chunk, in order. */
  push(chunk: AnyChunk): readonly Uint8Array[] {
    if (!this.#isStarted && !isRandomAccessPoint(chunk) && this.skippedBytes < SKIPPED_BYTES) {
      this.skippedBytes += chunk.bytes.length
      this.#splice.follow(chunk)
      return NONE
    }
    const lead = this.#lead(chunk)
    this.#isStarted = true
    this.#splice.follow(chunk)
    return lead.length === 0 ? [chunk.bytes] : [lead, chunk.bytes]
  }

  #lead(chunk: AnyChunk): Uint8Array {
    const isLost = this.#isStarted && chunk.discontinuity === 'lost'
    if (this.#isStarted && !isLost) return new Uint8Array(0)
    // A GOP carries the tables in force, which may have changed in what was lost or not received.
    if (chunk.kind === 'gop' && chunk.first && chunk.gop.psi.length > 0) {
      const { psi } = chunk.gop
      this.#splice.follow({ ...chunk, bytes: psi, marks: new Remarker().remark(psi) })
    }
    return isLost ? this.#splice.bridge() : this.#splice.preamble()
  }
}
