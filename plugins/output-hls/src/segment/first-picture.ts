// Whether the picture at which a segment begins is a true random access point: no picture after it refers to one before
// it. A recovery point (open GOP) is enough to start, but a segment that begins there is not independent.
import { pesHeaderEnd, PACKET_SIZE, payloadOffset, readPid } from '@millrace/media/mpegts'
import type { Track } from '@millrace/engine/plugin'

/** How far into the access unit its first slice is looked for: past delimiter, parameter sets and SEI. */
const MAX_BYTES = 8 * 1024
/** nal_unit_type: ITU-T H.264 table 7-1; H.265 table 7-1, BLA, IDR and CRA. */
const H264_IDR = 5
const H264_LAST_SLICE = 5
const H265_FIRST_IRAP = 16
const H265_LAST_IRAP = 21
const H265_LAST_SLICE = 31

/** `unit`: the first bytes of its elementary stream. Only video can fail it. */
export function startsWithIndependentPicture(
  unit: Uint8Array,
  { codec, media }: Pick<Track, 'codec' | 'media'>,
): boolean {
  if (media !== 'video') return true
  const type = codec === 'h264' || codec === 'h265' ? firstSliceType(unit, codec) : -1
  if (codec === 'h264') return type === H264_IDR
  return codec === 'h265' ? type >= H265_FIRST_IRAP && type <= H265_LAST_IRAP : true
}

/** nal_unit_type of the first slice; -1 if it is not near. */
function firstSliceType(unit: Uint8Array, codec: 'h264' | 'h265'): number {
  for (let at = 0; at + 3 < unit.length; at++) {
    if (unit[at] !== 0 || unit[at + 1] !== 0 || unit[at + 2] !== 1) continue
    const first = unit[at + 3]!
    const type = codec === 'h264' ? first & 0x1f : (first >>> 1) & 0x3f
    const isSlice = codec === 'h264' ? type >= 1 && type <= H264_LAST_SLICE : type <= H265_LAST_SLICE
    if (isSlice) return type
  }
  return -1
}

/** The first bytes of the elementary stream of the PES packet that begins in the packet at `offset`. */
export function readUnit(bytes: Uint8Array, offset: number): Uint8Array {
  const unit = new Uint8Array(MAX_BYTES)
  const pid = readPid(bytes, offset)
  let length = 0
  for (let packet = offset; packet + PACKET_SIZE <= bytes.length && length < MAX_BYTES; packet += PACKET_SIZE) {
    if (readPid(bytes, packet) !== pid) continue
    if (packet !== offset && (bytes[packet + 1]! & 0x40) !== 0) break
    const end = packet + PACKET_SIZE
    const payload = payloadOffset(bytes, packet)
    const start = packet === offset ? pesHeaderEnd(bytes, payload, end) : payload
    const part = bytes.subarray(start, Math.min(end, start + MAX_BYTES - length))
    unit.set(part, length)
    length += part.length
  }
  return unit.subarray(0, length)
}
