// The stream of an output as RTMP messages, made once for all its receivers: who joins gets metadata, sequence headers and
// the stream since its last key frame.
import type { AnyChunk } from '@millrace/engine/plugin'
import type { Track } from '@millrace/media/elementary'
import type { FlvTag, FlvTagConsumer, LeftOutReason } from '@millrace/media/flv'
import { TsDemuxer } from '@millrace/media/mpegts/demux'
import { MediaMessage, MESSAGE, renderAmf0 } from '@millrace/rtmp'
import type { MediaClass, MediaType } from '@millrace/rtmp'
import { ContinuousWriter } from './continuous-writer.js'
import { GopRing, metadataMessage, stampedHeaders } from './gop-ring.js'
import type { Header } from './gop-ring.js'

const ENCODER = 'Millrace'
const KINDS = ['video', 'audio'] as const
/** Names of codecs that are left out. */
const MOST_NAMES = 16
/** Video that the tables name is waited for so long, in the time of the sound; then receivers join with sound alone. */
const VIDEO_WAIT_MS = 5000
/** A source that is silent for this long counts as absent: who joins waits for it. */
const ABSENT_AFTER_MS = 3000

export interface FlvReceiver {
  /** @param isBacklog of the past: what it gets when it joins */
  send(message: MediaMessage, isBacklog?: boolean): void
}

export interface FlvStreamHost {
  nowMs(): number
  /** When its source was last lost; -Infinity if it never was. */
  lostAtMs(): number
  /** Once for each kind and codec, and for each track beyond the first: it is not sent. */
  leftOut(kind: Track['kind'], codec: string, reason: LeftOutReason): void
}

/** What the log says of a track that is not sent. */
export const LEFT_OUT: Readonly<Record<LeftOutReason, string>> = {
  codec: 'RTMP does not carry this codec: the track is left out',
  second: 'RTMP carries one video and one audio track: this one is left out until the one before it ends',
}

export class FlvStream implements FlvTagConsumer {
  readonly #host: FlvStreamHost
  readonly #demuxer = new TsDemuxer()
  readonly #writer: ContinuousWriter
  readonly #ring = new GopRing()
  readonly #receivers = new Set<FlvReceiver>()
  /** They get nothing before the next key frame. */
  readonly #waiting = new Set<FlvReceiver>()
  /** They have joined with sound alone: video begins with the next key frame. */
  readonly #withoutVideo = new Set<FlvReceiver>()
  /** Codecs that are not carried; and all that was told as left out. */
  readonly #leftOut = new Set<string>()
  readonly #told = new Set<string>()
  /** Sequence headers in force, by type. */
  readonly #configs = new Map<MediaType, Header>()
  readonly #lastMs = new Map<number, number>()
  #metadata: Header | undefined
  #isMetadataStale = true
  #isVideoExpected = false
  /** Of the first sound since the latest video, or since video is expected: its clock may be far from that of video. */
  #soundAloneMs: number | undefined
  #newestMs = 0
  /** When the newest chunk came. */
  #arrivedMs = -Infinity
  #hasEnded = false

  constructor(host: FlvStreamHost) {
    this.#host = host
    const writer = new ContinuousWriter(this)
    this.#writer = writer
    this.#demuxer.attach({
      expected: (kind) => {
        if (kind === 'video') this.#expectVideo()
        writer.expected(kind)
      },
      track: (track) => this.#change(track.kind, () => writer.track(track)),
      ended: (track) => this.#change(track.kind, () => writer.ended(track)),
      frame: (frame) => writer.frame(frame),
      discontinuity: () => writer.discontinuity(),
      unsupported: (kind, codec) => this.#noteCodec(kind, codec),
    })
  }

  /** Codecs that are sent. */
  get codecs(): readonly string[] {
    const tracks = KINDS.map((kind) => this.#writer.written(kind)).filter((track) => track !== undefined)
    return tracks.map(({ kind, codec }) => `${kind} ${codec}`)
  }

  /** Codecs that are not carried, and tracks beyond the first of their kind. */
  get leftOutTracks(): readonly string[] {
    const others = KINDS.flatMap((kind) => this.#writer.others(kind))
    return [...this.#leftOut, ...others.map(({ id, kind, codec }) => `${kind} ${codec} on PID ${id}: a second track`)]
  }

  get ringBytes(): number {
    return this.#ring.bytes
  }

  /** Time stamp of the newest message. */
  get newestMs(): number {
    return this.#newestMs
  }

  get damaged(): number {
    return this.#demuxer.counters.damaged
  }

  push(chunk: AnyChunk): void {
    this.#arrivedMs = this.#host.nowMs()
    this.#hasEnded = false
    this.#writer.arrived(this.#arrivedMs)
    this.#demuxer.push(chunk)
  }

  /** The stream has ended: nothing waits any longer, and who joins gets what was last. */
  flush(): void {
    this.#hasEnded = true
    this.#demuxer.flush()
    this.#writer.flush()
  }

  /** Joins now if there is a key frame of a source that is there, or else at the next one. */
  add(receiver: FlvReceiver): void {
    const isAbsent = !this.#hasEnded && this.#host.nowMs() - this.#arrivedMs >= ABSENT_AFTER_MS
    if (this.#ring.isEmpty || isAbsent || this.#ring.sinceMs < this.#host.lostAtMs()) this.#waiting.add(receiver)
    else this.#join(receiver)
  }

  delete(receiver: FlvReceiver): void {
    this.#waiting.delete(receiver)
    this.#withoutVideo.delete(receiver)
    this.#receivers.delete(receiver)
  }

  isWaiting(receiver: FlvReceiver): boolean {
    return this.#waiting.has(receiver)
  }

  tag(tag: FlvTag): void {
    const type = tag.type as MediaType
    const timestampMs = this.#stampOf(tag)
    const body = tag.bytes.slice(tag.start, tag.end)
    const message = new MediaMessage(type, classOf(tag), timestampMs, body)
    this.#noteVideo(message)
    if (tag.isConfig) this.#configs.set(type, { type, body })
    else if (tag.isRandomAccess || !this.#isVideoAwaited(message)) this.#refreshMetadata()
    if (message.class === 'key') this.#ring.start(message, this.#headers(), this.#arrivedMs)
    // A group of pictures that has broken off is nothing to begin with.
    else if (this.#isVideoExpected && !this.#isVideoAwaited(message)) this.#ring.clear()
    else this.#ring.add(message)
    for (const receiver of this.#receivers) if (!this.#isUseless(message, receiver)) receiver.send(message)
    if (this.#waiting.size > 0 && !tag.isConfig) this.#admit(message)
  }

  leftOut({ id, kind, codec }: Track, reason: LeftOutReason): void {
    if (reason === 'codec') this.#noteCodec(kind, codec)
    else this.#tell(`${kind} ${id}`, kind, codec, reason)
  }

  #expectVideo(): void {
    if (this.#isVideoExpected) return
    this.#isVideoExpected = true
    this.#soundAloneMs = undefined
  }

  #noteVideo({ type, timestampMs, class: value }: MediaMessage): void {
    if (type === MESSAGE.video) this.#soundAloneMs = undefined
    else this.#soundAloneMs ??= timestampMs
    if (value === 'key') this.#withoutVideo.clear()
  }

  /** It is announced, and may still come. */
  #isVideoAwaited({ timestampMs }: MediaMessage): boolean {
    return this.#isVideoExpected && ((timestampMs - (this.#soundAloneMs ?? timestampMs)) | 0) < VIDEO_WAIT_MS
  }

  /** Video that can't be decoded without the key frame before it. */
  #isUseless({ class: value }: MediaMessage, receiver: FlvReceiver): boolean {
    return (value === 'inter' || value === 'disposable') && this.#withoutVideo.has(receiver)
  }

  #admit(message: MediaMessage): void {
    const isSoundAlone = message.type === MESSAGE.audio && (this.#ring.isOutgrown || !this.#isVideoAwaited(message))
    if (message.class !== 'key' && !isSoundAlone) return
    for (const receiver of this.#waiting) {
      if (isSoundAlone) {
        for (const header of stampedHeaders(this.#headers(), message.timestampMs)) receiver.send(header)
        receiver.send(message)
        this.#receivers.add(receiver)
        this.#withoutVideo.add(receiver)
      } else this.#join(receiver)
    }
    this.#waiting.clear()
  }

  #join(receiver: FlvReceiver): void {
    this.#receivers.add(receiver)
    this.#ring.send((message) => receiver.send(message, true))
  }

  /** The stamps of a type never go back. They are modulo 2^32. */
  #stampOf({ type, timestampMs }: FlvTag): number {
    const last = this.#lastMs.get(type) ?? timestampMs
    const stampMs = ((timestampMs - last) | 0) < 0 ? last : timestampMs
    this.#lastMs.set(type, stampMs)
    this.#newestMs = stampMs
    return stampMs
  }

  #headers(): readonly Header[] {
    const configs = [...this.#configs.values()]
    return this.#metadata === undefined ? configs : [this.#metadata, ...configs]
  }

  #refreshMetadata(): void {
    if (!this.#isMetadataStale) return
    this.#isMetadataStale = false
    const body = renderAmf0(['onMetaData', this.#writer.metadata(ENCODER)])
    this.#metadata = { type: MESSAGE.data, body }
    const message = metadataMessage(body)
    for (const receiver of this.#receivers) receiver.send(message)
  }

  /** A track has come, changed or gone; another one of its kind may be written now. */
  #change(kind: Track['kind'], change: () => void): void {
    const before = this.#writer.written(kind)
    change()
    this.#isMetadataStale = true
    const now = this.#writer.written(kind)
    if (before === undefined || (now?.id === before.id && now.codec === before.codec)) return
    this.#configs.delete(kind === 'video' ? MESSAGE.video : MESSAGE.audio)
    if (kind !== 'video') return
    this.#isVideoExpected = now !== undefined
    this.#ring.clear()
    for (const receiver of this.#receivers) this.#withoutVideo.add(receiver)
  }

  #noteCodec(kind: Track['kind'], codec: string): void {
    const name = `${kind} ${codec}`
    if (this.#leftOut.size < MOST_NAMES) this.#leftOut.add(name)
    this.#tell(name, kind, codec, 'codec')
  }

  #tell(key: string, kind: Track['kind'], codec: string, reason: LeftOutReason): void {
    if (this.#told.has(key) || this.#told.size >= MOST_NAMES) return
    this.#told.add(key)
    this.#host.leftOut(kind, codec, reason)
  }
}

function classOf({ type, isConfig, isRandomAccess, isDisposable }: FlvTag): MediaClass {
  if (isConfig) return 'headers'
  if (type === MESSAGE.audio) return 'audio'
  if (isRandomAccess) return 'key'
  return isDisposable ? 'disposable' : 'inter'
}
