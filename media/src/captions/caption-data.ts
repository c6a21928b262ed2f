// Closed captions in video: cc_data( ) of ATSC A/53 part 4 6.2.3, in SEI messages of H.264 and H.265
// (user_data_registered_itu_t_t35) and in user data of MPEG-2 pictures.
import { skipEmulation } from '../h264/rbsp.js'
import { nextStartCode, START_CODE_SIZE } from '../mpegts/start-code.js'

/** Takes one cc_data( ): its triples of marker and type, and two bytes. */
export type TakeCaptionData = (bytes: Uint8Array, at: number, triples: number) => void

/** user_data_registered_itu_t_t35, H.264 D.1.6. */
const REGISTERED_USER_DATA = 4
const CONTINUED = 0xff
/** country_code, provider_code; ATSC_identifier and user_data_type_code of cc_data. */
const ATSC_PROVIDER = [0xb5, 0x00, 0x31]
const CC_DATA = [0x47, 0x41, 0x39, 0x34, 0x03]
const MPEG2_USER_DATA = 0xb2
/** Start codes of slices, ISO/IEC 13818-2 table 6-1. */
const MPEG2_FIRST_SLICE = 0x01
const MPEG2_LAST_SLICE = 0xaf
/** cc_count is at most 31: three bytes each, behind two of flags. */
const MAX_SEI_BYTES = 1024
const TRIPLE_SIZE = 3

/** Of the access unit that begins with `unit`, up to its first slice. */
export function readCaptionData(codec: string, unit: Uint8Array, take: TakeCaptionData): void {
  let at = nextStartCode(unit, 0, unit.length)
  while (at >= 0) {
    if (isSlice(codec, unit[at]!)) return
    const next = nextStartCode(unit, at, unit.length)
    const end = next < 0 ? unit.length : next - START_CODE_SIZE
    const header = seiHeaderSize(codec, unit[at]!)
    if (header > 0) readMessages(unescape(unit, at + header, end), take)
    else if (codec === 'mpeg2video' && unit[at] === MPEG2_USER_DATA) readAtsc(unit, at + 1, end, take)
    at = next
  }
}

function isSlice(codec: string, first: number): boolean {
  if (codec === 'h264') return (first & 0x1f) >= 1 && (first & 0x1f) <= 5
  if (codec === 'h265') return ((first >>> 1) & 0x3f) <= 31
  return first >= MPEG2_FIRST_SLICE && first <= MPEG2_LAST_SLICE
}

/** Of a NAL unit with SEI messages, table 7-1 of either standard; 0: it is another one. */
function seiHeaderSize(codec: string, first: number): number {
  if (codec === 'h264') return (first & 0x1f) === 6 ? 1 : 0
  return codec === 'h265' && ((first >>> 1) & 0x3f) === 39 ? 2 : 0
}

function unescape(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const out = new Uint8Array(Math.max(0, Math.min(end - start, MAX_SEI_BYTES)))
  let length = 0
  for (let at = start; at < end && length < out.length; at = skipEmulation(bytes, at + 1, start, end)) {
    out[length++] = bytes[at]!
  }
  return out.subarray(0, length)
}

/** sei_message( ), H.264 7.3.2.3.1. */
function readMessages(sei: Uint8Array, take: TakeCaptionData): void {
  let at = 0
  const readContinued = (): number => {
    let value = 0
    while (at < sei.length && sei[at] === CONTINUED) value += sei[at++]!
    return at < sei.length ? value + sei[at++]! : value
  }
  while (at + 2 < sei.length) {
    const type = readContinued()
    const size = readContinued()
    const end = Math.min(at + size, sei.length)
    const isAtsc = type === REGISTERED_USER_DATA && startsWith(sei, at, ATSC_PROVIDER)
    if (isAtsc) readAtsc(sei, at + ATSC_PROVIDER.length, end, take)
    at = end
  }
}

function readAtsc(bytes: Uint8Array, start: number, end: number, take: TakeCaptionData): void {
  const at = start + CC_DATA.length
  if (at + 2 > end || !startsWith(bytes, start, CC_DATA)) return
  // process_cc_data_flag
  if ((bytes[at]! & 0x40) === 0) return
  const triples = Math.min(bytes[at]! & 0x1f, Math.floor((end - at - 2) / TRIPLE_SIZE))
  take(bytes, at + 2, triples)
}

function startsWith(bytes: Uint8Array, at: number, values: readonly number[]): boolean {
  return values.every((value, index) => bytes[at + index] === value)
}
