// Whether a decoder can start at an access unit, ITU-T H.265 table 7-1: at an IRAP picture (BLA, IDR, CRA).

import { NOT_RANDOM_ACCESS, RANDOM_ACCESS_PICTURE, UNDECIDED } from '../mpegts/picture.js'
import { nextStartCode } from '../mpegts/start-code.js'

/** nal_unit_type: the range of IRAP pictures, including the two reserved types, and the last slice type. */
const FIRST_IRAP = 16
const LAST_IRAP = 23
const LAST_SLICE = 31
const NAL_HEADER_SIZE = 2

/**
 * Classifies the access unit whose bytes begin at `start` (annex B) and are known up to `end`; `complete`: no more
 * bytes will arrive. The first slice of the base layer decides. Returns one of the values in picture.ts.
 */
export function classifyH265(bytes: Uint8Array, start: number, end: number, complete: boolean): number {
  let nal = nextStartCode(bytes, start, end)
  while (nal >= 0 && nal + NAL_HEADER_SIZE <= end) {
    const type = (bytes[nal]! >>> 1) & 0x3f
    if (type <= LAST_SLICE && readLayerId(bytes, nal) === 0) {
      return type >= FIRST_IRAP && type <= LAST_IRAP ? RANDOM_ACCESS_PICTURE : NOT_RANDOM_ACCESS
    }
    nal = nextStartCode(bytes, nal, end)
  }
  return complete ? NOT_RANDOM_ACCESS : UNDECIDED
}

/** nuh_layer_id, 7.3.1.2; values above 0 are enhancement layers, annexes F to I. */
function readLayerId(bytes: Uint8Array, nal: number): number {
  return ((bytes[nal]! & 1) << 5) | (bytes[nal + 1]! >>> 3)
}
