// Hand-made packets for the tests of this folder.
import { Framer } from './framer.js'
import { MARK_FLAGS, MARK_MS, MARK_OFFSET, MARK_PID, MARK_SIZE } from './marks.js'
import { PACKET_SIZE } from './packet.js'
import { packetise, renderPat, renderPmt } from './render-psi.js'
import type { Chunk, TsChunk } from './chunk.js'

export const VIDEO_PID = 0x100
export const AUDIO_PID = 0x101
export const PMT_PID = 0x1000

/** SPS and PPS, and an IDR picture: H.264 that a decoder can start at. */
export const SETS = [0, 0, 1, 0x67, 0x64, 0, 0x1e, 0xac, 0, 0, 1, 0x68, 0xeb]
export const IDR = [0, 0, 1, 0x65, 0x88]

export interface PacketPlan {
  readonly pid: number
  readonly counter: number
  readonly unitStart?: boolean
  /** What the payload begins with; the rest is 0xff. `false`: an adaptation field only. */
  readonly payload?: readonly number[] | false
  /** The flags of the adaptation field and the bytes after them. */
  readonly field?: readonly number[]
  readonly transportError?: boolean
  readonly scrambled?: boolean
}

export function packetOf(plan: PacketPlan): Uint8Array {
  const { pid, counter, payload = [] } = plan
  const packet = new Uint8Array(PACKET_SIZE).fill(0xff)
  const flags = plan.field ?? (payload === false ? [0] : undefined)
  const high = (plan.transportError === true ? 0x80 : 0) | (plan.unitStart === true ? 0x40 : 0) | (pid >>> 8)
  const control =
    (plan.scrambled === true ? 0x80 : 0) | (flags === undefined ? 0 : 0x20) | (payload === false ? 0 : 0x10)
  packet.set([0x47, high, pid & 0xff, control | (counter & 15)])
  const length = payload === false ? PACKET_SIZE - 5 : (flags?.length ?? 0)
  if (flags !== undefined) packet.set([length, ...flags], 4)
  if (payload !== false) packet.set(payload, flags === undefined ? 4 : 5 + length)
  return packet
}

/** The beginning of a PES packet with a PTS below 2^30; `length` is PES_packet_length, 0 for unbounded. */
export function pesOf(streamId: number, pts90k: number, length = 0, payload: readonly number[] = []): number[] {
  const pts = [
    0x21,
    (pts90k >>> 22) & 0xff,
    ((pts90k >>> 14) & 0xfe) | 1,
    (pts90k >>> 7) & 0xff,
    ((pts90k << 1) & 0xfe) | 1,
  ]
  return [0, 0, 1, streamId, length >>> 8, length & 0xff, 0x80, 0x80, 5, ...pts, ...payload]
}

/** PAT and PMT, one packet each: program 1 with H.264 and AAC, or with AAC only. */
export function tablesOf(counter: number, hasVideo = true): Uint8Array {
  const descriptors = new Uint8Array(0)
  const video = { pid: VIDEO_PID, streamType: 0x1b, descriptors }
  const audio = { pid: AUDIO_PID, streamType: 0x0f, descriptors }
  const head = { version: 0, current: true }
  const pat = renderPat({
    ...head,
    transportStreamId: 1,
    sectionNumber: 0,
    lastSectionNumber: 0,
    programs: [{ program: 1, pmtPid: PMT_PID }],
    networkPid: undefined,
  })
  const streams = hasVideo ? [video, audio] : [audio]
  const pmt = renderPmt({ ...head, program: 1, pcrPid: VIDEO_PID, descriptors, streams })
  return joined(packetise(pat, 0, counter), packetise(pmt, PMT_PID, counter))
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** The single chunk of a stream that has at most one random access point, at its beginning. */
export function chunkOf(...packets: readonly Uint8Array[]): TsChunk {
  const framer = new Framer()
  const chunks = [...framer.push(joined(...packets), 0), ...framer.finish(0)]
  const [chunk] = chunks
  if (chunk === undefined || chunks.length > 1) throw new Error(`${chunks.length} chunks, 1 expected`)
  return chunk
}

/** The records of a chunk: offset in packets, PID, flags, milliseconds. */
export function recordsOf({ marks }: Chunk): { packet: number; pid: number; flags: number; ms: number }[] {
  return Array.from({ length: marks.length / MARK_SIZE }, (_, index) => {
    const at = index * MARK_SIZE
    const packet = marks[at + MARK_OFFSET]! / PACKET_SIZE
    return { packet, pid: marks[at + MARK_PID]!, flags: marks[at + MARK_FLAGS]!, ms: marks[at + MARK_MS]! }
  })
}
