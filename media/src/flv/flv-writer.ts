// Tracks and frames in, FLV tag bodies out (RTMP messages of type 8 and 9): audio and video merged by DTS. Every tag has
// the time of its own frame; nothing is corrected across tracks.
import type { Frame, FrameConsumer, Track } from '../elementary/index.js'
import { renderMetadata } from './stream-metadata.js'
import { frameBodySize, isWritable, limitOffset, renderConfigBody, writeFrameBody } from './tag-body.js'
import { AUDIO_TAG, VIDEO_TAG } from './tag-format.js'
import { TagQueue } from './tag-queue.js'

const TICKS_PER_MS = 90
/** Video may lag behind audio by that much in what is sent, and the other way round. */
const MAX_DISORDER_90K = 100 * TICKS_PER_MS
const DEFAULT_HOLD_MS = 1000
const DEFAULT_HELD_BYTES = 8 * 1024 * 1024
/** A larger step back is another clock. */
const MAX_STEP_BACK_90K = 10_000 * TICKS_PER_MS

const IS_CONFIG = 1
const IS_RANDOM_ACCESS = 2
const IS_DISPOSABLE = 4

/** One object is used again for every call: it and its bytes are valid during the call only. */
export interface FlvTag {
  /** 8 audio, 9 video. */
  type: number
  /** Since the first frame, modulo 2^32. */
  timestampMs: number
  /** The body is `bytes[start, end)`. */
  bytes: Uint8Array
  start: number
  end: number
  /** A sequence header: never to be dropped. */
  isConfig: boolean
  isRandomAccess: boolean
  isDisposable: boolean
}

/** Why a track is left out: FLV can't carry its codec; or there is one of its kind, whose place it takes when that ends. */
export type LeftOutReason = 'codec' | 'second'

/** Calls come from inside the writer's methods, and must not throw. */
export interface FlvTagConsumer {
  tag(tag: FlvTag): void
  leftOut(track: Track, reason: LeftOutReason): void
}

export interface FlvWriterOptions {
  /** A track that is silent for longer is not waited for; by default 1000. */
  readonly holdMs?: number
  /** Of both tracks together; beyond, frames go out unsorted. By default 8 MiB. */
  readonly maxHeldBytes?: number
  /** The DTS that has the time stamp 0; by default that of the first frame. */
  readonly origin90k?: number
}

interface Slot {
  readonly type: number
  readonly queue: TagQueue
  track: Track | undefined
  /** Tracks that could be written as well, by id, in the order in which they came. */
  readonly others: Map<number, Track>
  /** A track is announced. */
  isExpected: boolean
  needsConfig: boolean
  /** NaN until there is a frame. */
  lastDts90k: number
}

export class FlvWriter implements FrameConsumer {
  readonly counters = { tags: 0, unconfigured: 0, early: 0 }
  readonly #consumer: FlvTagConsumer
  readonly #hold90k: number
  readonly #maxHeldBytes: number
  readonly #video = newSlot(VIDEO_TAG)
  readonly #audio = newSlot(AUDIO_TAG)
  readonly #tag: FlvTag
  #origin90k: number
  /** NaN after a break. */
  #first90k = Number.NaN
  #newest90k = Number.NaN

  constructor(consumer: FlvTagConsumer, options: FlvWriterOptions = {}) {
    this.#consumer = consumer
    this.#hold90k = (options.holdMs ?? DEFAULT_HOLD_MS) * TICKS_PER_MS
    this.#maxHeldBytes = options.maxHeldBytes ?? DEFAULT_HELD_BYTES
    this.#origin90k = options.origin90k ?? Number.NaN
    const flags = { isConfig: false, isRandomAccess: false, isDisposable: false }
    this.#tag = { type: 0, timestampMs: 0, bytes: this.#video.queue.bytes, start: 0, end: 0, ...flags }
  }

  expected(kind: Track['kind']): void {
    this.#slotOf(kind).isExpected = true
  }

  /** The first track of each kind is written, and after its end the next one. */
  track(track: Track): void {
    const slot = this.#slotOf(track.kind)
    if (!isWritable(track.codec)) {
      // It may have been written under another codec.
      this.ended(track)
      this.#consumer.leftOut(track, 'codec')
    } else if (slot.track === undefined || slot.track.id === track.id) {
      slot.others.delete(track.id)
      slot.track = track
      slot.needsConfig = true
    } else {
      slot.others.set(track.id, track)
      this.#consumer.leftOut(track, 'second')
    }
  }

  ended(track: Track): void {
    const slot = this.#slotOf(track.kind)
    slot.others.delete(track.id)
    if (slot.track?.id !== track.id) return
    this.flush()
    const [next] = slot.others.values()
    slot.track = next
    slot.isExpected = next !== undefined
    slot.needsConfig = next !== undefined
    slot.lastDts90k = Number.NaN
    if (next !== undefined) slot.others.delete(next.id)
  }

  /** The track of a kind that is written. */
  written(kind: Track['kind']): Track | undefined {
    return this.#slotOf(kind).track
  }

  /** Tracks that wait for the end of the one that is written. */
  others(kind: Track['kind']): readonly Track[] {
    return [...this.#slotOf(kind).others.values()]
  }

  discontinuity(): void {
    this.flush()
    this.#first90k = Number.NaN
    this.#newest90k = Number.NaN
    this.#video.lastDts90k = Number.NaN
    this.#audio.lastDts90k = Number.NaN
  }

  /** Does nothing: whoever reads the stream knows. */
  unsupported(): void {}

  frame(frame: Frame): void {
    const { track, dts90k } = frame
    const slot = this.#slotOf(track.kind)
    if (slot.track?.id !== track.id) return
    if (dts90k < slot.lastDts90k - MAX_STEP_BACK_90K) this.discontinuity()
    this.#note(slot, dts90k)
    if (slot.needsConfig && !this.#addConfig(slot, track, dts90k)) return
    const offsetMs = this.#offsetOf(frame)
    const size = frameBodySize(frame, offsetMs)
    if (size > 0) {
      const flags = (frame.isRandomAccess ? IS_RANDOM_ACCESS : 0) | (frame.isDisposable ? IS_DISPOSABLE : 0)
      const start = slot.queue.add(size, dts90k, flags)
      writeFrameBody(frame, offsetMs, slot.queue.bytes, start)
    }
    this.#drain()
  }

  /** Nothing waits any longer. */
  flush(): void {
    for (let slot = this.#next(); slot !== undefined; slot = this.#next()) this.#send(slot)
  }

  /** What follows the text `onMetaData`: of the tracks so far. */
  metadata(encoder: string): Record<string, number | string | boolean> {
    return renderMetadata(this.#tracks(), encoder)
  }

  /** The sequence headers in force, for a player that joins. */
  configs(): readonly { readonly type: number; readonly body: Uint8Array }[] {
    return this.#tracks().flatMap((track) => {
      const body = renderConfigBody(track)
      return body === undefined ? [] : [{ type: track.kind === 'video' ? VIDEO_TAG : AUDIO_TAG, body }]
    })
  }

  #tracks(): Track[] {
    return [this.#video.track, this.#audio.track].filter((track) => track !== undefined)
  }

  #slotOf(kind: Track['kind']): Slot {
    return kind === 'video' ? this.#video : this.#audio
  }

  #note(slot: Slot, dts90k: number): void {
    slot.lastDts90k = dts90k
    if (Number.isNaN(this.#first90k)) this.#first90k = dts90k
    this.#newest90k = Number.isNaN(this.#newest90k) ? dts90k : Math.max(this.#newest90k, dts90k)
  }

  #addConfig(slot: Slot, track: Track, dts90k: number): boolean {
    const body = renderConfigBody(track)
    if (body === undefined && (track.codec === 'h264' || track.codec === 'h265' || track.codec === 'aac')) {
      this.counters.unconfigured++
      return false
    }
    slot.needsConfig = false
    if (body === undefined) return true
    const start = slot.queue.add(body.length, dts90k, IS_CONFIG)
    slot.queue.bytes.set(body, start)
    return true
  }

  /** Composition time: PTS and DTS in whole milliseconds, so that their rounding does not add up. */
  #offsetOf({ pts90k, dts90k, track }: Frame): number {
    if (track.kind === 'audio') return 0
    return limitOffset(Math.round(pts90k / TICKS_PER_MS) - Math.round(dts90k / TICKS_PER_MS))
  }

  #drain(): void {
    for (let slot = this.#next(); slot !== undefined; slot = this.#next()) {
      const other = slot === this.#video ? this.#audio : this.#video
      const isFull = slot.queue.held + other.queue.held > this.#maxHeldBytes
      if (!isFull && this.#waits(slot.queue.dts90k, other)) return
      this.#send(slot)
    }
  }

  /** The other track may still bring what belongs before. */
  #waits(dts90k: number, other: Slot): boolean {
    if (other.track === undefined && !other.isExpected) return false
    const last = other.lastDts90k
    if (Number.isNaN(last)) return this.#newest90k - this.#first90k <= this.#hold90k
    return last < dts90k - MAX_DISORDER_90K && this.#newest90k - last <= this.#hold90k
  }

  /** The one whose first tag is decoded first. */
  #next(): Slot | undefined {
    const [video, audio] = [this.#video, this.#audio]
    if (video.queue.count === 0) return audio.queue.count === 0 ? undefined : audio
    if (audio.queue.count === 0) return video
    return audio.queue.dts90k < video.queue.dts90k ? audio : video
  }

  #send({ queue, type }: Slot): void {
    const { dts90k, flags, start, end } = queue
    const isConfig = (flags & IS_CONFIG) !== 0
    if (Number.isNaN(this.#origin90k)) this.#origin90k = dts90k
    const stampMs = this.#stampOf(dts90k)
    if (stampMs < 0 && !isConfig) this.counters.early++
    else {
      const tag = this.#tag
      tag.type = type
      // Stamps have 32 bits.
      tag.timestampMs = Math.max(0, stampMs) % 2 ** 32
      tag.bytes = queue.bytes
      tag.start = start
      tag.end = end
      tag.isConfig = isConfig
      tag.isRandomAccess = (flags & IS_RANDOM_ACCESS) !== 0
      tag.isDisposable = (flags & IS_DISPOSABLE) !== 0
      this.counters.tags++
      this.#consumer.tag(tag)
    }
    queue.shift()
  }

  #stampOf(dts90k: number): number {
    return Math.round(dts90k / TICKS_PER_MS) - Math.round(this.#origin90k / TICKS_PER_MS)
  }
}

function newSlot(type: number): Slot {
  return {
    type,
    queue: new TagQueue(),
    track: undefined,
    others: new Map(),
    isExpected: false,
    needsConfig: false,
    lastDts90k: Number.NaN,
  }
}
