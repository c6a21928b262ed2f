// Renders H.265 access units with complete headers (VPS, SPS, PPS, slice segment header: ITU-T H.265 clause 7.3) and
// slice data that no decoder can use: for demuxers, parsers and anything else that reads no more than headers.
import { BitWriter } from './bit-writer.js'
import { concatBytes, renderNal } from './nal-units.js'
import type { Picture } from './picture-order.js'
import type { VideoFormat } from './video-format.js'

const NAL_TRAIL_N = 0
const NAL_TRAIL_R = 1
const NAL_RASL_N = 8
const NAL_IDR_W_RADL = 19
const NAL_CRA = 21
const NAL_VPS = 32
const NAL_SPS = 33
const NAL_PPS = 34
const NAL_AUD = 35
const SLICE_TYPE = { B: 0, P: 1, I: 2 } as const

/** Returns a function that renders the pictures of one track in sending order. */
export function h265Pictures(format: VideoFormat): (picture: Picture, sizeBytes: number) => Uint8Array {
  let keyDisplay = 0
  let idrDisplay = 0
  return (picture, sizeBytes) => {
    const parts = [renderNal(header(NAL_AUD), Uint8Array.of(0x50))]
    if (picture.key) {
      keyDisplay = picture.display
      if (format.keyPicture === 'idr') idrDisplay = picture.display
      parts.push(renderNal(header(NAL_VPS), renderVps(format)))
      parts.push(renderNal(header(NAL_SPS), renderSps(format)), renderNal(header(NAL_PPS), renderPps()))
    }
    const nalType = nalTypeOf(picture, format, keyDisplay)
    const before = parts.reduce((sum, part) => sum + part.length, 0)
    const slice = renderSliceHeader(picture, nalType, idrDisplay)
    const data = fillSliceData(Math.max(16, sizeBytes - before - slice.length - 6), picture.decode)
    parts.push(renderNal(header(nalType), concatBytes([slice, data])))
    return concatBytes(parts)
  }
}

function header(nalType: number): readonly [number, number] {
  return [nalType << 1, 1]
}

function nalTypeOf(picture: Picture, format: VideoFormat, keyDisplay: number): number {
  if (picture.key && format.keyPicture === 'idr') return NAL_IDR_W_RADL
  if (picture.key && format.keyPicture === 'recoveryPoint') return NAL_CRA
  if (picture.type !== 'B') return NAL_TRAIL_R
  return format.keyPicture === 'recoveryPoint' && picture.display < keyDisplay ? NAL_RASL_N : NAL_TRAIL_N
}

/** profile_tier_level of the Main profile, level 3.1: clause 7.3.3. */
function writeProfile(writer: BitWriter): void {
  writer.fields([0, 2], [0, 1], [1, 5], [0x60000000, 32], [0b1011, 4], [0, 32], [0, 12], [93, 8])
}

function renderVps(format: VideoFormat): Uint8Array {
  const writer = new BitWriter().fields([0, 4], [3, 2], [0, 6], [0, 3], [1, 1], [0xffff, 16])
  writeProfile(writer)
  writer.bits(1, 1).ue(2, format.bFrames > 0 ? 1 : 0, 0)
  return writer.bits(0, 6).ue(0).fields([0, 1], [0, 1]).trailing().toBytes()
}

function renderSps(format: VideoFormat): Uint8Array {
  const writer = new BitWriter().fields([0, 4], [0, 3], [1, 1])
  writeProfile(writer)
  writer.ue(0, 1, format.width, format.height).bits(0, 1)
  // 8 bits per sample, 8 bits of picture order count
  writer.ue(0, 0, 4).bits(1, 1)
  writer.ue(2, format.bFrames > 0 ? 1 : 0, 0)
  // coding blocks 8 to 16, transform blocks 4 to 16
  writer.ue(0, 1, 0, 2, 0, 0)
  writer.fields([0, 1], [0, 1], [0, 1], [0, 1])
  writer.ue(0).fields([0, 1], [0, 1], [0, 1], [0, 1], [0, 1])
  return writer.trailing().toBytes()
}

function renderPps(): Uint8Array {
  const writer = new BitWriter().ue(0, 0).fields([0, 1], [0, 1], [0, 3], [0, 1], [0, 1]).ue(0, 0).se(0)
  writer.fields([0, 1], [0, 1], [0, 1]).se(0, 0)
  writer.bits(0, 10).ue(0).fields([0, 1], [0, 1])
  return writer.trailing().toBytes()
}

/** slice_segment_header, clause 7.3.6.1, up to and including byte_alignment(). */
function renderSliceHeader(picture: Picture, nalType: number, idrDisplay: number): Uint8Array {
  const intra = nalType >= 16 && nalType <= 23
  const type = intra ? 'I' : picture.key ? 'P' : picture.type
  const writer = new BitWriter().bits(1, 1)
  if (intra) writer.bits(0, 1)
  writer.ue(0, SLICE_TYPE[type])
  if (nalType !== NAL_IDR_W_RADL) {
    writer.bits((picture.display - idrDisplay) & 0xff, 8).bits(0, 1)
    writeReferences(writer, picture)
  }
  if (type !== 'I') writer.bits(0, 1)
  if (type === 'B') writer.bits(0, 1)
  if (type !== 'I') writer.ue(0)
  return writer.se(0).trailing().toBytes()
}

/** st_ref_pic_set(0), clause 7.3.7. A CRA picture keeps the reference picture before it for those shown in between. */
function writeReferences(writer: BitWriter, picture: Picture): void {
  const refers = picture.key ? [picture.gopDisplay - 1] : picture.refers
  const before = refers.filter((display) => display >= 0 && display < picture.display)
  const after = refers.filter((display) => display > picture.display)
  writer.ue(before.length, after.length)
  const used = picture.key ? 0 : 1
  for (const display of [...before, ...after]) writer.ue(Math.abs(picture.display - display) - 1).bits(used, 1)
}

/** Bytes from 0x80 up: no start code and no emulation prevention in them. */
function fillSliceData(size: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => 0x80 | ((index * 37 + seed * 11) & 0x7f))
}
