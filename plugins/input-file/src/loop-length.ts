// Time from the last PCR of a looped file to its first PCR in the next pass, on the timeline of the engine, where its
// clocks continue without a step back. Pacing by any other value would drift away from the PCR with each loop.
import { difference33, Framer, loopLength90k, mod33, ProgramTable, StreamClocks } from '@millrace/media/mpegts'

const TICKS_27M_PER_TICK = 300
const TICKS_PER_MS = 90

export class LoopLength {
  readonly #framer = new Framer()
  readonly #table = new ProgramTable()
  readonly #clocks = new StreamClocks()

  /** Takes the next block of the file. */
  push(block: Uint8Array): void {
    this.#follow(this.#framer.push(block, 0))
  }

  /**
   * Milliseconds from the last PCR of a pass to the first one of the next. `span27M`: difference of the last
   * and first PCR of the file, which is not a duration if the clock jumps in between. Call once, after the last block.
   */
  finish(span27M: number): number {
    this.#follow(this.#framer.finish(0))
    const moved = mod33(loopLength90k(this.#clocks))
    const ms = difference33(moved, mod33(Math.round(span27M / TICKS_27M_PER_TICK))) / TICKS_PER_MS
    return Math.max(0, ms)
  }

  #follow(chunks: ReturnType<Framer['push']>): void {
    for (const chunk of chunks) {
      this.#table.follow(chunk)
      this.#clocks.follow(chunk, this.#table.isSectionPid)
    }
  }
}
