// The sequence header of MPEG-1 and MPEG-2 video and its extension, ISO/IEC 13818-2 6.2.2.1 and 6.2.2.3.
import { BitReader } from '../formats/bit-reader.js'
import type { MediaFormat } from '../formats/media-format.js'
import { plausibleAspect } from '../formats/sample-aspect.js'

/** frame_rate_code, table 6-4. */
const FRAME_RATES = [undefined, 24_000 / 1001, 24, 25, 30_000 / 1001, 30, 50, 60_000 / 1001, 60]
/** Shape of the picture by aspect_ratio_information, table 6-3. */
const SHAPES: Readonly<Record<number, number>> = { 2: 4 / 3, 3: 16 / 9, 4: 2.21 }
/** extension_start_code_identifier, table 6-2. */
const SEQUENCE_EXTENSION = 1
/** Object types of ISO/IEC 14496-1 table 5, by the profile of table 8-2; the escape bit stands for 4:2:2. */
const OBJECT_TYPES: Readonly<Record<number, number>> = { 1: 0x64, 2: 0x63, 3: 0x62, 4: 0x61, 5: 0x60 }
const PROFILE_422 = 0x65
const MPEG1_VIDEO = 0x6a
/** MPEG-1 has none. */
const NO_EXTENSION = { isProgressive: true, columns: 0, rows: 0, factor: 1, objectType: MPEG1_VIDEO }

/** `bytes[start, end)` begins behind the start code of the sequence header, `extensionAt` is behind that of the next. */
export function parseSequenceHeader(
  bytes: Uint8Array,
  start: number,
  end: number,
  extensionAt = -1,
): MediaFormat | undefined {
  const bits = new BitReader(bytes, start, end)
  const [columns, rows] = [bits.bits(12), bits.bits(12)]
  const shape = SHAPES[bits.bits(4)]
  const rate = FRAME_RATES[bits.bits(4)]
  if (bits.hasFailed) return undefined
  const extension = (extensionAt < 0 ? undefined : parseExtension(bytes, extensionAt, end)) ?? NO_EXTENSION
  const width = columns + (extension.columns << 12)
  const height = rows + (extension.rows << 12)
  if (width === 0 || height === 0) return undefined
  return {
    name: `mp4v.${extension.objectType.toString(16)}`,
    ...{ width, height, isInterlaced: !extension.isProgressive },
    frameRate: rate && rate * extension.factor,
    isRateFixed: rate !== undefined,
    ...(extension.objectType === MPEG1_VIDEO ? {} : sampleAspectOf(shape, width, height)),
  }
}

/** MPEG-1 has another table, of shapes of samples that nobody uses. */
function sampleAspectOf(shape: number | undefined, width: number, height: number): { readonly sampleAspect?: number } {
  const sampleAspect = shape === undefined ? 1 : plausibleAspect((shape * height) / width)
  return Math.abs(sampleAspect - 1) < 0.001 ? {} : { sampleAspect }
}

function parseExtension(bytes: Uint8Array, start: number, end: number) {
  const bits = new BitReader(bytes, start, end)
  if (bits.bits(4) !== SEQUENCE_EXTENSION) return undefined
  const isEscaped = bits.flag()
  const profile = bits.bits(3)
  bits.skip(4) // level
  const isProgressive = bits.flag()
  bits.skip(2) // chroma_format
  const [columns, rows] = [bits.bits(2), bits.bits(2)]
  bits.skip(22) // bit_rate_extension to low_delay
  const factor = (bits.bits(2) + 1) / (bits.bits(5) + 1)
  if (bits.hasFailed) return undefined
  const objectType = isEscaped ? PROFILE_422 : (OBJECT_TYPES[profile] ?? OBJECT_TYPES[4]!)
  return { isProgressive, columns, rows, factor, objectType }
}
