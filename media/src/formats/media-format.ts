// What a stream says about how it is coded: the part of it that playlists and players need.

export interface MediaFormat {
  /** RFC 6381, as CODECS and media types have it. */
  readonly name: string
  /** Pixels that are shown. */
  readonly width?: number | undefined
  readonly height?: number | undefined
  /** Width of a sample by its height. By default samples are square, or nothing is said. */
  readonly sampleAspect?: number | undefined
  /** Pictures a second as the headers give it: two fields are one picture. */
  readonly frameRate?: number | undefined
  /** The headers say that it does not vary. */
  readonly isRateFixed?: boolean | undefined
  readonly isInterlaced?: boolean | undefined
  /** Hz. */
  readonly sampleRate?: number | undefined
  readonly channels?: number | undefined
}
