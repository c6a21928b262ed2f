// Where a decoder can start, ITU-T H.264: at an IDR picture, at a picture that a recovery point SEI message announces
// (D.1.8: open GOPs, and intra refresh, where it is a P picture), and at an I picture that comes with an SPS.

import { ANNOUNCEMENT, LEADING, OTHER, PARAMETER_SET, PICTURE } from '../mpegts/picture-rules.js'
import { setKeyOf } from '../mpegts/picture-rules.js'
import type { PictureRules } from '../mpegts/picture-rules.js'
import { RbspBitReader } from './rbsp.js'
import { hasRecoveryPoint } from './recovery-point.js'
import { readSliceType } from './slice-type.js'

/** nal_unit_type, table 7-1. */
const IDR_SLICE = 5
const SPS = 7
const PPS = 8
const SPS_EXTENSION = 13
const KINDS: Readonly<Record<number, number>> = {
  1: PICTURE,
  2: PICTURE, // data partition A, which has the slice header
  [IDR_SLICE]: PICTURE,
  6: ANNOUNCEMENT, // SEI
  [SPS]: PARAMETER_SET,
  [PPS]: PARAMETER_SET,
  9: LEADING, // access unit delimiter
  [SPS_EXTENSION]: PARAMETER_SET,
  15: PARAMETER_SET, // subset SPS
}

/** slice_type, table 7-6: this slice is I; all slices of the picture are I. */
const I_SLICE = 2
const ALL_I_SLICES = 7

/** Classes of parameter sets, in the order in which a decoder gets them. */
export const SPS_CLASS = 1
const SUBSET_SPS_CLASS = 2
export const PPS_CLASS = 3
const SPS_EXTENSION_CLASS = 4
const CLASSES: Readonly<Record<number, number>> = {
  [SPS]: SPS_CLASS,
  15: SUBSET_SPS_CLASS,
  [PPS]: PPS_CLASS,
  [SPS_EXTENSION]: SPS_EXTENSION_CLASS,
}
/** profile_idc, constraint flags, level_idc: before seq_parameter_set_id, 7.3.2.1.1. */
const PROFILE_SIZE = 3

export const H264_RULES: PictureRules = {
  kindOf: (first) => KINDS[first & 0x1f] ?? OTHER,
  headBytes: 2,
  // The NAL header, then first_mb_in_slice and slice_type: at most 31 and 7 bits in valid streams.
  pictureBytes: 12,
  // first_mb_in_slice is 0, which is one bit that is set.
  beginsPicture: (bytes, at, end) => at + 1 < end && (bytes[at + 1]! & 0x80) !== 0,
  isKey: (first) => (first & 0x1f) === IDR_SLICE,
  isIntra(unit, length) {
    const type = readSliceType(unit, 1, length)
    return type === I_SLICE || type === ALL_I_SLICES
  },
  announces: (unit, length) => hasRecoveryPoint(unit, 1, length),
  announcesInter: true,
  setKey(unit, length) {
    const type = unit[0]! & 0x1f
    const hasProfile = type === SPS || type === 15
    return setKeyOf(CLASSES[type]!, new RbspBitReader(unit, hasProfile ? 1 + PROFILE_SIZE : 1, length).readUe())
  },
  setParent(unit, length) {
    if ((unit[0]! & 0x1f) !== PPS) return -1
    const bits = new RbspBitReader(unit, 1, length)
    return bits.readUe() < 0 ? -1 : setKeyOf(SPS_CLASS, bits.readUe())
  },
  neededClasses: [SPS_CLASS, PPS_CLASS],
}
