// What the writers of coded pictures need to know about a video track.

/**
 * What each GOP starts with: an IDR picture; an I picture with a recovery point SEI message (open GOP; H.265: CRA;
 * MPEG-2: closed_gop 0); P slices with a recovery point SEI message (intra refresh, H.264 only); or P slices alone,
 * which are no random access point.
 */
export type KeyPicture = 'idr' | 'recoveryPoint' | 'refresh' | 'none'

export interface VideoFormat {
  /** In pixels, a multiple of 16. */
  readonly width: number
  readonly height: number
  readonly fps: number
  readonly bFrames: number
  readonly keyPicture: KeyPicture
  /** With closed captions. */
  readonly captions?: boolean
}

export interface VideoPacking {
  /** Pictures in each PES packet. Default 1. */
  readonly pictures?: number
  /** The PES packets have this many bytes of video, wherever pictures begin. By default they end with a picture. */
  readonly pesBytes?: number
  /** Parameter sets are in PES packets of their own, in front of the picture. Default false. */
  readonly setsApart?: boolean
  /** Parameter sets are sent with the first key picture only. Default false. */
  readonly setsOnce?: boolean
  /** With access unit delimiters. Default true. */
  readonly delimiters?: boolean
  /** Start codes of three bytes (H.264, H.265). Default: as they are. */
  readonly shortStartCodes?: boolean
  /** random_access_indicator on every PES packet. Default false. */
  readonly indicateAll?: boolean
}

/** One picture, or field, in sending order. */
export interface CodedPicture {
  readonly bytes: Uint8Array
  /** Not wrapped. */
  readonly pts90k: number
  readonly dts90k: number
  readonly key: boolean
}
