// How the frames of an audio codec lie in an elementary stream: what a demuxer needs to cut them out and to count their
// samples. One object for each track; it is used again for every frame, without allocation.
import type { Codec } from '../elementary/index.js'

/** More bytes are needed to tell. */
export const UNKNOWN = 0
/** No frame begins here. */
export const NO_FRAME = -1

export interface AudioSyntax {
  /** Of the frame that `extract` took last. */
  readonly codec: Codec
  readonly payload: Uint8Array
  readonly payloadStart: number
  readonly payloadEnd: number
  readonly samples: number
  readonly sampleRate: number
  /** Changes whenever `renderConfig` would give something else. */
  readonly configKey: number
  /**
   * Bytes from the beginning of the frame at `at` to its end, which may be past `end`; UNKNOWN or NO_FRAME. `isLast`: no
   * bytes will follow that belong to this frame.
   */
  measure(bytes: Uint8Array, at: number, end: number, isLast: boolean): number
  /** Takes the frame of that size; false if it can't be used. */
  extract(bytes: Uint8Array, at: number, size: number): boolean
  renderConfig(): Uint8Array
  /** The codec by name, once it is certain that its frames can't be used. By default frames are damaged. */
  readonly refusal?: string | undefined
}
