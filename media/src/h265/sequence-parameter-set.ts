// The sequence parameter set of H.265, ITU-T H.265 7.3.2.2.1 and E.2.1: profile, size and frame rate.
import type { MediaFormat } from '../formats/media-format.js'
import { RbspBitReader } from '../h264/rbsp.js'
import { readPictureProperties } from '../h264/sequence-parameter-set.js'
import { readProfileName } from './profile-tier-level.js'
import { skipReferenceSets } from './reference-picture-sets.js'

const NAL_HEADER_SIZE = 2
const CHROMA_444 = 3
/** bit_depth_luma_minus8, 7.4.3.2.1. */
const MAX_DEPTH = 7
const MAX_LONG_TERM = 32
/** More than any level allows. */
const MAX_SIZE = 16_384
/** scaling_list_data( ), 7.3.4: sizes of lists, lists of a size, coefficients of a list. */
const LIST_SIZES = 4
const LISTS = 6
const MAX_COEFFICIENTS = 64

/** `nal[start, end)` is the NAL unit with its header, without start code. Undefined if it is damaged. */
export function parseH265Sps(nal: Uint8Array, start: number, end: number): MediaFormat | undefined {
  const bits = new RbspBitReader(nal, start + NAL_HEADER_SIZE, end)
  bits.skip(4) // sps_video_parameter_set_id
  const subLayers = bits.readBits(3)
  bits.readBit() // sps_temporal_id_nesting_flag
  const name = readProfileName(bits, subLayers)
  bits.readUe() // sps_seq_parameter_set_id
  const size = readSize(bits)
  if (bits.hasFailed || size === undefined) return undefined
  const timing = readTiming(bits, subLayers)
  return { name, ...size, ...(bits.hasFailed ? undefined : timing) }
}

/** What hvcC repeats: `bits` stands behind the NAL header. Undefined if it is damaged. */
export function readSpsFormat(bits: RbspBitReader) {
  bits.skip(4) // sps_video_parameter_set_id
  const subLayers = bits.readBits(3)
  const isNested = bits.readFlag()
  readProfileName(bits, subLayers)
  bits.readUe() // sps_seq_parameter_set_id
  const chroma = bits.readUe()
  if (chroma === CHROMA_444) bits.readBit() // separate_colour_plane_flag
  bits.readUe()
  bits.readUe()
  if (bits.readFlag()) for (let side = 0; side < 4; side++) bits.readUe()
  const [luma, chromaDepth] = [bits.readUe(), bits.readUe()]
  const isPossible = !bits.hasFailed && chroma <= CHROMA_444 && luma <= MAX_DEPTH && chromaDepth <= MAX_DEPTH
  return isPossible ? { subLayers, isNested, chroma, luma, chromaDepth } : undefined
}

/** Without what the conformance window leaves out. */
function readSize(bits: RbspBitReader) {
  const chroma = bits.readUe()
  if (chroma === CHROMA_444) bits.readBit() // separate_colour_plane_flag
  const codedWidth = bits.readUe()
  const codedHeight = bits.readUe()
  const [left, right, top, bottom] = bits.readFlag()
    ? [bits.readUe(), bits.readUe(), bits.readUe(), bits.readUe()]
    : [0, 0, 0, 0]
  const width = codedWidth - (chroma === 1 || chroma === 2 ? 2 : 1) * (left + right)
  const height = codedHeight - (chroma === 1 ? 2 : 1) * (top + bottom)
  return width > 0 && height > 0 && width <= MAX_SIZE && height <= MAX_SIZE ? { width, height } : undefined
}

function readTiming(bits: RbspBitReader, subLayers: number) {
  bits.readUe()
  bits.readUe() // bit depths
  const orderBits = bits.readUe() + 4
  const listed = bits.readFlag() ? subLayers + 1 : 1
  skipCodes(bits, 3 * listed)
  skipCodes(bits, 6) // sizes of blocks, depths of transform trees
  if (bits.readFlag() && bits.readFlag()) skipScalingLists(bits)
  bits.skip(2) // amp_enabled_flag, sample_adaptive_offset_enabled_flag
  if (bits.readFlag()) {
    bits.skip(8) // PCM bit depths
    skipCodes(bits, 2)
    bits.readBit()
  }
  skipReferenceSets(bits)
  if (bits.readFlag()) {
    const pictures = Math.min(bits.readUe(), MAX_LONG_TERM)
    for (let at = 0; at < pictures && !bits.hasFailed; at++) bits.skip(Math.min(orderBits, 16) + 1)
  }
  bits.skip(2) // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
  return bits.readFlag() ? readUsability(bits) : undefined
}

function readUsability(bits: RbspBitReader) {
  const properties = readPictureProperties(bits)
  bits.readBit() // neutral_chroma_indication_flag
  const areFields = bits.readFlag()
  bits.readBit() // frame_field_info_present_flag
  if (bits.readFlag()) skipCodes(bits, 4) // default display window
  if (!bits.readFlag()) return { ...properties, isInterlaced: areFields }
  const rate = readPictureRate(bits)
  return { ...properties, isInterlaced: areFields, frameRate: rate && (areFields ? rate / 2 : rate) }
}

/** num_units_in_tick and time_scale: of pictures, so of fields where fields are coded. */
export function readPictureRate(bits: RbspBitReader): number | undefined {
  const tick = bits.readBits(32)
  const scale = bits.readBits(32)
  return tick > 0 && scale > 0 ? scale / tick : undefined
}

function skipCodes(bits: RbspBitReader, count: number): void {
  for (let left = count; left > 0 && !bits.hasFailed; left--) bits.readUe()
}

function skipScalingLists(bits: RbspBitReader): void {
  for (let size = 0; size < LIST_SIZES; size++) {
    for (let list = 0; list < LISTS && !bits.hasFailed; list += size === 3 ? 3 : 1) {
      if (!bits.readFlag()) bits.readUe()
      else skipCodes(bits, Math.min(MAX_COEFFICIENTS, 1 << (4 + (size << 1))) + (size > 1 ? 1 : 0))
    }
  }
}
