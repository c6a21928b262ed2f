// The sequence parameter set of H.264, ITU-T H.264 7.3.2.1.1 and E.1.1: profile, size and frame rate.
import type { MediaFormat } from '../formats/media-format.js'
import { plausibleAspect } from '../formats/sample-aspect.js'
import { RbspBitReader } from './rbsp.js'

/** Profiles of which the SPS has chroma format and bit depths. */
const HIGH_PROFILES: readonly number[] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]
const EXTENDED_SAR = 255
/** aspect_ratio_idc from 2 on, table E-1; 1 is square. */
const SAMPLE_ASPECTS = [
  ...[12 / 11, 10 / 11, 16 / 11, 40 / 33, 24 / 11, 20 / 11, 32 / 11, 80 / 33],
  ...[18 / 11, 15 / 11, 64 / 33, 160 / 99, 4 / 3, 3 / 2, 2],
]
const FIRST_ASPECT = 2
const MACROBLOCK = 16
const CHROMA_444 = 3
/** bit_depth_luma_minus8, 7.4.2.1.1. */
const MAX_DEPTH = 6
/** log2_max_frame_num, 7.4.2.1.1. */
const MOST_FRAME_NUMBER_BITS = 16
/** num_ref_frames_in_pic_order_cnt_cycle, 7.4.2.1.1. */
const MAX_CYCLE = 255
/** More than any level allows. */
const MAX_SIZE = 16_384

/** `nal[start, end)` is the NAL unit with its first byte, without start code. Undefined if it is damaged. */
export function parseH264Sps(nal: Uint8Array, start: number, end: number): MediaFormat | undefined {
  const bits = new RbspBitReader(nal, start + 1, end)
  const profile = bits.readBits(8)
  const constraints = bits.readBits(8)
  const level = bits.readBits(8)
  bits.readUe() // seq_parameter_set_id
  const chroma = HIGH_PROFILES.includes(profile) ? readChroma(bits) : 1
  skipOrderCount(bits)
  const size = readSize(bits, chroma)
  if (bits.hasFailed || size === undefined) return undefined
  const shown = bits.readFlag() ? readVui(bits) : undefined
  const name = `avc1.${[profile, constraints, level].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
  return { name, ...size, ...(bits.hasFailed ? undefined : shown) }
}

/** What the header of a slice depends on. */
export interface SpsFields {
  /** frame_mbs_only_flag: no picture is a field. */
  readonly isFrameOnly: boolean
  /** separate_colour_plane_flag. */
  readonly hasPlanes: boolean
  /** Of frame_num. */
  readonly frameNumberBits: number
}

/** As `parseH264Sps`. */
export function readSpsFields(nal: Uint8Array, start: number, end: number): SpsFields | undefined {
  const bits = new RbspBitReader(nal, start + 1, end)
  const profile = bits.readBits(8)
  bits.skip(16)
  bits.readUe() // seq_parameter_set_id
  const chroma = HIGH_PROFILES.includes(profile) ? readPlanes(bits) : { hasPlanes: false }
  const frameNumberBits = skipOrderCount(bits) + 4
  bits.readUe()
  bits.readUe() // pic_width_in_mbs_minus1, pic_height_in_map_units_minus1
  const isFrameOnly = bits.readFlag()
  if (bits.hasFailed || frameNumberBits > MOST_FRAME_NUMBER_BITS) return undefined
  return { isFrameOnly, hasPlanes: chroma.hasPlanes, frameNumberBits }
}

/** chroma_format_idc and the two bit depths less 8; `bits` stands at profile_idc. Undefined if they are damaged. */
export function readSpsDepths(bits: RbspBitReader) {
  const profile = bits.readBits(8)
  bits.skip(16)
  bits.readUe() // seq_parameter_set_id
  if (!HIGH_PROFILES.includes(profile)) return { chroma: 1, luma: 0, chromaDepth: 0 }
  const chroma = bits.readUe()
  if (chroma === CHROMA_444) bits.readBit() // separate_colour_plane_flag
  const [luma, chromaDepth] = [bits.readUe(), bits.readUe()]
  const isPossible = !bits.hasFailed && chroma <= CHROMA_444 && luma <= MAX_DEPTH && chromaDepth <= MAX_DEPTH
  return isPossible ? { chroma, luma, chromaDepth } : undefined
}

/** chroma_format_idc; planes that are coded apart count as 4:4:4, whose samples are cropped alike. */
function readChroma(bits: RbspBitReader): number {
  return readPlanes(bits).format
}

function readPlanes(bits: RbspBitReader): { readonly format: number; readonly hasPlanes: boolean } {
  const format = bits.readUe()
  const hasPlanes = format === CHROMA_444 && bits.readFlag() // separate_colour_plane_flag
  bits.readUe()
  bits.readUe()
  bits.readBit() // bit depths, qpprime_y_zero_transform_bypass_flag
  if (!bits.readFlag()) return { format, hasPlanes }
  const lists = format === CHROMA_444 ? 12 : 8
  for (let list = 0; list < lists; list++) if (bits.readFlag()) skipScalingList(bits, list < 6 ? 16 : 64)
  return { format, hasPlanes }
}

/** 7.3.2.1.1.1. */
function skipScalingList(bits: RbspBitReader, size: number): void {
  let last = 8
  for (let at = 0; at < size && !bits.hasFailed; at++) {
    const next = (last + bits.readSe() + 256) % 256
    if (next === 0) return
    last = next
  }
}

/** Returns log2_max_frame_num_minus4. */
function skipOrderCount(bits: RbspBitReader): number {
  const frameNumber = bits.readUe()
  const type = bits.readUe()
  if (type === 0) bits.readUe()
  if (type === 1) {
    bits.readBit()
    bits.readSe()
    bits.readSe()
    const cycle = Math.min(bits.readUe(), MAX_CYCLE)
    for (let at = 0; at < cycle && !bits.hasFailed; at++) bits.readSe()
  }
  bits.readUe() // max_num_ref_frames
  bits.readBit() // gaps_in_frame_num_value_allowed_flag
  return frameNumber
}

/** Without what is cropped, 7.4.2.1.1. */
function readSize(bits: RbspBitReader, chroma: number) {
  const columns = bits.readUe() + 1
  const rows = bits.readUe() + 1
  const isFrameOnly = bits.readFlag()
  if (!isFrameOnly) bits.readBit() // mb_adaptive_frame_field_flag
  bits.readBit() // direct_8x8_inference_flag
  const fields = isFrameOnly ? 1 : 2
  const [left, right, top, bottom] = bits.readFlag()
    ? [bits.readUe(), bits.readUe(), bits.readUe(), bits.readUe()]
    : [0, 0, 0, 0]
  const unitX = chroma === 1 || chroma === 2 ? 2 : 1
  const unitY = (chroma === 1 ? 2 : 1) * fields
  const width = columns * MACROBLOCK - unitX * (left + right)
  const height = rows * MACROBLOCK * fields - unitY * (top + bottom)
  const isPossible = width > 0 && height > 0 && width <= MAX_SIZE && height <= MAX_SIZE
  return isPossible ? { width, height, isInterlaced: !isFrameOnly } : undefined
}

/** VUI up to the timing: one frame is two ticks, E.2.1. */
function readVui(bits: RbspBitReader) {
  const properties = readPictureProperties(bits)
  if (!bits.readFlag()) return properties
  const tick = bits.readBits(32)
  const scale = bits.readBits(32)
  const isRateFixed = bits.readFlag()
  return tick > 0 && scale > 0 ? { ...properties, frameRate: scale / (2 * tick), isRateFixed } : properties
}

/** Aspect ratio, overscan, signal type and chroma location: the same in H.265, E.2.1. Nothing of square samples. */
export function readPictureProperties(bits: RbspBitReader): { readonly sampleAspect?: number } {
  const sampleAspect = bits.readFlag() ? readSampleAspect(bits) : 1
  if (bits.readFlag()) bits.readBit() // overscan_appropriate_flag
  if (bits.readFlag()) {
    bits.skip(4) // video_format, video_full_range_flag
    if (bits.readFlag()) bits.skip(24) // colour description
  }
  if (bits.readFlag()) {
    bits.readUe()
    bits.readUe()
  }
  return sampleAspect === 1 ? {} : { sampleAspect }
}

/** 1 if it is not said. */
function readSampleAspect(bits: RbspBitReader): number {
  const index = bits.readBits(8)
  if (index !== EXTENDED_SAR) return SAMPLE_ASPECTS[index - FIRST_ASPECT] ?? 1
  const [width, height] = [bits.readBits(16), bits.readBits(16)]
  return plausibleAspect(width / height)
}
