// The frame header of MPEG audio, layers I to III, ISO/IEC 11172-3 2.4.1.3 and 13818-3.
import type { MediaFormat } from '../formats/media-format.js'

const HEADER_SIZE = 4
/** By sampling_frequency, MPEG-1; half of it in MPEG-2, a quarter in MPEG-2.5. */
const SAMPLE_RATES = [44_100, 48_000, 32_000]
/** ID: table of 2.4.2.3 and the extension to low rates. */
const MPEG25 = 0
const MPEG2 = 2
const RESERVED_ID = 1
/** layer, 2.4.2.3: the code, and the audio object type of ISO/IEC 14496-3 table 1.17 that is its name. */
const OBJECT_TYPES: Readonly<Record<number, number>> = { 1: 34, 2: 33, 3: 32 }
const MONO = 3
const FREE_BITRATE = 0
const BAD_BITRATE = 15

/** Of the frame at `at`; undefined if there is none. */
export function parseMpegAudioHeader(bytes: Uint8Array, at: number): MediaFormat | undefined {
  if (at + HEADER_SIZE > bytes.length || bytes[at] !== 0xff || (bytes[at + 1]! & 0xe0) !== 0xe0) return undefined
  const id = (bytes[at + 1]! >>> 3) & 3
  const objectType = OBJECT_TYPES[(bytes[at + 1]! >>> 1) & 3]
  const bitrate = bytes[at + 2]! >>> 4
  const rate = SAMPLE_RATES[(bytes[at + 2]! >>> 2) & 3]
  const isFrame = id !== RESERVED_ID && bitrate !== FREE_BITRATE && bitrate !== BAD_BITRATE
  if (!isFrame || objectType === undefined || rate === undefined) return undefined
  const divisor = id === MPEG2 ? 2 : id === MPEG25 ? 4 : 1
  return {
    name: `mp4a.40.${objectType}`,
    sampleRate: rate / divisor,
    channels: bytes[at + 3]! >>> 6 === MONO ? 1 : 2,
  }
}
