// FLV tag bodies (RTMP messages of type 8, 9, 18 and 22) in, tracks and frames out: legacy and Enhanced RTMP v1 and v2.
// Frames are views of the body; nothing is copied but configurations.
import type { Codec, Frame, FrameConsumer, ReadCounters, Track } from '../elementary/index.js'
import { newFrame } from '../elementary/new-frame.js'
import { splitAggregate } from './aggregate.js'
import { codecOfFourCc, kindOfCodec, nameOfFourCc, nameOfLegacy } from './codec-names.js'
import { EnhancedHeader, readUint24 } from './enhanced-header.js'
import { FlvTrack } from './flv-track.js'
import { isRecord, readMetadata } from './metadata.js'
import type { FlvMetadata } from './metadata.js'
import { FlvClock } from './stream-clock.js'
import { AAC_ID, AGGREGATE_TAG, AUDIO_TAG, AVC_ID, CODED_FRAMES, CODED_FRAMES_X, COMMAND_FRAME } from './tag-format.js'
import { ENHANCED_AUDIO_ID, EX_VIDEO, HEVC_ID, KEY_FRAME, LEGACY_CONFIG, LEGACY_FRAME } from './tag-format.js'
import { DISPOSABLE_FRAME, MP3_8K_ID, MP3_ID, SEQUENCE_START, VIDEO_TAG } from './tag-format.js'

/** Frame type, packet type, composition time. */
const LEGACY_VIDEO_HEADER = 5
const LEGACY_AAC_HEADER = 2
/** `Track.id` of the first audio track; video tracks count from 0, both by their number in Multitrack. */
const FIRST_AUDIO_ID = 256
const DEFAULT_MAX_TRACKS = 16
/** A picture is shown so long before or after its time stamp at most; another composition time is damaged. */
const MIN_OFFSET_MS = -2000
const MAX_OFFSET_MS = 10_000
/** Codecs that are told as unsupported. */
const MAX_NAMES = 16
/** Decoders of these can't start without a configuration. */
const NEEDS_CONFIG: readonly Codec[] = ['h264', 'h265', 'aac']
/** Names of OBS's additional audio: `stream0` is the second audio track. */
const ADDITIONAL_ID = /^stream(\d{1,2})$/

export interface FlvReaderOptions {
  /** Tracks beyond these are ignored and counted; by default 16. */
  readonly maxTracks?: number
}

export interface FlvCounters extends ReadCounters {
  /** Frames whose DTS was above their PTS, and is moved back. */
  shifted: number
  /** Bodies too short for their header, configurations that can't be read, and composition times of no picture. */
  malformed: number
}

export class FlvReader {
  readonly counters: FlvCounters = { frames: 0, damaged: 0, tooLarge: 0, unconfigured: 0, shifted: 0, malformed: 0 }
  /** The newest onMetaData; undefined without any so far. */
  metadata: FlvMetadata | undefined
  readonly #consumer: FrameConsumer
  readonly #maxTracks: number
  readonly #tracks = new Map<number, FlvTrack>()
  readonly #clock = new FlvClock()
  readonly #header = new EnhancedHeader()
  readonly #named = new Set<string>()
  #frame: Frame | undefined
  readonly #onTag = (type: number, timestampMs: number, body: Uint8Array): void => this.push(type, timestampMs, body)
  readonly #onDamage = (): void => void this.counters.damaged++

  constructor(consumer: FrameConsumer, options: FlvReaderOptions = {}) {
    this.#consumer = consumer
    this.#maxTracks = options.maxTracks ?? DEFAULT_MAX_TRACKS
  }

  /**
   * The kinds that onMetaData announces and that have not come so far. Without metadata, or if it announces nothing: those
   * that have not come. Whoever writes the first PMT waits for them, a second at most.
   */
  get missing(): readonly Track['kind'][] {
    const announced = this.metadata?.announced ?? { video: true, audio: true }
    const kinds = (['video', 'audio'] as const).filter((kind) => announced[kind])
    return kinds.filter((kind) => !this.#has(kind))
  }

  /** Takes the body of a message or tag. `timestampMs` as on the wire. Other types, 18 included, are ignored. */
  push(type: number, timestampMs: number, body: Uint8Array): void {
    if (body.length === 0) return
    if (type === VIDEO_TAG) this.#video(timestampMs, body)
    else if (type === AUDIO_TAG) this.#audio(timestampMs, body, 0)
    else if (type === AGGREGATE_TAG && !splitAggregate(body, timestampMs, this.#onTag)) this.counters.malformed++
  }

  /**
   * Takes the values of a data message (type 18), as an AMF reader gives them: plain objects, arrays, bytes as Uint8Array.
   * Returns true if `metadata` is new.
   */
  data(values: readonly unknown[], timestampMs: number): boolean {
    const from = values[0] === '@setDataFrame' ? 1 : 0
    const [name, value] = [values[from], values[from + 1]]
    if (name === 'onMetaData') {
      this.#announce(readMetadata(value))
      return true
    }
    // OBS, "VOD track": each frame of the second audio track is a data message.
    if (name === 'additionalMedia' && isRecord(value)) {
      const { id, media } = value
      const stream = typeof id === 'string' ? ADDITIONAL_ID.exec(id) : null
      if (stream !== null && media instanceof Uint8Array && media.length > 0) {
        this.#audio(timestampMs, media, 1 + Number(stream[1]))
      }
    }
    return false
  }

  #announce(metadata: FlvMetadata): void {
    this.metadata = metadata
    if (metadata.announced?.video === true) this.#consumer.expected('video')
    if (metadata.announced?.audio === true) this.#consumer.expected('audio')
  }

  #video(timestampMs: number, body: Uint8Array): void {
    const first = body[0]!
    if ((first & EX_VIDEO) !== 0) return this.#enhanced('video', timestampMs, body)
    const frameType = first >>> 4
    if (frameType === COMMAND_FRAME) return
    const id = first & 0x0f
    const codec = id === AVC_ID ? 'h264' : id === HEVC_ID ? 'h265' : undefined
    if (codec === undefined) return this.#refuse('video', nameOfLegacy('video', id))
    if (body.length < LEGACY_VIDEO_HEADER) return this.#short(body)
    if (body[1] === LEGACY_CONFIG) this.#configure(0, codec, body, LEGACY_VIDEO_HEADER, body.length)
    if (body[1] !== LEGACY_FRAME) return
    const offsetMs = readInt24(body, 2)
    this.#take(0, codec, body, LEGACY_VIDEO_HEADER, body.length, timestampMs, offsetMs, 0, frameType)
  }

  #audio(timestampMs: number, body: Uint8Array, index: number): void {
    const id = body[0]! >>> 4
    if (id === ENHANCED_AUDIO_ID) return this.#enhanced('audio', timestampMs, body)
    const key = FIRST_AUDIO_ID + index
    const end = body.length
    if (id === MP3_ID || id === MP3_8K_ID) return this.#take(key, 'mp3', body, 1, end, timestampMs, 0, 0, KEY_FRAME)
    if (id !== AAC_ID) return this.#refuse('audio', nameOfLegacy('audio', id))
    if (end < LEGACY_AAC_HEADER) return this.#short(body)
    if (body[1] === LEGACY_CONFIG) this.#configure(key, 'aac', body, LEGACY_AAC_HEADER, end)
    if (body[1] !== LEGACY_FRAME) return
    this.#take(key, 'aac', body, LEGACY_AAC_HEADER, end, timestampMs, 0, 0, KEY_FRAME)
  }

  #enhanced(kind: Track['kind'], timestampMs: number, body: Uint8Array): void {
    const header = this.#header
    if (!header.read(kind, body)) {
      if (header.frameType !== COMMAND_FRAME) this.#short(body)
      return
    }
    while (header.nextTrack(body)) {
      const codec = codecOfFourCc(header.fourCc)
      if (codec === undefined || kindOfCodec(codec) !== kind) {
        this.#refuse(kind, nameOfFourCc(header.fourCc))
        continue
      }
      const key = (kind === 'video' ? 0 : FIRST_AUDIO_ID) + header.trackIndex
      this.#enhancedTrack(key, codec, timestampMs, body)
    }
  }

  #enhancedTrack(key: number, codec: Codec, timestampMs: number, body: Uint8Array): void {
    const { packetType, start, end, nanoseconds, frameType } = this.#header
    if (packetType === SEQUENCE_START) return this.#configure(key, codec, body, start, end)
    const isVideo = key < FIRST_AUDIO_ID
    const hasOffset = packetType === CODED_FRAMES && (codec === 'h264' || codec === 'h265')
    if (packetType !== CODED_FRAMES && !(isVideo && packetType === CODED_FRAMES_X)) return
    if (hasOffset && start + 3 > end) return this.#short(body)
    const [from, offsetMs] = hasOffset ? [start + 3, readInt24(body, start)] : [start, 0]
    this.#take(key, codec, body, from, end, timestampMs, offsetMs, nanoseconds, isVideo ? frameType : KEY_FRAME)
  }

  /** Undefined if there are too many. */
  #slot(key: number): FlvTrack | undefined {
    const known = this.#tracks.get(key)
    if (known !== undefined) return known
    if (this.#tracks.size >= this.#maxTracks) {
      this.counters.tooLarge++
      return undefined
    }
    const slot = new FlvTrack(key < FIRST_AUDIO_ID ? 'video' : 'audio', key)
    this.#tracks.set(key, slot)
    return slot
  }

  #configure(key: number, codec: Codec, body: Uint8Array, start: number, end: number): void {
    // ffmpeg sends an empty AAC configuration before the real one when it copies ADTS.
    if (end <= start) return
    const slot = this.#slot(key)
    if (slot === undefined) return
    const before = slot.track
    if (slot.configure(codec, body, start, end)) this.#consumer.track(slot.track!)
    else if (before === undefined) this.counters.malformed++
  }

  #take(
    key: number,
    codec: Codec,
    body: Uint8Array,
    start: number,
    end: number,
    timestampMs: number,
    offsetMs: number,
    nanoseconds: number,
    frameType: number,
  ): void {
    if (end <= start || frameType === COMMAND_FRAME) return
    const slot = this.#slot(key)
    if (slot === undefined) return
    if (slot.track?.codec !== codec) {
      if (NEEDS_CONFIG.includes(codec)) {
        this.counters.unconfigured++
        return
      }
      if (slot.configure(codec, body, start, start)) this.#consumer.track(slot.track!)
    }
    if (!slot.findUnits(codec, body, start, end, this.#onDamage)) return
    this.#stamp(slot, body, timestampMs, offsetMs, nanoseconds)
    const frame = this.#frame!
    frame.isRandomAccess = slot.isKey || frameType === KEY_FRAME
    frame.isDisposable = !frame.isRandomAccess && (slot.isDisposable || frameType === DISPOSABLE_FRAME)
    this.counters.frames++
    this.#consumer.frame(frame)
  }

  #stamp(slot: FlvTrack, body: Uint8Array, timestampMs: number, offsetMs: number, nanoseconds: number): void {
    const ms = this.#clock.unwrap(timestampMs, slot.clock)
    if (this.#clock.isJump) {
      for (const other of this.#tracks.values()) other.resetTimes()
      this.#consumer.discontinuity()
    }
    const dts90k = ms * 90 + (nanoseconds * 9) / 100_000
    const pts90k = dts90k + this.#soundOffset(offsetMs) * 90
    const decoded90k = slot.decodingTime(pts90k, dts90k)
    if (decoded90k !== dts90k) this.counters.shifted++
    const { units } = slot
    const frame = (this.#frame ??= newFrame(slot.track!))
    frame.track = slot.track!
    frame.bytes = body
    frame.units = units.pairs
    frame.unitCount = units.count
    frame.pts90k = pts90k
    frame.dts90k = decoded90k
  }

  /** With a composition time that no picture has, it is shown when it is decoded. */
  #soundOffset(offsetMs: number): number {
    if (offsetMs >= MIN_OFFSET_MS && offsetMs <= MAX_OFFSET_MS) return offsetMs
    this.counters.malformed++
    return 0
  }

  #has(kind: Track['kind']): boolean {
    for (const { track } of this.#tracks.values()) if (track?.kind === kind) return true
    return false
  }

  #short(body: Uint8Array): void {
    // One or two bytes are what encoders send that have nothing to say yet.
    if (body.length > 2) this.counters.malformed++
  }

  #refuse(kind: Track['kind'], name: string): void {
    const key = `${kind} ${name}`
    if (this.#named.has(key) || this.#named.size >= MAX_NAMES) return
    this.#named.add(key)
    this.#consumer.unsupported(kind, name)
  }
}

function readInt24(bytes: Uint8Array, at: number): number {
  return (readUint24(bytes, at) << 8) >> 8
}
