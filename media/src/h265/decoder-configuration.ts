// HEVCDecoderConfigurationRecord (hvcC), ISO/IEC 14496-15 8.3.3.1: the parameter sets of H.265 out of band.
import { RbspBitReader, skipEmulation } from '../h264/rbsp.js'
import { readSpsFormat } from './sequence-parameter-set.js'

const HEADER_SIZE = 23
const LENGTH_SIZE_POSITION = 21
/** NAL header, then vps id, sub-layers and nesting: one byte of payload. */
const NAL_HEADER_SIZE = 2
/** general_profile_space to general_level_idc, ITU-T H.265 7.3.3. */
const PROFILE_SIZE = 12
const VPS = 32
const SPS = 33
const PPS = 34

/** Bytes before each NAL unit that hold its length; 0 if the record is damaged. */
export function readHevcLengthSize(config: Uint8Array): number {
  if (config.length < HEADER_SIZE || config[0] !== 1) return 0
  return (config[LENGTH_SIZE_POSITION]! & 3) + 1
}

/** Undefined if the first SPS can't be read. NAL units have no start codes. */
export function renderHevcConfig(
  vps: readonly Uint8Array[],
  sps: readonly Uint8Array[],
  pps: readonly Uint8Array[],
): Uint8Array | undefined {
  const first = sps[0]
  if (first === undefined) return undefined
  const payload = unescape(first, NAL_HEADER_SIZE, 1 + PROFILE_SIZE)
  const format = readSpsFormat(new RbspBitReader(first, NAL_HEADER_SIZE, first.length))
  if (payload === undefined || format === undefined) return undefined
  const { subLayers, isNested, chroma, luma, chromaDepth } = format
  const bytes: number[] = [1, ...payload.slice(1)]
  bytes.push(0xf0, 0, 0xfc, 0xfc | chroma, 0xf8 | luma, 0xf8 | chromaDepth, 0, 0)
  bytes.push(((subLayers + 1) << 3) | (isNested ? 4 : 0) | 3)
  bytes.push(3, ...renderSets(VPS, vps), ...renderSets(SPS, sps), ...renderSets(PPS, pps))
  return Uint8Array.from(bytes)
}

/** array_completeness: all of them are here. */
function renderSets(type: number, sets: readonly Uint8Array[]): number[] {
  const bytes = [0x80 | type, sets.length >>> 8, sets.length & 0xff]
  for (const set of sets) bytes.push(set.length >>> 8, set.length & 0xff, ...set)
  return bytes
}

/** That many bytes of payload without emulation prevention. */
function unescape(nal: Uint8Array, start: number, count: number): number[] | undefined {
  const bytes: number[] = []
  for (let at = start; bytes.length < count; at = skipEmulation(nal, at + 1, start, nal.length)) {
    if (at >= nal.length) return undefined
    bytes.push(nal[at]!)
  }
  return bytes
}
