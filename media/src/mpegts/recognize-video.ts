// Video whose stream_type says nothing of it: private data without descriptors, and numbers that nobody has assigned.
// Players recognize it by its bytes, and so does the choice of the track that leads.
import { PACKET_SIZE, payloadOffset } from './packet.js'
import { isPesStart, pesHeaderEnd } from './pes.js'
import { nextStartCode } from './start-code.js'

/** ISO/IEC 13818-1 table 2-22: video streams. */
const VIDEO_STREAMS = 0xe0
const VIDEO_MASK = 0xf0
/** A start code prefix with a leading zero, and where its unit begins. */
const MAX_PREFIX_SIZE = 4

/**
 * The codec of the access unit that begins in this packet, by what such units begin with: an access unit delimiter, or
 * what a sequence begins with. Undefined if it is none of these.
 */
export function recognizeVideo(bytes: Uint8Array, offset: number): 'h264' | 'h265' | 'mpeg2video' | undefined {
  const end = offset + PACKET_SIZE
  const pes = payloadOffset(bytes, offset)
  if (!isPesStart(bytes, pes, end) || (bytes[pes + 3]! & VIDEO_MASK) !== VIDEO_STREAMS) return undefined
  const start = pesHeaderEnd(bytes, pes, end)
  const at = nextStartCode(bytes, start, end)
  if (at < 0 || at > start + MAX_PREFIX_SIZE || at + 1 >= end) return undefined
  const [header, next] = [bytes[at]!, bytes[at + 1]!]
  // H.264 7.3.1, 7.3.2.4: a delimiter, or a sequence parameter set, which is always a reference.
  if ((header === 0x09 && (next & 0x1f) === 0x10) || ((header & 0x9f) === 0x07 && header !== 0x07)) return 'h264'
  // H.265 7.3.1.2: a delimiter, a video or a sequence parameter set, of layer 0.
  if ((header === 0x46 || header === 0x40 || header === 0x42) && next === 0x01) return 'h265'
  // ISO/IEC 13818-2 table 6-1: sequence_header_code.
  return header === 0xb3 ? 'mpeg2video' : undefined
}
