// What is known of the source when an encoder starts.

/** Undefined values are not known. */
export interface SourcePicture {
  readonly width: number | undefined
  readonly height: number | undefined
  /** Width of a sample by its height. By default samples are square. */
  readonly sampleAspect?: number
  /** Codec and profile, RFC 6381: with the profile the depth of the samples changes. */
  readonly format?: string
}

interface SourceAudio {
  readonly slot: number
  /** ISO 639-2, or empty; as the source says it. */
  readonly language: string
}

export interface EncoderSource {
  readonly hasVideo: boolean
  /** The audio tracks, by slot. */
  readonly audio: readonly SourceAudio[]
  /** Of the picture, as far as it is known. */
  readonly picture: SourcePicture
  /** When its first picture is shown, 90 kHz; -1 if that is not known. */
  readonly pts90k: number
}
