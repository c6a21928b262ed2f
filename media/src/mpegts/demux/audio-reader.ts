// The elementary stream of an audio PID to frames. The first frame that begins in a PES packet has its PTS; those behind
// it are counted in samples.
import { NO_FRAME, UNKNOWN } from '../../audio/audio-syntax.js'
import type { AudioSyntax } from '../../audio/audio-syntax.js'
import { newFrame } from '../../elementary/new-frame.js'
import type { Frame, FrameConsumer, ReadCounters, Track } from '../../elementary/index.js'
import type { DemuxClock } from './demux-clock.js'
import type { ElementaryReader } from './elementary-reader.js'

const FIRST_CAPACITY = 4096
/** Of what is not yet a whole frame; real ones have 8 KiB at most. */
const MAX_BYTES = 64 * 1024
const TICKS_PER_SECOND = 90_000

export class AudioReader implements ElementaryReader {
  readonly #syntax: AudioSyntax
  readonly #identity: Pick<Track, 'id' | 'language'>
  readonly #clock: DemuxClock
  readonly #consumer: FrameConsumer
  readonly #counters: ReadCounters
  readonly #units = new Int32Array(2)
  #frame: Frame | undefined
  #configKey = NO_FRAME
  #isRefused = false
  #bytes = new Uint8Array(FIRST_CAPACITY)
  #length = 0
  /** Where the PES packet begins, and its PTS; -1 without any, or once a frame has it. */
  #pesAt = 0
  #pts90k = -1
  /** Of the next frame: so many samples after #base90k, which is NaN while it is not known. */
  #base90k = Number.NaN
  #samples = 0
  /** The last bytes were a frame, so the next ones are. */
  #isSynced = false
  /** Nothing is read until a PES packet begins. */
  #isWaiting = true

  constructor(
    syntax: AudioSyntax,
    identity: Pick<Track, 'id' | 'language'>,
    clock: DemuxClock,
    consumer: FrameConsumer,
    counters: ReadCounters,
  ) {
    this.#syntax = syntax
    this.#identity = identity
    this.#clock = clock
    this.#consumer = consumer
    this.#counters = counters
  }

  begin(pts90k: number): void {
    this.#isWaiting = false
    this.#pesAt = this.#length
    if (pts90k >= 0) this.#pts90k = pts90k
  }

  push(bytes: Uint8Array, from: number, end: number): void {
    if (this.#isWaiting) return
    this.#append(bytes, from, end)
    this.#read(false)
  }

  end(): void {
    this.#read(true)
  }

  damage(): void {
    if (this.#length > 0) this.#counters.damaged++
    this.#length = 0
    this.#isSynced = false
    this.#isWaiting = true
    this.#base90k = Number.NaN
    this.#pts90k = -1
  }

  flush(): void {
    this.#read(true)
    this.damage()
  }

  #append(bytes: Uint8Array, from: number, end: number): void {
    const needed = this.#length + end - from
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
      grown.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = grown
    }
    this.#bytes.set(bytes.subarray(from, end), this.#length)
    this.#length = needed
  }

  #read(isLast: boolean): void {
    let at = 0
    while (at < this.#length) {
      const size = this.#syntax.measure(this.#bytes, at, this.#length, isLast)
      if (size === NO_FRAME) {
        if (this.#isSynced) this.#counters.damaged++
        this.#isSynced = false
        at++
        continue
      }
      if (size === UNKNOWN || at + size > this.#length) break
      const next = this.#isSynced || at === this.#pesAt ? size : this.#confirm(at, size, isLast)
      if (next === UNKNOWN) break
      if (next === NO_FRAME) {
        at++
        continue
      }
      this.#isSynced = true
      this.#emit(at, size)
      at += size
    }
    this.#consume(at)
    if (this.#length <= MAX_BYTES) return
    this.#counters.tooLarge++
    this.damage()
  }

  /** A sync word may be there by chance: another frame follows. */
  #confirm(at: number, size: number, isLast: boolean): number {
    if (at + size === this.#length) return isLast ? size : UNKNOWN
    const next = this.#syntax.measure(this.#bytes, at + size, this.#length, isLast)
    return next === UNKNOWN && isLast ? NO_FRAME : next
  }

  #emit(at: number, size: number): void {
    const syntax = this.#syntax
    this.#takeTime(at)
    if (!syntax.extract(this.#bytes, at, size)) {
      this.#counters.damaged++
      this.#tellRefusal(syntax.refusal)
      return
    }
    const time90k = this.#base90k + (this.#samples * TICKS_PER_SECOND) / syntax.sampleRate
    this.#samples += syntax.samples
    if (Number.isNaN(time90k)) {
      this.#counters.unconfigured++
      return
    }
    if (this.#configKey !== syntax.configKey || this.#frame?.track.codec !== syntax.codec) this.#configure()
    const frame = this.#frame!
    this.#units[0] = syntax.payloadStart
    this.#units[1] = syntax.payloadEnd
    frame.bytes = syntax.payload
    frame.pts90k = time90k
    frame.dts90k = time90k
    this.#counters.frames++
    this.#consumer.frame(frame)
  }

  /** Once. */
  #tellRefusal(codec: string | undefined): void {
    if (codec === undefined || this.#isRefused) return
    this.#isRefused = true
    this.#consumer.unsupported('audio', codec)
  }

  #takeTime(at: number): void {
    if (this.#pts90k < 0 || at < this.#pesAt) return
    this.#base90k = this.#clock.unwrap(this.#pts90k)
    this.#samples = 0
    this.#pts90k = -1
  }

  #configure(): void {
    const { codec, configKey } = this.#syntax
    this.#configKey = configKey
    const track: Track = { ...this.#identity, kind: 'audio', codec, config: this.#syntax.renderConfig() }
    this.#frame ??= newFrame(track)
    this.#frame.track = track
    this.#frame.units = this.#units
    this.#frame.unitCount = 1
    this.#frame.isRandomAccess = true
    this.#consumer.track(track)
  }

  #consume(count: number): void {
    if (count === 0) return
    this.#bytes.copyWithin(0, count, this.#length)
    this.#length -= count
    this.#pesAt -= count
  }
}
