// Whether a decoder can start at an access unit of MPEG-1 or MPEG-2 video, ISO/IEC 13818-2 6.1.1.6: it can if a
// sequence header precedes the picture.

import { NOT_RANDOM_ACCESS, RANDOM_ACCESS_PICTURE, UNDECIDED } from '../mpegts/picture.js'
import { nextStartCode } from '../mpegts/start-code.js'

/** Start code values, table 6-1. */
const PICTURE = 0x00
const SEQUENCE_HEADER = 0xb3

/**
 * Classifies the access unit whose bytes begin at `start` and are known up to `end`; `complete`: no more bytes will
 * arrive. The first sequence header or picture decides. Returns one of the values in picture.ts.
 */
export function classifyMpeg2(bytes: Uint8Array, start: number, end: number, complete: boolean): number {
  for (let at = nextStartCode(bytes, start, end); at >= 0; at = nextStartCode(bytes, at, end)) {
    if (bytes[at] === SEQUENCE_HEADER) return RANDOM_ACCESS_PICTURE
    if (bytes[at] === PICTURE) return NOT_RANDOM_ACCESS
  }
  return complete ? NOT_RANDOM_ACCESS : UNDECIDED
}
