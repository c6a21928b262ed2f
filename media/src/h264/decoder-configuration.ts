// AVCDecoderConfigurationRecord (avcC), ISO/IEC 14496-15 5.3.3.1: the parameter sets of H.264 out of band.
import { RbspBitReader } from './rbsp.js'
import { readSpsDepths } from './sequence-parameter-set.js'

/** configurationVersion to lengthSizeMinusOne, and the number of SPS. */
const HEADER_SIZE = 6
const MAX_SPS = 31
const MAX_PPS = 255
/** Profiles with chroma format and bit depths behind the sets, 5.3.3.1.2. */
const EXTENDED_PROFILES: readonly number[] = [100, 110, 122, 144]

/** Bytes before each NAL unit that hold its length: 1, 2 or 4; 0 if the record is damaged. */
export function readAvcLengthSize(config: Uint8Array): number {
  if (config.length < HEADER_SIZE + 1 || config[0] !== 1) return 0
  return (config[4]! & 3) + 1
}

/** Undefined without an SPS of readable size. NAL units have no start codes. */
export function renderAvcConfig(sps: readonly Uint8Array[], pps: readonly Uint8Array[]): Uint8Array | undefined {
  const first = sps[0]
  if (first === undefined || first.length < 4 || sps.length > MAX_SPS || pps.length > MAX_PPS) return undefined
  const profile = first[1]!
  const bytes: number[] = [1, profile, first[2]!, first[3]!, 0xff, 0xe0 | sps.length]
  for (const set of sps) bytes.push(set.length >>> 8, set.length & 0xff, ...set)
  bytes.push(pps.length)
  for (const set of pps) bytes.push(set.length >>> 8, set.length & 0xff, ...set)
  if (!EXTENDED_PROFILES.includes(profile)) return Uint8Array.from(bytes)
  const depths = readSpsDepths(new RbspBitReader(first, 1, first.length))
  if (depths === undefined) return undefined
  bytes.push(0xfc | depths.chroma, 0xf8 | depths.luma, 0xf8 | depths.chromaDepth, 0)
  return Uint8Array.from(bytes)
}
