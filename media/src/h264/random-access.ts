// Whether a decoder can start at an access unit, ITU-T H.264: at an IDR picture, or at a picture of I slices announced
// by a recovery point SEI message (D.1.8), which is how open GOPs begin.

import { NOT_RANDOM_ACCESS, RANDOM_ACCESS_PICTURE, UNDECIDED } from '../mpegts/picture.js'
import { nextStartCode, START_CODE_SIZE } from '../mpegts/start-code.js'
import { hasRecoveryPoint } from './recovery-point.js'
import { readSliceType, SLICE_TYPE_TRUNCATED } from './slice-type.js'

/** nal_unit_type, table 7-1. */
const SLICE = 1
const IDR_SLICE = 5
const SEI = 6

/** slice_type, table 7-6: this slice is I; all slices of the picture are I. */
const I_SLICE = 2
const ALL_I_SLICES = 7

/**
 * Classifies the access unit whose bytes begin at `start` (annex B) and are known up to `end`; `complete`: no more
 * bytes will arrive. The first slice decides. Returns one of the values in picture.ts.
 */
export function classifyH264(bytes: Uint8Array, start: number, end: number, complete: boolean): number {
  let recoveryPoint = false
  let nal = nextStartCode(bytes, start, end)
  while (nal >= 0) {
    const type = bytes[nal]! & 0x1f
    if (type === IDR_SLICE) return RANDOM_ACCESS_PICTURE
    if (type === SLICE && recoveryPoint) return classifySlice(readSliceType(bytes, nal + 1, end), complete)
    if (type >= SLICE && type < IDR_SLICE) return NOT_RANDOM_ACCESS
    const next = nextStartCode(bytes, nal, end)
    if (type === SEI && next >= 0) recoveryPoint ||= hasRecoveryPoint(bytes, nal + 1, next - START_CODE_SIZE)
    nal = next
  }
  return complete ? NOT_RANDOM_ACCESS : UNDECIDED
}

function classifySlice(sliceType: number, complete: boolean): number {
  if (sliceType === SLICE_TYPE_TRUNCATED && !complete) return UNDECIDED
  return sliceType === I_SLICE || sliceType === ALL_I_SLICES ? RANDOM_ACCESS_PICTURE : NOT_RANDOM_ACCESS
}
