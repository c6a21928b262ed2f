/** A track of an elementary stream: what FLV, RTMP and MPEG-TS have in common. */

/** The codecs that a track can carry. */
export type Codec = 'h264' | 'h265' | 'av1' | 'aac' | 'mp3' | 'mp2' | 'ac3' | 'eac3' | 'opus'

/** Whoever changes a track's configuration makes a new object with the same id. */
export interface Track {
  /** Unique within its stream. */
  readonly id: number
  readonly kind: 'video' | 'audio'
  readonly codec: Codec
  /** Decoder configuration out of band: avcC, hvcC, av1C, AudioSpecificConfig, OpusHead; empty where the codec has none. */
  readonly config: Uint8Array
  /** ISO 639-2, three letters. */
  readonly language?: string
}
