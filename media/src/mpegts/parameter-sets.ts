// One number for everything that configures a decoder, so that changes are noticed: SPS, PPS and VPS of H.264 and
// H.265, sequence header and extensions of MPEG-1 and MPEG-2 video, the ADTS header of AAC.

import { ADTS_HEADER_SIZE, readAdtsConfiguration, readAdtsFrameLength } from '../aac/adts-header.js'
import { FNV_BASIS, hashByte, hashBytes } from './fnv1a.js'
import { nextStartCode, START_CODE_SIZE } from './start-code.js'

/** Parameter sets take a few hundred bytes; access units without any are not searched further than this. */
const MAX_SEARCH_BYTES = 65536

/** Start code value, ISO/IEC 13818-2 table 6-1. */
const SEQUENCE_HEADER = 0xb3
/** Bytes after it up to load_intra_quantiser_matrix; the last of them is shared with the matrices, 6.2.2.1. */
const SEQUENCE_FIELDS_SIZE = 8
const LAST_SEQUENCE_FIELD_MASK = 0xfc

/** What follows a start code, as far as the hash is concerned. */
type Unit = 'set' | 'picture' | 'other'

/**
 * Hash of the parameter sets before the first picture of the access unit `bytes[start, end)`, elementary stream bytes:
 * 32 bits, never 0. Returns 0 if there are none, or if the bytes end before the first slice (H.264, H.265), picture or
 * GOP header (MPEG): the hash never depends on how an access unit is spread over packets.
 */
export function hashParameterSets(codec: string, bytes: Uint8Array, start: number, end: number): number {
  const limit = Math.min(end, start + MAX_SEARCH_BYTES)
  switch (codec) {
    case 'h264':
      return hashUnits(bytes, start, limit, unitOfH264, hashNal)
    case 'h265':
      return hashUnits(bytes, start, limit, unitOfH265, hashNal)
    case 'mpeg1video':
    case 'mpeg2video':
      return hashUnits(bytes, start, limit, unitOfMpeg2, hashMpeg2)
    case 'aac':
      return hashAdts(bytes, start, limit)
    default:
      return 0
  }
}

function hashUnits(
  bytes: Uint8Array,
  start: number,
  end: number,
  unitOf: (bytes: Uint8Array, at: number) => Unit,
  hashSet: (hash: number, bytes: Uint8Array, start: number, end: number) => number,
): number {
  let hash = FNV_BASIS
  let found = false
  let at = nextStartCode(bytes, start, end)
  while (at >= 0) {
    const unit = unitOf(bytes, at)
    if (unit === 'picture') return found ? hash || 1 : 0
    const next = nextStartCode(bytes, at, end)
    if (unit === 'set' && next >= 0) {
      hash = hashSet(hash, bytes, at, next - START_CODE_SIZE)
      found = true
    }
    at = next
  }
  return 0
}

/** nal_unit_type, ITU-T H.264 table 7-1. */
function unitOfH264(bytes: Uint8Array, at: number): Unit {
  const type = bytes[at]! & 0x1f
  if (type >= 1 && type <= 5) return 'picture'
  const isSet = type === 7 || type === 8 || type === 13 || type === 15 // SPS, PPS, SPS extension, subset SPS
  return isSet ? 'set' : 'other'
}

/** nal_unit_type, ITU-T H.265 table 7-1. */
function unitOfH265(bytes: Uint8Array, at: number): Unit {
  const type = (bytes[at]! >>> 1) & 0x3f
  if (type <= 31) return 'picture'
  return type >= 32 && type <= 34 ? 'set' : 'other' // VPS, SPS, PPS
}

/** Start code values, ISO/IEC 13818-2 table 6-1. */
function unitOfMpeg2(bytes: Uint8Array, at: number): Unit {
  const code = bytes[at]!
  if (code === 0x00 || code === 0xb8) return 'picture' // picture_start_code, group_start_code
  return code === SEQUENCE_HEADER || code === 0xb5 ? 'set' : 'other' // sequence_header_code, extension_start_code
}

/** A NAL unit without its trailing zeros, which belong to the next start code or to nothing. */
function hashNal(hash: number, bytes: Uint8Array, start: number, end: number): number {
  let stop = end
  while (stop > start && bytes[stop - 1] === 0) stop--
  return hashByte(hashBytes(hash, bytes, start, stop), 0)
}

/** A sequence header without its quantiser matrices, which may differ within a sequence (6.1.1.6); extensions whole. */
function hashMpeg2(hash: number, bytes: Uint8Array, start: number, end: number): number {
  const last = start + SEQUENCE_FIELDS_SIZE
  if (bytes[start] !== SEQUENCE_HEADER || last >= end) return hashNal(hash, bytes, start, end)
  const withoutMatrices = bytes[last]! & LAST_SEQUENCE_FIELD_MASK
  return hashByte(hashByte(hashBytes(hash, bytes, start, last), withoutMatrices), 0)
}

/**
 * The first trustworthy frame: one at the very beginning of the bytes, or one that ends where another frame of the same
 * kind begins (PES packets of broadcasters may begin in mid-frame). A syncword alone may occur anywhere in the data.
 */
function hashAdts(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at + ADTS_HEADER_SIZE <= end; at++) {
    const configuration = readAdtsConfiguration(bytes, at, end)
    if (configuration < 0) continue
    const next = at + readAdtsFrameLength(bytes, at)
    const isConfirmed = readAdtsConfiguration(bytes, next, end) === configuration
    const isAligned = at === start && next + ADTS_HEADER_SIZE > end
    if (isConfirmed || isAligned) return hashByte(hashByte(FNV_BASIS, configuration >>> 8), configuration & 0xff) || 1
  }
  return 0
}
