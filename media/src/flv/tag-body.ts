// The bodies of tags: legacy for what every player knows (H.264, AAC, MP3), Enhanced RTMP for the rest. No allocation.
import type { Codec, Frame, Track } from '../elementary/index.js'
import { FOURCC_BY_CODEC } from './codec-names.js'
import { AAC_ID, AVC_ID, CODED_FRAMES, CODED_FRAMES_X, DISPOSABLE_FRAME, ENHANCED_AUDIO_ID } from './tag-format.js'
import { EX_VIDEO, INTER_FRAME, KEY_FRAME, LEGACY_CONFIG, LEGACY_FRAME, MP3_8K_ID, MP3_ID } from './tag-format.js'
import { SEQUENCE_START } from './tag-format.js'

const LENGTH_SIZE = 4
const MAX_OFFSET_MS = 0x7f_ffff
const MIN_OFFSET_MS = -0x80_0000
/** SoundRate 44 kHz, SoundSize 16 bits, stereo: what AAC always has. */
const AAC_HEADER = (AAC_ID << 4) | 0x0f
/** Access unit delimiters, which FLV does without. */
const H264_DELIMITER = 9
const H265_DELIMITER = 35

/** Whether the track can be written at all: MP2 has no place in FLV. */
export function isWritable(codec: Codec): boolean {
  return FOURCC_BY_CODEC[codec] !== undefined
}

/** The body that configures the track's decoder; undefined if the codec needs none. */
export function renderConfigBody({ codec, config, kind }: Track): Uint8Array | undefined {
  if (config.length === 0) return undefined
  if (codec === 'h264') return join([(KEY_FRAME << 4) | AVC_ID, LEGACY_CONFIG, 0, 0, 0], config)
  if (codec === 'aac') return join([AAC_HEADER, LEGACY_CONFIG], config)
  const first =
    kind === 'video' ? EX_VIDEO | (KEY_FRAME << 4) | SEQUENCE_START : (ENHANCED_AUDIO_ID << 4) | SEQUENCE_START
  return join([first, ...fourCc(codec)], config)
}

/** Bytes of the body of a frame; 0 if nothing of it is to be written. */
export function frameBodySize(frame: Frame, offsetMs: number): number {
  const { codec, kind } = frame.track
  const units = kind === 'video' ? videoSize(frame) : audioSize(frame)
  return units === 0 ? 0 : headerSize(codec, offsetMs) + units
}

/** Writes that many bytes from `start` on. */
export function writeFrameBody(frame: Frame, offsetMs: number, into: Uint8Array, start: number): void {
  const { kind } = frame.track
  let at = kind === 'video' ? writeVideoHeader(frame, offsetMs, into, start) : writeAudioHeader(frame, into, start)
  const isNal = frame.track.codec === 'h264' || frame.track.codec === 'h265'
  for (let unit = 0; unit < frame.unitCount; unit++) {
    const [from, end] = [frame.units[unit * 2]!, frame.units[unit * 2 + 1]!]
    if (isDelimiter(frame, from)) continue
    if (isNal) at = writeUint32(into, at, end - from)
    // A view would be an object for each unit; small ones are copied as fast by hand.
    at = copy(frame.bytes, from, end, into, at)
  }
}

export function limitOffset(offsetMs: number): number {
  return Math.min(MAX_OFFSET_MS, Math.max(MIN_OFFSET_MS, offsetMs))
}

function headerSize(codec: Codec, offsetMs: number): number {
  if (codec === 'h264') return 5
  if (codec === 'aac') return 2
  if (codec === 'mp3') return 1
  return codec === 'h265' && offsetMs !== 0 ? 8 : 5
}

function videoSize(frame: Frame): number {
  const isNal = frame.track.codec !== 'av1'
  let size = 0
  for (let unit = 0; unit < frame.unitCount; unit++) {
    const from = frame.units[unit * 2]!
    if (!isDelimiter(frame, from)) size += frame.units[unit * 2 + 1]! - from + (isNal ? LENGTH_SIZE : 0)
  }
  return size
}

function audioSize(frame: Frame): number {
  return frame.unitCount === 0 ? 0 : frame.units[1]! - frame.units[0]!
}

function isDelimiter(frame: Frame, from: number): boolean {
  const { codec } = frame.track
  if (codec === 'h264') return (frame.bytes[from]! & 0x1f) === H264_DELIMITER
  return codec === 'h265' && ((frame.bytes[from]! >>> 1) & 0x3f) === H265_DELIMITER
}

function writeVideoHeader(frame: Frame, offsetMs: number, into: Uint8Array, start: number): number {
  const { codec } = frame.track
  const frameType = frame.isRandomAccess ? KEY_FRAME : frame.isDisposable ? DISPOSABLE_FRAME : INTER_FRAME
  if (codec === 'h264') {
    into[start] = (frameType << 4) | AVC_ID
    into[start + 1] = LEGACY_FRAME
    return writeInt24(into, start + 2, offsetMs)
  }
  const hasOffset = codec === 'h265' && offsetMs !== 0
  into[start] = EX_VIDEO | (frameType << 4) | (codec === 'h265' && !hasOffset ? CODED_FRAMES_X : CODED_FRAMES)
  const at = writeFourCc(codec, into, start + 1)
  return hasOffset ? writeInt24(into, at, offsetMs) : at
}

function writeAudioHeader(frame: Frame, into: Uint8Array, start: number): number {
  const { codec } = frame.track
  if (codec === 'aac') {
    into[start] = AAC_HEADER
    into[start + 1] = LEGACY_FRAME
    return start + 2
  }
  if (codec === 'mp3') {
    into[start] = mp3Header(frame.bytes, frame.units[0]!)
    return start + 1
  }
  into[start] = (ENHANCED_AUDIO_ID << 4) | CODED_FRAMES
  return writeFourCc(codec, into, start + 1)
}

/** SoundFormat, SoundRate, 16 bits, SoundType: from the frame's own header, ISO/IEC 11172-3 2.4.1.3. */
function mp3Header(bytes: Uint8Array, at: number): number {
  const id = (bytes[at + 1]! >>> 3) & 3
  const rate = (bytes[at + 2]! >>> 2) & 3
  const isStereo = bytes[at + 3]! >>> 6 !== 3
  // MPEG-2.5, 8 kHz
  if (id === 0 && rate === 2) return (MP3_8K_ID << 4) | 2 | (isStereo ? 1 : 0)
  return (MP3_ID << 4) | ((id === 0 ? 1 : id) << 2) | 2 | (isStereo ? 1 : 0)
}

function copy(from: Uint8Array, start: number, end: number, into: Uint8Array, at: number): number {
  if (end - start > 64) into.set(from.subarray(start, end), at)
  else for (let byte = start; byte < end; byte++) into[at + byte - start] = from[byte]!
  return at + end - start
}

function fourCc(codec: Codec): number[] {
  return Array.from(FOURCC_BY_CODEC[codec] ?? '', (character) => character.charCodeAt(0))
}

function writeFourCc(codec: Codec, into: Uint8Array, at: number): number {
  const name = FOURCC_BY_CODEC[codec]!
  for (let character = 0; character < 4; character++) into[at + character] = name.charCodeAt(character)
  return at + 4
}

function writeInt24(into: Uint8Array, at: number, value: number): number {
  into[at] = value >> 16
  into[at + 1] = value >> 8
  into[at + 2] = value
  return at + 3
}

function writeUint32(into: Uint8Array, at: number, value: number): number {
  into[at] = value >>> 24
  return writeInt24(into, at + 1, value)
}

function join(header: readonly number[], config: Uint8Array): Uint8Array {
  const body = new Uint8Array(header.length + config.length)
  body.set(header)
  body.set(config, header.length)
  return body
}
