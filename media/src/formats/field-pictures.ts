// Pictures that are coded as two fields (H.264 7.3.3 field_pic_flag, MPEG-2 6.3.10 picture_structure): each is a picture of
// its own in the stream, and a PES packet can have one of them or both.
import { readSpsFields } from '../h264/sequence-parameter-set.js'
import type { SpsFields } from '../h264/sequence-parameter-set.js'
import { RbspBitReader } from '../h264/rbsp.js'
import { nextStartCode, START_CODE_SIZE } from '../mpegts/start-code.js'

/** nal_unit_type, ITU-T H.264 table 7-1. */
const [SLICE, IDR_SLICE, SPS] = [1, 5, 7]
/** extension_start_code and picture_coding_extension, ISO/IEC 13818-2 tables 6-1 and 6-2. */
const [EXTENSION, PICTURE_CODING] = [0xb5, 8]
/** picture_structure, table 6-14. */
const FRAME = 3

/** How many fields begin in these bytes of an elementary stream; 0 if its first picture is a frame, and for other codecs. */
export function countFields(codec: string, elementary: Uint8Array): number {
  if (codec !== 'h264' && codec !== 'mpeg2video') return 0
  let fields = 0
  let sps: SpsFields | undefined
  const end = elementary.length
  for (let at = nextStartCode(elementary, 0, end); at >= 0;) {
    const next = nextStartCode(elementary, at, end)
    const stop = next < 0 ? end : next - START_CODE_SIZE
    const type = elementary[at]! & 0x1f
    if (codec === 'h264' && type === SPS) sps = readSpsFields(elementary, at, stop)
    const structure =
      codec === 'mpeg2video'
        ? readStructure(elementary, at)
        : sps !== undefined && (type === SLICE || type === IDR_SLICE)
          ? readSlice(new RbspBitReader(elementary, at + 1, stop), sps)
          : undefined
    if (structure === 'frame') return fields
    if (structure === 'field') fields++
    at = next
  }
  return fields
}

/** Of a picture_coding_extension. */
function readStructure(bytes: Uint8Array, at: number): 'frame' | 'field' | undefined {
  if (bytes[at] !== EXTENSION || at + 3 >= bytes.length || bytes[at + 1]! >>> 4 !== PICTURE_CODING) return undefined
  return (bytes[at + 3]! & 3) === FRAME ? 'frame' : 'field'
}

/** Of the first slice of a picture; further ones begin at later macroblocks. */
function readSlice(
  bits: RbspBitReader,
  { isFrameOnly, hasPlanes, frameNumberBits }: SpsFields,
): 'frame' | 'field' | undefined {
  if (isFrameOnly) return 'frame'
  if (bits.readUe() !== 0) return undefined
  bits.readUe() // slice_type
  bits.readUe() // pic_parameter_set_id
  bits.skip((hasPlanes ? 2 : 0) + frameNumberBits)
  return bits.readFlag() ? 'field' : 'frame'
}
