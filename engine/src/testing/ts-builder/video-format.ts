// What the writers of coded pictures need to know about a video track.

/**
 * What each GOP starts with: an IDR picture; an I picture with a recovery point SEI message (open GOP; H.265:
 * CRA; MPEG-2: closed_gop 0); P slices with a recovery point SEI message (gradual refresh, H.264 only); or P slices
 * alone. The last two are not random access points.
 */
export type KeyPicture = 'idr' | 'recoveryPoint' | 'refresh' | 'none'

export interface VideoFormat {
  /** In pixels, a multiple of 16. */
  readonly width: number
  readonly height: number
  readonly fps: number
  readonly bFrames: number
  readonly keyPicture: KeyPicture
}
