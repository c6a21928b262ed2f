// Silence in place of AAC that does not come although the PMT announces it: players in browsers wait for it for ever. It
// goes on from the last frame, at the pace that the track had against the pictures, and in a multiple of 16 packets, so
// that the continuity counters of the track go on behind it as the stream has them.
import { silentAdtsFrame } from '@millrace/media/formats'
import type { SilentFrame, TrackScan } from '@millrace/media/formats'
import { difference33, mod33, PACKET_SIZE, SYNC_BYTE } from '@millrace/media/mpegts'

/** Behind a longer hole, silence begins with the segment: 3 s. */
const LONGEST_CATCH_UP = 270_000
const COUNTERS = 16
const STREAM_ID_AUDIO = 0xc0
const PES_HEADER_SIZE = 14
const PES_FIXED_HEADER = 6
const PACKET_HEADER_SIZE = 4
/** Frames of 20 bytes, of a PES packet in one transport packet. */
const FRAMES_BYTES = PACKET_SIZE - PACKET_HEADER_SIZE - PES_HEADER_SIZE
const STUFFING = 0xff

export interface SegmentSpan {
  readonly start90k: number
  readonly ticks: number
}

export class SilentAudio {
  readonly #pid: number
  #frame: SilentFrame | undefined
  /** Where the next frame is due, 33 bits and a fraction. */
  #next90k = -1
  /** How far the sound of a segment is behind its pictures. */
  #lag90k = 0
  #counter = -1

  constructor(pid: number) {
    this.#pid = pid
  }

  /** It knows what to go on from. */
  get isReady(): boolean {
    return this.#frame !== undefined && this.#next90k >= 0 && this.#counter >= 0
  }

  /** The track sends: `scan` of a segment. */
  note({ elementary, lastPts90k, firstPts90k, step90k, lastCounter }: TrackScan, { start90k }: SegmentSpan): void {
    const frame = frameLike(elementary)
    this.#frame = frame
    this.#next90k = frame === undefined || lastPts90k < 0 ? -1 : mod33(lastPts90k + Math.max(step90k, frame.ticks))
    this.#lag90k = firstPts90k < 0 ? 0 : difference33(start90k, firstPts90k)
    this.#counter = lastCounter
  }

  /** Packets of silence up to the end of the segment. `lastCounter`: of the end of a unit in it, or -1. */
  fill({ start90k, ticks }: SegmentSpan, lastCounter: number): Uint8Array {
    if (lastCounter >= 0) this.#counter = lastCounter
    const frame = this.#frame
    if (frame === undefined || !this.isReady) return new Uint8Array(0)
    const end90k = start90k + ticks - this.#lag90k
    const behind = difference33(mod33(Math.floor(end90k)), Math.floor(this.#next90k))
    const isFar = behind > ticks + LONGEST_CATCH_UP
    if (isFar) this.#next90k = mod33(start90k - this.#lag90k)
    const frames = Math.floor((isFar ? ticks : behind) / frame.ticks)
    // Each packet has some of it; what is left out now comes with the next segment.
    if (frames * frame.bytes.length < COUNTERS) return new Uint8Array(0)
    return this.#render(frame, frames)
  }

  #render({ bytes, ticks }: SilentFrame, frames: number): Uint8Array {
    const units = Math.ceil(frames / Math.max(1, Math.floor(FRAMES_BYTES / bytes.length)))
    const least = Math.max(
      units,
      Math.ceil((units * PES_HEADER_SIZE + frames * bytes.length) / (PACKET_SIZE - PACKET_HEADER_SIZE)),
    )
    const packets = Math.ceil(least / COUNTERS) * COUNTERS
    const out = new Uint8Array(packets * PACKET_SIZE)
    for (let unit = 0; unit < units; unit++) {
      const share = (total: number, at: number): number => Math.floor((at * total) / units)
      const count = share(frames, unit + 1) - share(frames, unit)
      const pes = this.#pes(bytes, count)
      this.#split(pes, out, share(packets, unit), share(packets, unit + 1))
      this.#next90k = (this.#next90k + count * ticks) % 2 ** 33
    }
    return out
  }

  #pes(frame: Uint8Array, frames: number): Uint8Array {
    const pes = new Uint8Array(PES_HEADER_SIZE + frames * frame.length)
    const length = pes.length - PES_FIXED_HEADER
    const pts = Math.floor(this.#next90k)
    pes.set([0, 0, 1, STREAM_ID_AUDIO, length >>> 8, length & 0xff, 0x84, 0x80, 5])
    pes.set([0x21 | (Math.floor(pts / 2 ** 30) << 1), (pts >>> 22) & 0xff, ((pts >>> 14) & 0xfe) | 1], 9)
    pes.set([(pts >>> 7) & 0xff, ((pts << 1) & 0xfe) | 1], 12)
    for (let at = 0; at < frames; at++) pes.set(frame, PES_HEADER_SIZE + at * frame.length)
    return pes
  }

  /** Into the packets `from` to `to`: the header into the first, of the frames some into each. */
  #split(pes: Uint8Array, out: Uint8Array, from: number, to: number): void {
    for (let packet = from; packet < to; packet++) {
      const share = (at: number): number => {
        const frames = pes.length - PES_HEADER_SIZE
        return at === from ? 0 : PES_HEADER_SIZE + Math.floor(((at - from) * frames) / (to - from))
      }
      const payload = pes.subarray(share(packet), share(packet + 1))
      this.#counter = (this.#counter + 1) % COUNTERS
      const at = packet * PACKET_SIZE
      const room = PACKET_SIZE - PACKET_HEADER_SIZE - payload.length
      const start = packet === from ? 0x40 : 0
      out.set([SYNC_BYTE, start | (this.#pid >>> 8), this.#pid & 0xff, (room > 0 ? 0x30 : 0x10) | this.#counter], at)
      if (room > 0) out.fill(STUFFING, at + PACKET_HEADER_SIZE, at + PACKET_HEADER_SIZE + room)
      if (room > 0) out[at + PACKET_HEADER_SIZE] = room - 1
      if (room > 1) out[at + PACKET_HEADER_SIZE + 1] = 0
      out.set(payload, at + PACKET_SIZE - payload.length)
    }
  }
}

function frameLike(elementary: Uint8Array): SilentFrame | undefined {
  for (let at = 0; at + 1 < elementary.length; at++) {
    const isSync = elementary[at] === 0xff && (elementary[at + 1]! & 0xf6) === 0xf0
    const frame = isSync ? silentAdtsFrame(elementary, at) : undefined
    if (frame !== undefined) return frame
  }
  return undefined
}
