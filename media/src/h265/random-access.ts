// Where a decoder can start, ITU-T H.265 table 7-1: at an IRAP picture (BLA, IDR, CRA; it leaves out the RASL pictures
// that follow a CRA), and at a picture that a recovery point SEI message announces (D.2.8: intra refresh).

import { RbspBitReader } from '../h264/rbsp.js'
import { hasRecoveryPoint } from '../h264/recovery-point.js'
import { ANNOUNCEMENT, LEADING, OTHER, PARAMETER_SET, PICTURE } from '../mpegts/picture-rules.js'
import { setKeyOf } from '../mpegts/picture-rules.js'
import type { PictureRules } from '../mpegts/picture-rules.js'

/** nal_unit_type: the range of IRAP pictures, including the two reserved types, and the last slice type. */
const FIRST_IRAP = 16
const LAST_IRAP = 23
const LAST_SLICE = 31
const VPS = 32
const SPS = 33
const PPS = 34
const DELIMITER = 35
const PREFIX_SEI = 39
const NAL_HEADER_SIZE = 2

/** Classes of parameter sets, in the order in which a decoder gets them. */
export const VPS_CLASS = 1
export const SPS_CLASS = 2
export const PPS_CLASS = 3

/** general_profile_space to general_level_idc, 7.3.3; the same without the level for each sub-layer. */
const PROFILE_BITS = 88
const LEVEL_BITS = 8

export const H265_RULES: PictureRules = {
  kindOf(first) {
    const type = typeOf(first)
    if (type <= LAST_SLICE) return PICTURE
    if (type <= PPS) return PARAMETER_SET
    if (type === PREFIX_SEI) return ANNOUNCEMENT
    // 7.4.2.4.4: the delimiter, and the reserved and unspecified types that may only precede a picture.
    return type === DELIMITER || (type >= 41 && type <= 44) || (type >= 48 && type <= 55) ? LEADING : OTHER
  },
  headBytes: NAL_HEADER_SIZE + 1,
  pictureBytes: NAL_HEADER_SIZE + 1,
  // first_slice_segment_in_pic_flag; other layers belong to the picture of the base layer.
  beginsPicture: (bytes, at, end) =>
    at + NAL_HEADER_SIZE < end && layerOf(bytes, at) === 0 && (bytes[at + NAL_HEADER_SIZE]! & 0x80) !== 0,
  isKey(first) {
    const type = typeOf(first)
    return type >= FIRST_IRAP && type <= LAST_IRAP
  },
  // slice_type lies behind what the PPS adds to the header; encoders announce what is not IRAP.
  isIntra: () => false,
  announces: (unit, length) => hasRecoveryPoint(unit, NAL_HEADER_SIZE, length),
  announcesInter: true,
  setKey(unit, length) {
    if (length <= NAL_HEADER_SIZE || layerOf(unit, 0) !== 0) return -1
    const type = typeOf(unit[0]!)
    if (type === VPS) return setKeyOf(VPS_CLASS, unit[NAL_HEADER_SIZE]! >>> 4)
    const bits = new RbspBitReader(unit, NAL_HEADER_SIZE, length)
    if (type === PPS) return setKeyOf(PPS_CLASS, bits.readUe())
    return skipToSpsId(bits) ? setKeyOf(SPS_CLASS, bits.readUe()) : -1
  },
  setParent(unit, length) {
    if (typeOf(unit[0]!) === SPS) return setKeyOf(VPS_CLASS, unit[NAL_HEADER_SIZE]! >>> 4)
    if (typeOf(unit[0]!) !== PPS) return -1
    const bits = new RbspBitReader(unit, NAL_HEADER_SIZE, length)
    return bits.readUe() < 0 ? -1 : setKeyOf(SPS_CLASS, bits.readUe())
  },
  neededClasses: [SPS_CLASS, VPS_CLASS, PPS_CLASS],
}

function typeOf(first: number): number {
  return (first >>> 1) & 0x3f
}

/** nuh_layer_id, 7.3.1.2; values above 0 are enhancement layers, annexes F to I. */
function layerOf(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! & 1) << 5) | (bytes[at + 1]! >>> 3)
}

/** Moves to sps_seq_parameter_set_id, 7.3.2.2.1; false if the bytes end before it. */
function skipToSpsId(bits: RbspBitReader): boolean {
  if (!bits.skip(4)) return false
  const subLayers = bits.readBit() * 4 + bits.readBit() * 2 + bits.readBit()
  if (subLayers < 0 || !bits.skip(1 + PROFILE_BITS + LEVEL_BITS)) return false
  if (subLayers === 0) return true
  let left = 0
  for (let layer = 0; layer < 8; layer++) {
    const [hasProfile, hasLevel] = [bits.readBit(), bits.readBit()]
    if (layer < subLayers) left += (hasProfile === 1 ? PROFILE_BITS : 0) + (hasLevel === 1 ? LEVEL_BITS : 0)
  }
  return bits.skip(left)
}
