// Turns chunks into what delivery sends: the shared bytes, and where a viewer can start, the splice buffers for it.
import type { AnyChunk, LiveEntry } from '@millrace/engine/plugin'
import { SpliceTracker } from '@millrace/media/mpegts'

export class TsFeed {
  readonly #splice = new SpliceTracker()
  readonly #joinsAnywhere: boolean

  /** `joinsAnywhere`: every chunk can be started with, not only those that begin with a key frame. */
  constructor(joinsAnywhere: boolean) {
    this.#joinsAnywhere = joinsAnywhere
  }

  /** The entries of a chunk, in order. A chunk after a loss of ours gets the bridge over it in front. */
  push(chunk: AnyChunk): readonly LiveEntry[] {
    const { bytes, receivedAtMs } = chunk
    const keyframe = chunk.kind === 'gop' ? chunk.first : chunk.randomAccess
    const isAfterLoss = chunk.discontinuity === 'lost'
    const needsSplice = keyframe || this.#joinsAnywhere || isAfterLoss
    const bridge = needsSplice ? this.#splice.bridge() : undefined
    const preamble = keyframe || this.#joinsAnywhere ? this.#splice.preamble() : undefined
    this.#splice.follow(chunk)
    const entry: LiveEntry =
      preamble === undefined || bridge === undefined
        ? { bytes, receivedAtMs }
        : { bytes, receivedAtMs, join: { keyframe, preamble, bridge } }
    return isAfterLoss && bridge !== undefined && bridge.length > 0 ? [{ bytes: bridge, receivedAtMs }, entry] : [entry]
  }
}
