// Messages of a stream to a transport stream: tracks come from the media, and the first PMT waits for those that the
// metadata announce.
import type { Frame, FrameConsumer, Track } from '@millrace/media/elementary'
import { FlvReader } from '@millrace/media/flv'
import type { FlvMetadata } from '@millrace/media/flv'
import { TsMuxer } from '@millrace/media/mpegts'
import { MESSAGE, readAmf0 } from '@millrace/rtmp'
import { HeldFrames } from './held-frames.js'

export interface TsRemuxerOptions {
  readonly syncMs: number
  nowMs(): number
  /** Whole packets, valid during the call. */
  onPackets(packets: Uint8Array): void
  /** Once for each codec that a transport stream does not carry, or that we do not know. */
  onUnsupported(kind: Track['kind'], codec: string): void
}

/** Data messages that are longer are no metadata. */
const MAX_DATA_BYTES = 64 * 1024

export class TsRemuxer implements FrameConsumer {
  readonly #options: TsRemuxerOptions
  readonly #reader: FlvReader
  readonly #muxer: TsMuxer
  readonly #held = new HeldFrames()
  readonly #refused = new Set<string>()
  #isWaiting = true

  constructor(options: TsRemuxerOptions) {
    this.#options = options
    this.#reader = new FlvReader(this)
    this.#muxer = new TsMuxer({
      syncMs: options.syncMs,
      consume: (bytes, length) => options.onPackets(bytes.subarray(0, length)),
    })
  }

  /** The newest that came. */
  get metadata(): FlvMetadata | undefined {
    return this.#reader.metadata
  }

  get counters(): { readonly frames: number; readonly dropped: number } {
    const { frames, dropped } = this.#muxer.counters
    const { damaged, tooLarge, unconfigured, malformed } = this.#reader.counters
    return { frames, dropped: dropped + damaged + tooLarge + unconfigured + malformed }
  }

  push(type: number, timestampMs: number, body: Uint8Array): void {
    if (type === MESSAGE.data) this.#pushData(timestampMs, body)
    else this.#reader.push(type, timestampMs, body)
    if (this.#isWaiting) this.#checkWait()
  }

  /** Nothing more will come. */
  end(): void {
    this.#release()
    this.#muxer.flush()
  }

  /** The reader knows what is missing. */
  expected(): void {}

  track(track: Track): void {
    const refusal = this.#muxer.setTrack(track)
    if (refusal !== undefined) this.unsupported(track.kind, track.codec)
  }

  ended(track: Track): void {
    this.#muxer.removeTrack(track.id)
  }

  frame(frame: Frame): void {
    if (this.#isWaiting) this.#held.push(frame, this.#options.nowMs())
    else this.#muxer.push(frame)
  }

  discontinuity(): void {
    if (this.#isWaiting) this.#held.pushBreak()
    else this.#muxer.discontinuity()
  }

  unsupported(kind: Track['kind'], codec: string): void {
    const key = `${kind} ${codec}`
    if (this.#refused.has(key)) return
    this.#refused.add(key)
    this.#options.onUnsupported(kind, codec)
  }

  #pushData(timestampMs: number, body: Uint8Array): void {
    if (body.length <= MAX_DATA_BYTES) this.#reader.data(readAmf0(body).values, timestampMs)
  }

  #checkWait(): void {
    if (this.#held.isEmpty) return
    if (this.#reader.missing.length === 0 || this.#held.isDue(this.#options.nowMs())) this.#release()
  }

  #release(): void {
    this.#isWaiting = false
    for (const held of this.#held.take()) {
      if (held === 'break') this.#muxer.discontinuity()
      else this.#muxer.push(held)
    }
  }
}
