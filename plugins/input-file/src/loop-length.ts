// How long one pass of a looped file is on the timeline that the engine makes of it: the largest of what its clocks need
// to go on without a step back. Pacing by anything else would drift away from the PCR, loop by loop.
import { Framer, loopLength90k, ProgramTable, StreamClocks } from '@millrace/media/mpegts'

export class LoopLength {
  readonly #framer = new Framer()
  readonly #table = new ProgramTable()
  readonly #clocks = new StreamClocks()

  /** Takes the next block of the file. */
  push(block: Uint8Array): void {
    this.#follow(this.#framer.push(block, 0))
  }

  /** Milliseconds, 0 if the stream has no clocks. Call once, after the last block. */
  finish(): number {
    this.#follow(this.#framer.finish(0))
    return loopLength90k(this.#clocks) / 90
  }

  #follow(chunks: ReturnType<Framer['push']>): void {
    for (const chunk of chunks) {
      this.#table.follow(chunk)
      this.#clocks.follow(chunk, this.#table.isSectionPid)
    }
  }
}
