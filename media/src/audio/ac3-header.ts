// The beginning of a frame of AC-3 and Enhanced AC-3, ETSI TS 102 366 4.4.1, 4.4.2 and E.1.2.
import { BitReader } from '../formats/bit-reader.js'
import type { MediaFormat } from '../formats/media-format.js'

/** As far as it is read. */
const HEADER_SIZE = 8
const SAMPLE_RATES = [48_000, 44_100, 32_000]
/** By acmod, without the low-frequency channel. */
const CHANNELS = [2, 1, 2, 3, 3, 4, 4, 5]
/** bsid: AC-3 up to 8, or 10 with low rates; Enhanced AC-3 from 11 to 16. */
const LAST_AC3 = 10
const LAST_EAC3 = 16
const STEREO = 2

/** Of the frame at `at`; undefined if there is none. */
export function parseAc3Header(bytes: Uint8Array, at: number): MediaFormat | undefined {
  if (at + HEADER_SIZE > bytes.length || bytes[at] !== 0x0b || bytes[at + 1] !== 0x77) return undefined
  const bsid = bytes[at + 5]! >>> 3
  if (bsid > LAST_EAC3) return undefined
  return bsid <= LAST_AC3 ? parseAc3(bytes, at) : parseEnhanced(bytes, at)
}

function parseAc3(bytes: Uint8Array, at: number): MediaFormat | undefined {
  const sampleRate = SAMPLE_RATES[bytes[at + 4]! >>> 6]
  if (sampleRate === undefined) return undefined
  const bits = new BitReader(bytes, at + 6, at + HEADER_SIZE)
  const mode = bits.bits(3)
  // cmixlev, surmixlev, dsurmod
  if ((mode & 1) === 1 && mode !== 1) bits.skip(2)
  if ((mode & 4) === 4) bits.skip(2)
  if (mode === STEREO) bits.skip(2)
  return { name: 'ac-3', sampleRate, channels: CHANNELS[mode]! + (bits.flag() ? 1 : 0) }
}

/** Of the independent substream: dependent ones may have more channels. */
function parseEnhanced(bytes: Uint8Array, at: number): MediaFormat {
  const code = bytes[at + 4]! >>> 6
  const low = SAMPLE_RATES[(bytes[at + 4]! >>> 4) & 3]
  const sampleRate = SAMPLE_RATES[code] ?? (low && low / 2)
  const mode = (bytes[at + 4]! >>> 1) & 7
  return { name: 'ec-3', sampleRate, channels: CHANNELS[mode]! + (bytes[at + 4]! & 1) }
}
