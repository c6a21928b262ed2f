// Plays with the browser's own HLS, where it has no Media Source Extensions: older iPhones, some sets.
import type { Choice, Playback, PlaybackEvents, TimeRange } from './playback.js'

const RETRY_MS = 2000
/** Players begin three target durations behind the newest segment; the element does not tell how long that is. */
const USUAL_DISTANCE_S = 9

export class NativePlayback implements Playback {
  readonly engine = 'native'
  readonly latencySeconds = undefined
  readonly bitrate = undefined
  readonly qualities: readonly Choice[] = []
  readonly quality = 0
  readonly audioTracks: readonly Choice[] = []
  readonly audioTrack = 0
  readonly #video: HTMLVideoElement
  readonly #url: string

  constructor(video: HTMLVideoElement, url: string, events: PlaybackEvents) {
    this.#video = video
    this.#url = url
    video.addEventListener('error', () => {
      const isFormat = video.error?.code === MediaError.MEDIA_ERR_DECODE
      events.onTrouble(isFormat ? { kind: 'media' } : { kind: 'network', status: 0, answer: '' })
      setTimeout(() => this.reload(), RETRY_MS * (0.75 + Math.random() / 2))
    })
    video.addEventListener('playing', () => events.onTrouble(undefined))
    video.src = url
  }

  get range(): TimeRange | undefined {
    const { seekable } = this.#video
    return seekable.length === 0 ? undefined : { start: seekable.start(0), end: seekable.end(seekable.length - 1) }
  }

  get livePosition(): number | undefined {
    const { range } = this
    return range === undefined ? undefined : Math.max(range.start, range.end - USUAL_DISTANCE_S)
  }

  /** Safari alone knows it. */
  dateAt(time: number): Date | undefined {
    const video: HTMLVideoElement & { getStartDate?(): Date } = this.#video
    const startMs = video.getStartDate?.().getTime() ?? Number.NaN
    return Number.isNaN(startMs) ? undefined : new Date(startMs + time * 1000)
  }

  setQuality(): void {}

  setAudioTrack(): void {}

  reload(): void {
    this.#video.src = this.#url
    this.#video.play().catch(() => undefined)
  }
}
