// The elementary stream of a video PID to access units, however they are packed: several in a PES packet, one over several
// PES packets, with or without delimiters. A unit is complete when the next one begins.
import { newFrame } from '../../elementary/new-frame.js'
import { FrameUnits } from '../../elementary/frame-units.js'
import type { Frame, FrameConsumer, ReadCounters, Track } from '../../elementary/index.js'
import { isH264Disposable } from '../../h264/disposable.js'
import { isH265Disposable } from '../../h265/disposable.js'
import { ParameterSetStore } from '../parameter-set-store.js'
import { ANNOUNCEMENT, LEADING, PARAMETER_SET, PICTURE } from '../picture-rules.js'
import { nextStartCode, START_CODE_SIZE } from '../start-code.js'
import { MAX_UNIT_BYTES } from '../unit-scanner.js'
import type { DemuxClock } from './demux-clock.js'
import type { ElementaryReader } from './elementary-reader.js'
import { UnitTimes } from './unit-times.js'
import type { VideoCodec } from './video-config.js'

const FIRST_CAPACITY = 64 * 1024
const NONE = -1

export class VideoReader implements ElementaryReader {
  readonly #codec: VideoCodec
  readonly #identity: Pick<Track, 'id' | 'language'>
  readonly #consumer: FrameConsumer
  readonly #counters: ReadCounters
  readonly #maxBytes: number
  readonly #sets = new ParameterSetStore()
  readonly #times: UnitTimes
  readonly #units = new FrameUnits()
  readonly #scratch = new Uint8Array(MAX_UNIT_BYTES)
  #frame: Frame | undefined
  #configuredBy = 0
  /** The access unit so far; it begins at 0. */
  #bytes = new Uint8Array(FIRST_CAPACITY)
  #length = 0
  /** Where the search for the next start code goes on. */
  #scanAt = 0
  /** The NAL unit that is open: its first byte, and its kind. */
  #unitAt = NONE
  #kind = 0
  #isFirstSlice = false
  #pesAt = 0
  /** Nothing is read until a PES packet begins. */
  #isWaiting = true
  #isPesIndicated = false
  /** About the access unit. */
  #isOpen = false
  #pictures = 0
  #isBroken = false
  #isKey = false
  #isAnnounced = false
  #isIndicated = false
  #isDisposable = false

  constructor(
    codec: VideoCodec,
    identity: Pick<Track, 'id' | 'language'>,
    clock: DemuxClock,
    consumer: FrameConsumer,
    counters: ReadCounters,
    maxBytes: number,
  ) {
    this.#codec = codec
    this.#identity = identity
    this.#consumer = consumer
    this.#counters = counters
    this.#maxBytes = maxBytes
    this.#times = new UnitTimes(clock)
  }

  begin(pts90k: number, dts90k: number, isIndicated: boolean): void {
    this.#isWaiting = false
    this.#pesAt = this.#length
    this.#times.offer(pts90k, dts90k)
    this.#isPesIndicated = isIndicated
  }

  push(bytes: Uint8Array, from: number, end: number): void {
    if (this.#isWaiting) return
    if (this.#length + end - from > this.#maxBytes) {
      this.#counters.tooLarge++
      this.#drop()
      return
    }
    this.#append(bytes, from, end)
    this.#scan(false)
  }

  end(): void {}

  damage(): void {
    if (this.#isOpen && this.#pictures > 0) this.#counters.damaged++
    this.#drop()
  }

  flush(): void {
    this.#scan(true)
    this.#closeUnit(this.#length)
    this.#emit()
    this.#drop()
  }

  /** Parameter sets that came before the reading began, with start codes. */
  learn(elementary: Uint8Array): void {
    const { rules } = this.#codec
    for (let at = nextStartCode(elementary, 0, elementary.length); at >= 0;) {
      const next = nextStartCode(elementary, at, elementary.length)
      const unit = elementary.subarray(at, next < 0 ? elementary.length : next - START_CODE_SIZE)
      const length = withoutZeros(unit, 0, unit.length)
      if (rules.kindOf(unit[0]!) === PARAMETER_SET && length < MAX_UNIT_BYTES) this.#sets.put(rules, unit, length)
      at = next
    }
  }

  #drop(): void {
    this.#length = 0
    this.#scanAt = 0
    this.#unitAt = NONE
    this.#isOpen = false
    this.#isWaiting = true
    this.#times.forget()
    this.#units.clear()
  }

  #append(bytes: Uint8Array, from: number, end: number): void {
    const needed = this.#length + end - from
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(this.#maxBytes, Math.max(needed, this.#bytes.length * 2)))
      grown.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = grown
    }
    this.#bytes.set(bytes.subarray(from, end), this.#length)
    this.#length = needed
  }

  #scan(isLast: boolean): void {
    const { rules } = this.#codec
    for (;;) {
      const header = nextStartCode(this.#bytes, this.#scanAt, this.#length)
      if (header < 0) {
        this.#scanAt = Math.max(this.#scanAt, this.#length - START_CODE_SIZE)
        return
      }
      if (header + rules.headBytes > this.#length && !isLast) {
        this.#scanAt = header - START_CODE_SIZE
        return
      }
      this.#scanAt = this.#beginUnit(header)
    }
  }

  /** Returns where the header is then: an access unit that begins here moves to the front. */
  #beginUnit(found: number): number {
    const { rules } = this.#codec
    let header = found
    const kind = rules.kindOf(this.#bytes[header]!)
    this.#closeUnit(header - START_CODE_SIZE)
    const isFirst = kind === PICTURE && rules.beginsPicture(this.#bytes, header, this.#length)
    if (!this.#isOpen || this.#begins(kind, isFirst, header)) {
      this.#emit()
      header = this.#moveToFront(header)
      this.#open()
      this.#isBroken = kind === PICTURE && !isFirst
    }
    if (kind === PICTURE && isFirst) this.#pictures++
    this.#unitAt = header
    this.#kind = kind
    this.#isFirstSlice = isFirst && this.#pictures === 1
    return header
  }

  #begins(kind: number, isFirst: boolean, header: number): boolean {
    if (this.#pictures === 0) return false
    const isStart = kind === PICTURE ? isFirst : kind === LEADING || kind === PARAMETER_SET || kind === ANNOUNCEMENT
    if (!isStart) return false
    // The second field of a picture, in the same PES packet.
    const hasTime = this.#times.isOffered && this.#pesAt < header
    return !(this.#times.isInterlaced && this.#pictures === 1 && !hasTime)
  }

  /** The start code stays in front, so that nothing before the header is lost to the search. */
  #moveToFront(header: number): number {
    const start = header - START_CODE_SIZE
    this.#bytes.copyWithin(0, start, this.#length)
    this.#length -= start
    this.#pesAt -= start
    return START_CODE_SIZE
  }

  #open(): void {
    this.#isOpen = true
    this.#units.clear()
    this.#pictures = 0
    this.#isKey = false
    this.#isAnnounced = false
    this.#isDisposable = false
    this.#sets.beginUnit()
    // The prefix may have a zero in front of it that belongs to the PES packet.
    const isInPes = this.#pesAt <= 0
    this.#isIndicated = isInPes && this.#isPesIndicated
    if (isInPes) this.#isPesIndicated = false
    this.#times.begin(isInPes)
  }

  #closeUnit(end: number): void {
    const start = this.#unitAt
    this.#unitAt = NONE
    if (start < 0) return
    const stop = withoutZeros(this.#bytes, start, end)
    if (stop <= start) return
    if (!this.#units.add(start, stop)) this.#isBroken = true
    const { rules, codec } = this.#codec
    const first = this.#bytes[start]!
    if (this.#kind === PARAMETER_SET) this.#putSet(start, stop)
    else if (this.#kind === ANNOUNCEMENT && !this.#isAnnounced && this.#pictures === 0) {
      this.#isAnnounced = rules.announces(this.#scratch, this.#toScratch(start, stop, MAX_UNIT_BYTES))
    } else if (this.#isFirstSlice) {
      this.#isKey = rules.isKey(first) || (this.#isMarked && this.#isIntra(start, stop))
      this.#isDisposable = codec === 'h264' ? isH264Disposable(first) : isH265Disposable(first)
    }
  }

  /** Decoding can start at the access unit if its picture is intra. */
  get #isMarked(): boolean {
    return this.#isIndicated || this.#isAnnounced || this.#sets.bringsConfiguration
  }

  #isIntra(start: number, end: number): boolean {
    const { rules } = this.#codec
    if (this.#isAnnounced && rules.announcesInter) return true
    return rules.isIntra(this.#scratch, this.#toScratch(start, end, rules.pictureBytes))
  }

  #putSet(start: number, end: number): void {
    if (end - start >= MAX_UNIT_BYTES) return
    this.#sets.put(this.#codec.rules, this.#scratch, this.#toScratch(start, end, MAX_UNIT_BYTES))
  }

  /** Rules read units from 0 on. */
  #toScratch(start: number, end: number, most: number): number {
    const length = Math.min(most, end - start)
    for (let at = 0; at < length; at++) this.#scratch[at] = this.#bytes[start + at]!
    return length
  }

  #emit(): void {
    if (!this.#isOpen || this.#pictures === 0) {
      if (this.#isOpen && this.#isBroken) this.#counters.damaged++
      return
    }
    this.#isOpen = false
    if (this.#isBroken) {
      this.#counters.damaged++
      return
    }
    if (this.#sets.changes !== this.#configuredBy) this.#configure()
    const frame = this.#frame
    if (frame === undefined || !this.#times.settle()) {
      this.#counters.unconfigured++
      return
    }
    frame.bytes = this.#bytes
    frame.units = this.#units.pairs
    frame.unitCount = this.#units.count
    frame.pts90k = this.#times.pts90k
    frame.dts90k = this.#times.dts90k
    frame.isRandomAccess = this.#isKey
    frame.isDisposable = !this.#isKey && this.#isDisposable
    this.#counters.frames++
    this.#consumer.frame(frame)
  }

  #configure(): void {
    const codec = this.#codec
    if (!this.#sets.hasAll(codec.rules)) return
    this.#configuredBy = this.#sets.changes
    const config = codec.renderConfig(this.#sets)
    if (config === undefined || isSame(config, this.#frame?.track.config)) return
    this.#times.follow(codec.readFormat(this.#sets))
    const track: Track = { ...this.#identity, kind: 'video', codec: codec.codec, config }
    this.#frame ??= newFrame(track)
    this.#frame.track = track
    this.#consumer.track(track)
  }
}

/** trailing_zero_8bits and the zero of a long prefix are no part of a unit. */
function withoutZeros(bytes: Uint8Array, start: number, end: number): number {
  let stop = end
  while (stop > start && bytes[stop - 1] === 0) stop--
  return stop
}

function isSame(config: Uint8Array, known: Uint8Array | undefined): boolean {
  return known?.length === config.length && known.every((byte, at) => byte === config[at])
}
