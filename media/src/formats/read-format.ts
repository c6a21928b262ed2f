// The format of a track, from the beginning of its elementary stream and its descriptors: nothing for codecs that are not
// known here, and while the headers have not been seen.
import { parseAdts } from '../aac/adts-format.js'
import { formatOfAac, HIGH_EFFICIENCY, HIGH_EFFICIENCY_2 } from '../aac/audio-specific-config.js'
import { parseLatm } from '../aac/latm.js'
import { parseAc3Header } from '../audio/ac3-header.js'
import { parseMpegAudioHeader } from '../audio/mpeg-audio-header.js'
import { parseOpusDescriptor } from '../audio/opus-descriptor.js'
import { parseH264Sps } from '../h264/sequence-parameter-set.js'
import { parseH265Sps } from '../h265/sequence-parameter-set.js'
import { parseH265VpsRate } from '../h265/video-parameter-set.js'
import { parseSequenceHeader } from '../mpeg2/sequence-header.js'
import { listDescriptors } from '../mpegts/descriptors.js'
import { nextStartCode, START_CODE_SIZE } from '../mpegts/start-code.js'
import type { MediaFormat } from './media-format.js'

/** nal_unit_type, ITU-T H.264 table 7-1; H.265 table 7-1. */
const H264_SPS = 7
const H265_VPS = 32
const H265_SPS = 33
const SEQUENCE_HEADER = 0xb3
const EXTENSION = 0xb5
/** MPEG-4_audio_descriptor, ISO/IEC 13818-1 2.6.38; AAC_descriptor, ETSI EN 300 468 annex H. Both begin with the level. */
const AUDIO_LEVEL_DESCRIPTORS: readonly number[] = [0x1c, 0x7c]
/** audioProfileLevelIndication, ISO/IEC 14496-3 table 1.14. */
const HE_LEVELS = { first: 0x2c, last: 0x2f }
const HE_2_LEVELS = { first: 0x30, last: 0x33 }

/**
 * `codec`: as `Track` calls it. `elementary`: bytes from the start of a unit on; of video up to its first slice, of audio
 * four frames or more. `descriptors`: those of the track in the PMT.
 */
export function readFormat(
  codec: string,
  elementary: Uint8Array,
  descriptors: Uint8Array = new Uint8Array(0),
): MediaFormat | undefined {
  switch (codec) {
    case 'h264':
      return findUnit(elementary, (first) => (first & 0x1f) === H264_SPS, parseH264Sps)
    case 'h265':
      return readH265(elementary)
    case 'mpeg1video':
    case 'mpeg2video':
      return readMpegVideo(elementary)
    case 'aac':
      return raised(parseAdts(elementary), descriptors)
    case 'aac-latm':
      return readLatm(elementary, descriptors)
    case 'mp2':
      return findFrame(elementary, isRepeated, parseMpegAudioHeader)
    case 'ac3':
    case 'eac3':
      return findFrame(elementary, () => true, parseAc3Header)
    case 'opus':
      return parseOpusDescriptor(descriptors)
    default:
      return undefined
  }
}

/** The first NAL unit of that kind. */
function findUnit<T>(
  bytes: Uint8Array,
  isWanted: (first: number) => boolean,
  parse: (bytes: Uint8Array, start: number, end: number) => T | undefined,
): T | undefined {
  let at = nextStartCode(bytes, 0, bytes.length)
  while (at >= 0) {
    const next = nextStartCode(bytes, at, bytes.length)
    if (isWanted(bytes[at]!)) return parse(bytes, at, next < 0 ? bytes.length : next - START_CODE_SIZE)
    at = next
  }
  return undefined
}

function readH265(bytes: Uint8Array): MediaFormat | undefined {
  const isType = (wanted: number) => (first: number) => ((first >>> 1) & 0x3f) === wanted
  const format = findUnit(bytes, isType(H265_SPS), parseH265Sps)
  if (format === undefined || format.frameRate !== undefined) return format
  const rate = findUnit(bytes, isType(H265_VPS), parseH265VpsRate)
  return rate === undefined ? format : { ...format, frameRate: format.isInterlaced === true ? rate / 2 : rate }
}

function readMpegVideo(bytes: Uint8Array): MediaFormat | undefined {
  return findUnit(
    bytes,
    (first) => first === SEQUENCE_HEADER,
    (whole, start) => {
      const next = nextStartCode(whole, start, whole.length)
      const extensionAt = next >= 0 && whole[next] === EXTENSION ? next + 1 : -1
      return parseSequenceHeader(whole, start + 1, whole.length, extensionAt)
    },
  )
}

function readLatm(bytes: Uint8Array, descriptors: Uint8Array): MediaFormat | undefined {
  const config = parseLatm(bytes)
  return config && raised(formatOfAac(config), descriptors)
}

/** The descriptors may announce more than the elementary stream does. */
function raised(format: MediaFormat | undefined, descriptors: Uint8Array): MediaFormat | undefined {
  for (const { tag, data } of listDescriptors(descriptors)) {
    const level = AUDIO_LEVEL_DESCRIPTORS.includes(tag) ? data[0] : undefined
    if (format === undefined || level === undefined) continue
    const isBetween = ({ first, last }: typeof HE_LEVELS): boolean => level >= first && level <= last
    if (isBetween(HE_2_LEVELS)) return { ...format, name: `mp4a.40.${HIGH_EFFICIENCY_2}`, channels: 2 }
    if (isBetween(HE_LEVELS)) return { ...format, name: `mp4a.40.${HIGH_EFFICIENCY}` }
  }
  return format
}

function findFrame(
  bytes: Uint8Array,
  isSure: (bytes: Uint8Array, at: number) => boolean,
  parse: (bytes: Uint8Array, at: number) => MediaFormat | undefined,
): MediaFormat | undefined {
  for (let at = 0; at + 1 < bytes.length; at++) {
    const format = parse(bytes, at)
    if (format !== undefined && isSure(bytes, at)) return format
  }
  return undefined
}

/** The sync word of MPEG audio is short: another header with the same ID, layer and rate confirms it. */
function isRepeated(bytes: Uint8Array, at: number): boolean {
  for (let next = at + 4; next + 2 < bytes.length; next++) {
    const isSame = bytes[next] === 0xff && ((bytes[next + 1]! ^ bytes[at + 1]!) & 0xfe) === 0
    if (isSame && ((bytes[next + 2]! ^ bytes[at + 2]!) & 0x0c) === 0) return true
  }
  return at === 0
}
