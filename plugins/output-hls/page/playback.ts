// What the controls need of whatever plays the stream: hls.js, or the browser itself.

export interface Playback {
  readonly engine: 'hls.js' | 'native'
  /** From the oldest picture to the newest, in the time of the video element; undefined before there is any. */
  readonly range: TimeRange | undefined
  /** Where a viewer who joins now begins. */
  readonly livePosition: number | undefined
  /** Seconds between the newest picture of the source and the one that is shown. */
  readonly latencySeconds: number | undefined
  /** Bits per second of the media that is shown. */
  readonly bitrate: number | undefined
  /** The time of day at which the picture was sent; undefined if the stream does not say. */
  dateAt(time: number): Date | undefined
  readonly qualities: readonly Choice[]
  readonly quality: number
  setQuality(value: number): void
  readonly audioTracks: readonly Choice[]
  readonly audioTrack: number
  setAudioTrack(value: number): void
  /** Loads the multivariant playlist again. */
  reload(): void
}

export interface TimeRange {
  readonly start: number
  readonly end: number
}

export interface Choice {
  readonly value: number
  readonly label: string
}

export interface PlaybackEvents {
  /** Choices may have changed. */
  onChoices(): void
  /** Undefined: all is well. */
  onTrouble(trouble: Trouble | undefined): void
  /** The playlist has ended, and all of it has been played. */
  onEnded(): void
}

/** Why nothing plays. */
export type Trouble =
  | { readonly kind: 'network'; readonly status: number; readonly answer: string }
  | { readonly kind: 'media' }
  | { readonly kind: 'formats' }
