// Aggregate messages, Adobe RTMP 1.0 7.1.6: several tags in one message, each with header and back pointer as in a file.
import { readUint24 } from './enhanced-header.js'
import { AUDIO_TAG, DATA_TAG, VIDEO_TAG } from './tag-format.js'

const HEADER_SIZE = 11
const BACK_POINTER_SIZE = 4

/** Calls `onTag` for each whole tag; the first one has the time stamp of the message. False if the last one is cut off. */
export function splitAggregate(
  body: Uint8Array,
  timestampMs: number,
  onTag: (type: number, timestampMs: number, body: Uint8Array) => void,
): boolean {
  let offsetMs = Number.NaN
  let at = 0
  while (at + HEADER_SIZE <= body.length) {
    const type = body[at]! & 0x1f
    const end = at + HEADER_SIZE + readUint24(body, at + 1)
    if (end > body.length) return false
    const stamp = (readUint24(body, at + 4) | (body[at + 7]! << 24)) >>> 0
    if (Number.isNaN(offsetMs)) offsetMs = timestampMs - stamp
    const isMedia = type === AUDIO_TAG || type === VIDEO_TAG || type === DATA_TAG
    if (isMedia) onTag(type, (stamp + offsetMs) >>> 0, body.subarray(at + HEADER_SIZE, end))
    at = end + BACK_POINTER_SIZE
  }
  return at >= body.length
}
