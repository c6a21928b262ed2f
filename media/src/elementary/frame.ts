/** One access unit (video) or one audio frame. */
import type { Track } from './track.js'

/** One object is used again for every call: it and its bytes are valid during the call only. */
export interface Frame {
  track: Track
  bytes: Uint8Array
  /**
   * Pairs of start and end in `bytes`: NAL units without start codes or lengths (H.264, H.265), OBUs (AV1); the raw
   * frame without ADTS (audio): one pair.
   */
  units: Int32Array
  unitCount: number
  /** Unwrapped, 90 kHz; a plain number, which need not be whole. */
  pts90k: number
  dts90k: number
  isRandomAccess: boolean
  /** No other picture refers to it. */
  isDisposable: boolean
}
