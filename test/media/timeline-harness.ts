// Feeds generations of a source through framer and timeline as the engine does: pushes at a steady rate, a flush after
// each batch, a clock that the test controls.
import { Framer, Timeline } from '@millrace/media/mpegts'
import type { JunctionRules, TsChunk } from '@millrace/media/mpegts'
import { concat } from './bytes.js'

const BATCH_MS = 50

export interface FeedOptions {
  /** How long the bytes take to arrive at a steady rate, milliseconds. */
  readonly durationMs: number
  /** Bytes per push; by default what arrives in 10 ms. */
  readonly piece?: number
}

export class TimelineHarness {
  nowMs = 1000
  readonly timeline = new Timeline()
  readonly out: TsChunk[] = []
  /** Byte offset in the output at which each generation begins. */
  readonly starts: number[] = [0]
  #framer = new Framer()
  #generation = 0
  #flushedAtMs = 1000

  feed(bytes: Uint8Array, { durationMs, piece }: FeedOptions): this {
    const startMs = this.nowMs
    const size = piece ?? Math.max(1, Math.ceil((bytes.length / durationMs) * 10))
    for (let at = 0; at < bytes.length; at += size) {
      this.nowMs = startMs + (durationMs * at) / bytes.length
      this.#send(this.#framer.push(bytes.subarray(at, at + size), this.nowMs))
      if (this.nowMs - this.#flushedAtMs < BATCH_MS) continue
      this.#flushedAtMs = this.nowMs
      this.#send(this.#framer.flush(this.nowMs))
      this.out.push(...this.timeline.flush(this.nowMs))
    }
    this.nowMs = startMs + durationMs
    return this
  }

  /** Ends the generation; the next one begins after `gapMs`. */
  nextGeneration(rules: JunctionRules, gapMs = 0): this {
    this.out.push(...this.timeline.endGeneration(this.#framer.finish(this.nowMs), rules))
    this.starts.push(this.bytes().length)
    this.#framer = new Framer({ generation: ++this.#generation, firstSeq: this.#framer.nextSeq })
    this.nowMs += gapMs
    return this
  }

  end(): this {
    this.#send(this.#framer.finish(this.nowMs))
    this.out.push(...this.timeline.flush(Infinity))
    return this
  }

  bytes(): Uint8Array {
    return concat(this.out.map((chunk) => chunk.bytes))
  }

  #send(chunks: readonly TsChunk[]): void {
    for (const chunk of chunks) this.out.push(...this.timeline.push(chunk))
  }
}
