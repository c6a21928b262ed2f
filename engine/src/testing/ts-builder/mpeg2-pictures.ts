// Renders MPEG-2 pictures that a decoder accepts: grey intra macroblocks, unmoved predicted ones; user data brings a
// picture to its size. ISO/IEC 13818-2 clauses 6.2 and 6.3, tables B-2 to B-15.
import { BitWriter } from './bit-writer.js'
import { concatBytes } from './nal-units.js'
import type { Picture } from './picture-order.js'
import type { VideoFormat } from './video-format.js'

const PICTURE = 0x00
const USER_DATA = 0xb2
const SEQUENCE = 0xb3
const EXTENSION = 0xb5
const GROUP = 0xb8
const CODING_TYPE = { I: 1, P: 2, B: 3 } as const
const FRAME_RATE_CODES = [24000 / 1001, 24, 25, 30000 / 1001, 30, 50, 60000 / 1001, 60]

/** Returns a function that renders the pictures of one track in sending order. */
export function mpeg2Pictures(format: VideoFormat): (picture: Picture, sizeBytes: number) => Uint8Array {
  return (picture, sizeBytes) => {
    const isEntry = picture.key && (format.keyPicture === 'idr' || format.keyPicture === 'recoveryPoint')
    const type = picture.key && !isEntry ? 'P' : picture.type
    const parts = isEntry ? renderSequence(format) : []
    parts.push(...renderPictureHeaders(type, picture.display - picture.gopDisplay))
    const slices = renderSlices(type, format)
    const sum = [...parts, ...slices].reduce((total, part) => total + part.length, 0)
    if (sizeBytes - sum > 8) parts.push(unit(USER_DATA, new Uint8Array(sizeBytes - sum - 4).fill(0x4d)))
    return concatBytes([...parts, ...slices])
  }
}

function unit(code: number, body: Uint8Array): Uint8Array {
  return concatBytes([Uint8Array.of(0, 0, 1, code), body])
}

function renderSequence(format: VideoFormat): Uint8Array[] {
  const rateCode = FRAME_RATE_CODES.findIndex((fps) => Math.abs(fps - format.fps) < 0.01) + 1
  if (rateCode === 0) throw new Error(`MPEG-2 has no frame_rate_code for ${format.fps} frames a second`)
  const sequence = new BitWriter().fields([format.width, 12], [format.height, 12], [1, 4], [rateCode, 4])
  sequence.fields([5000, 18], [1, 1], [112, 10], [0, 1], [0, 1], [0, 1])
  // Main profile at main level, progressive, 4:2:0
  const extension = new BitWriter().fields([1, 4], [0x48, 8], [1, 1], [1, 2], [0, 2], [0, 2], [0, 12], [1, 1])
  extension.fields([0, 8], [0, 1], [0, 2], [0, 5])
  const closed = format.keyPicture === 'idr' ? 1 : 0
  const group = new BitWriter().fields([0, 12], [1, 1], [0, 12], [closed, 1], [0, 1]).align()
  return [
    unit(SEQUENCE, sequence.toBytes()),
    unit(EXTENSION, extension.align().toBytes()),
    unit(GROUP, group.toBytes()),
  ]
}

function renderPictureHeaders(type: 'I' | 'P' | 'B', temporalReference: number): Uint8Array[] {
  const picture = new BitWriter().fields([temporalReference & 0x3ff, 10], [CODING_TYPE[type], 3], [0xffff, 16])
  if (type !== 'I') picture.fields([0, 1], [7, 3])
  if (type === 'B') picture.fields([0, 1], [7, 3])
  picture.bits(0, 1).align()
  const forward = type === 'I' ? 15 : 1
  const backward = type === 'B' ? 1 : 15
  const extension = new BitWriter().bits(8, 4).fields([forward, 4], [forward, 4], [backward, 4], [backward, 4])
  // frame picture, frame_pred_frame_dct, chroma_420_type, progressive_frame
  extension.fields([0, 2], [3, 2], [0, 1], [1, 1], [0, 5], [1, 1], [1, 1], [0, 1]).align()
  return [unit(PICTURE, picture.toBytes()), unit(EXTENSION, extension.toBytes())]
}

function renderSlices(type: 'I' | 'P' | 'B', format: VideoFormat): Uint8Array[] {
  return Array.from({ length: format.height / 16 }, (_, row) => {
    const slice = new BitWriter().fields([8, 5], [0, 1])
    for (let column = 0; column < format.width / 16; column++) writeMacroblock(slice, type)
    return unit(row + 1, slice.align().toBytes())
  })
}

function writeMacroblock(slice: BitWriter, type: 'I' | 'P' | 'B'): void {
  slice.bits(1, 1)
  if (type === 'P') slice.fields([0b001, 3], [1, 1], [1, 1])
  if (type === 'B') slice.fields([0b0010, 4], [1, 1], [1, 1])
  if (type !== 'I') return
  slice.bits(1, 1)
  // dct_dc_size 0 and end_of_block: four luminance blocks, two of chrominance
  for (let block = 0; block < 4; block++) slice.bits(0b10010, 5)
  for (let block = 0; block < 2; block++) slice.bits(0b0010, 4)
}
