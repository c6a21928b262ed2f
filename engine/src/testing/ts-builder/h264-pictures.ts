// Renders H.264 access units that a decoder accepts: key pictures of I_PCM macroblocks, all others skipped macroblocks,
// Main profile, CAVLC; filler data NAL units bring a picture to its size. ITU-T H.264 clauses 7.3 and 7.4.
import { BitWriter } from './bit-writer.js'
import { concatBytes, renderNal } from './nal-units.js'
import type { Picture } from './picture-order.js'
import type { KeyPicture, VideoFormat } from './video-format.js'

const NAL_SLICE = 1
const NAL_IDR = 5
const NAL_SEI = 6
const NAL_SPS = 7
const NAL_PPS = 8
const NAL_AUD = 9
const NAL_FILLER = 12
const SLICE_TYPE = { P: 5, B: 6, I: 7 } as const

interface Decoding {
  frameNumber: number
  idrId: number
  idrDisplay: number
}

/** Returns a function that renders the pictures of one track in sending order. */
export function h264Pictures(format: VideoFormat): (picture: Picture, sizeBytes: number) => Uint8Array {
  const state: Decoding = { frameNumber: 0, idrId: 0, idrDisplay: 0 }
  return (picture, sizeBytes) => {
    const parts = [renderNal([NAL_AUD], Uint8Array.of(0xf0))]
    if (picture.key) {
      parts.push(renderNal([0x60 | NAL_SPS], renderSps(format)), renderNal([0x60 | NAL_PPS], renderPps()))
      const recovery = renderRecoveryPoint(format.keyPicture)
      if (recovery !== undefined) parts.push(renderNal([NAL_SEI], recovery))
    }
    if (format.captions === true) parts.push(renderNal([NAL_SEI], renderCaptions()))
    parts.push(renderSlice(picture, format, state))
    const missing = sizeBytes - parts.reduce((sum, part) => sum + part.length, 0)
    if (missing > 8) parts.push(renderNal([NAL_FILLER], new Uint8Array(missing - 5).fill(0xff).fill(0x80, -1)))
    return concatBytes(parts)
  }
}

function renderSps(format: VideoFormat): Uint8Array {
  const writer = new BitWriter().fields([77, 8], [0x40, 8], [30, 8])
  // id, 8 bits of frame_num, POC type 0 of 16 bits, 2 reference frames
  writer.ue(0, 4, 0, 12, 2).bits(0, 1)
  writer.ue(format.width / 16 - 1, format.height / 16 - 1)
  // frame_mbs_only, direct_8x8_inference, no cropping, VUI: timing and bitstream restriction only
  writer.fields([1, 1], [1, 1], [0, 1], [1, 1]).fields([0, 1], [0, 1], [0, 1], [0, 1], [1, 1])
  writer.fields([1000, 32], [Math.round(format.fps * 2000), 32], [1, 1])
  writer.fields([0, 1], [0, 1], [0, 1], [1, 1], [1, 1])
  const reorder = format.bFrames > 0 ? 1 : 0
  return writer.ue(0, 0, 10, 10, reorder, 2).trailing().toBytes()
}

function renderPps(): Uint8Array {
  const writer = new BitWriter().ue(0, 0).fields([0, 1], [0, 1]).ue(0, 0, 0).fields([0, 1], [0, 2]).se(0, 0, 0)
  return writer.fields([1, 1], [0, 1], [0, 1]).trailing().toBytes()
}

function renderRecoveryPoint(keyPicture: KeyPicture): Uint8Array | undefined {
  if (keyPicture === 'idr' || keyPicture === 'none') return undefined
  const frames = keyPicture === 'refresh' ? 10 : 0
  const body = new BitWriter().ue(frames).fields([1, 1], [0, 1], [0, 2])
  const payload = (body.bitCount % 8 === 0 ? body : body.trailing()).toBytes()
  return new BitWriter().fields([6, 8], [payload.length, 8]).append(payload).trailing().toBytes()
}

/** user_data_registered_itu_t_t35 with cc_data (ATSC A/53 part 4 6.2.3): one pair for the first field, empty. */
function renderCaptions(): Uint8Array {
  const payload = [0xb5, 0x00, 0x31, 0x47, 0x41, 0x39, 0x34, 0x03, 0xc1, 0xff, 0xfc, 0x80, 0x80, 0xff]
  return new BitWriter().fields([4, 8], [payload.length, 8]).append(payload).trailing().toBytes()
}

function renderSlice(picture: Picture, format: VideoFormat, state: Decoding): Uint8Array {
  const idr = picture.key && format.keyPicture === 'idr'
  const intra = picture.key && (idr || format.keyPicture === 'recoveryPoint')
  const type = picture.key && !intra ? 'P' : picture.type
  if (idr) Object.assign(state, { frameNumber: 0, idrId: (state.idrId + 1) & 15, idrDisplay: picture.display })
  const writer = new BitWriter().ue(0, SLICE_TYPE[type], 0).bits(state.frameNumber & 0xff, 8)
  if (idr) writer.ue(state.idrId)
  writer.bits((2 * (picture.display - state.idrDisplay)) & 0xffff, 16)
  writeReferences(writer, type, idr)
  writer.se(0).ue(1)
  const macroblocks = (format.width / 16) * (format.height / 16)
  if (type === 'I') writePcm(writer, macroblocks, picture.display)
  else writer.ue(macroblocks)
  if (type !== 'B') state.frameNumber++
  const header = (type === 'B' ? 0 : 0x60) | (idr ? NAL_IDR : NAL_SLICE)
  return renderNal([header], writer.trailing().toBytes())
}

/** From direct_spatial_mv_pred_flag to dec_ref_pic_marking: no overrides, no reordering, sliding window. */
function writeReferences(writer: BitWriter, type: Picture['type'], idr: boolean): void {
  if (type === 'B') writer.fields([1, 1], [0, 1], [0, 1], [0, 1])
  else if (idr) writer.bits(0, 2)
  else writer.bits(0, type === 'P' ? 3 : 1)
}

/** Grey of a level that changes from picture to picture; never 0, which would need emulation prevention. */
function writePcm(writer: BitWriter, macroblocks: number, display: number): void {
  const samples = new Uint8Array(384).fill(32 + ((display * 5) % 192), 0, 256).fill(128, 256)
  for (let index = 0; index < macroblocks; index++) writer.ue(25).align().append(samples)
}
