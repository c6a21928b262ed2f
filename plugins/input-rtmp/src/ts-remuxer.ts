// Messages of a stream to a transport stream: tracks come from the media, and the first PMT waits for those that the
// metadata announce.
import type { Frame, FrameConsumer, Track } from '@millrace/media/elementary'
import { FlvReader } from '@millrace/media/flv'
import type { FlvMetadata } from '@millrace/media/flv'
import { TsMuxer } from '@millrace/media/mpegts'
import { MESSAGE, readAmf0 } from '@millrace/rtmp'
import { HeldFrames, MAX_WAIT_MS } from './held-frames.js'

export interface TsRemuxerOptions {
  readonly syncMs: number
  nowMs(): number
  after(delayMs: number, run: () => void): Disposable
  /** Whole packets, valid during the call. */
  onPackets(packets: Uint8Array): void
  /**
   * Once for each codec that a transport stream does not carry, or that we do not know. `isAll`: no track is left, and none
   * that is announced can come.
   */
  onUnsupported(kind: Track['kind'], codec: string, isAll: boolean): void
}

/** Data messages that are longer are no metadata. */
const MAX_DATA_BYTES = 64 * 1024

export class TsRemuxer implements FrameConsumer {
  readonly #options: TsRemuxerOptions
  readonly #reader: FlvReader
  readonly #muxer: TsMuxer
  readonly #held = new HeldFrames()
  readonly #refused = new Set<string>()
  readonly #refusedKinds = new Set<Track['kind']>()
  readonly #tracks = new Set<number>()
  #isWaiting = true
  #timer: Disposable | undefined

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
    if (refusal === undefined) this.#tracks.add(track.id)
    else this.unsupported(track.kind, track.codec)
  }

  ended(track: Track): void {
    this.#muxer.removeTrack(track.id)
    this.#tracks.delete(track.id)
  }

  frame(frame: Frame): void {
    if (!this.#isWaiting) return this.#muxer.push(frame)
    this.#held.push(frame, this.#options.nowMs())
    // Nothing need come behind it for long.
    this.#timer ??= this.#options.after(MAX_WAIT_MS, () => {
      if (this.#isWaiting) this.#release()
    })
  }

  discontinuity(): void {
    if (this.#isWaiting) this.#held.pushBreak()
    else this.#muxer.discontinuity()
  }

  unsupported(kind: Track['kind'], codec: string): void {
    const key = `${kind} ${codec}`
    if (this.#refused.has(key)) return
    this.#refused.add(key)
    this.#refusedKinds.add(kind)
    this.#options.onUnsupported(kind, codec, this.#isAllRefused())
  }

  #isAllRefused(): boolean {
    const { video, audio } = this.metadata?.announced ?? { video: true, audio: true }
    const isRefused = (kind: Track['kind'], isAnnounced: boolean): boolean =>
      !isAnnounced || this.#refusedKinds.has(kind)
    return this.#tracks.size === 0 && isRefused('video', video) && isRefused('audio', audio)
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
    this.#timer?.[Symbol.dispose]()
    for (const held of this.#held.take()) {
      if (held === 'break') this.#muxer.discontinuity()
      else this.#muxer.push(held)
    }
  }
}
