// Frames in, FLV tags out, whose time stamps go on when the clock of the stream changes: receivers see one stream.
import type { Frame, FrameConsumer, Track } from '@millrace/media/elementary'
import { FlvWriter } from '@millrace/media/flv'
import type { FlvTagConsumer } from '@millrace/media/flv'

const TICKS_PER_MS = 90
/** A larger step, beyond the time that has passed, is another clock. */
const MAX_STEP_90K = 10_000 * TICKS_PER_MS
/** After a cut the stream may repeat so much. */
const MAX_REPEAT_90K = 1000 * TICKS_PER_MS
/** Between the last frame before another clock, and the first one of it. */
const LEAST_GAP_MS = 40
/** What a track has sent before the clock jumps can come so long behind the first of the other track. */
const MAX_LATE_90K = 1000 * TICKS_PER_MS

export class ContinuousWriter implements FrameConsumer {
  readonly #writer: FlvWriter
  /** Added to the times of the stream. */
  #shift90k = 0
  /** NaN until there is a frame. */
  #newest90k = Number.NaN
  /** Between the chunk that is read now and the one before. */
  #passedMs = 0
  #chunkMs = Number.NaN
  #isCut = false
  /** Of the stream, since it was cut; NaN without a frame. */
  readonly #last90k = { video: Number.NaN, audio: Number.NaN }
  /** The other track has jumped, and this one had come so far. */
  #behind: { readonly kind: Track['kind']; readonly last90k: number } | undefined

  constructor(consumer: FlvTagConsumer) {
    this.#writer = new FlvWriter(consumer)
  }

  /** The frames that follow have come now, with one chunk. */
  arrived(nowMs: number): void {
    this.#passedMs = Number.isNaN(this.#chunkMs) ? 0 : nowMs - this.#chunkMs
    this.#chunkMs = nowMs
  }

  expected(kind: Track['kind']): void {
    this.#writer.expected(kind)
  }

  track(track: Track): void {
    this.#writer.track(track)
  }

  ended(track: Track): void {
    this.#writer.ended(track)
  }

  discontinuity(): void {
    this.#writer.discontinuity()
    this.#isCut = true
    this.#last90k.video = this.#last90k.audio = Number.NaN
    this.#behind = undefined
  }

  unsupported(): void {}

  frame(frame: Frame): void {
    const { pts90k, dts90k } = frame
    if (!this.#place(frame.track.kind, dts90k)) return
    frame.pts90k = pts90k + this.#shift90k
    frame.dts90k = dts90k + this.#shift90k
    this.#writer.frame(frame)
    frame.pts90k = pts90k
    frame.dts90k = dts90k
  }

  written(kind: Track['kind']): Track | undefined {
    return this.#writer.written(kind)
  }

  others(kind: Track['kind']): readonly Track[] {
    return this.#writer.others(kind)
  }

  flush(): void {
    this.#writer.flush()
  }

  /** What follows the text `onMetaData`. */
  metadata(encoder: string): Record<string, number | string | boolean> {
    return this.#writer.metadata(encoder)
  }

  /** False: it belongs to the clock of before. */
  #place(kind: Track['kind'], dts90k: number): boolean {
    const isFar = this.#isFar(dts90k + this.#shift90k - this.#newest90k)
    if (isFar && this.#hasJumped(kind, dts90k)) {
      this.#writer.discontinuity()
      this.#shift90k = this.#newest90k + Math.max(LEAST_GAP_MS, this.#passedMs) * TICKS_PER_MS - dts90k
      const other = kind === 'video' ? 'audio' : 'video'
      this.#behind = this.#behind?.kind === kind ? undefined : { kind: other, last90k: this.#last90k[other] }
    } else if (this.#behind?.kind === kind) {
      if (isFar && dts90k - this.#behind.last90k < MAX_LATE_90K) return false
      this.#behind = undefined
    }
    this.#isCut = false
    this.#last90k[kind] = dts90k
    this.#newest90k = Math.max(dts90k + this.#shift90k, Number.isNaN(this.#newest90k) ? -Infinity : this.#newest90k)
    return true
  }

  #isFar(step90k: number): boolean {
    if (step90k < 0) return step90k < -(this.#isCut ? MAX_REPEAT_90K : MAX_STEP_90K)
    return step90k > MAX_STEP_90K + this.#passedMs * TICKS_PER_MS
  }

  /** The clock of the track itself. One that runs far from the other track all the time has not jumped. */
  #hasJumped(kind: Track['kind'], dts90k: number): boolean {
    const own = this.#last90k[kind]
    const other = this.#last90k[kind === 'video' ? 'audio' : 'video']
    return Number.isNaN(own) ? Number.isNaN(other) : this.#isFar(dts90k - own)
  }
}
