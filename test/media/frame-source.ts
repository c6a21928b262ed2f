// Elementary frames for the muxer: real pictures and audio of the test kit's streams, and small made-up ones.
import { buildTs } from '@millrace/engine/testing'
import type { VideoPlan } from '@millrace/engine/testing'
import type { Frame, Track } from '@millrace/media/elementary'
import { TsMuxer } from '@millrace/media/mpegts'
import type { TsMuxerOptions } from '@millrace/media/mpegts'
import { codedPictures } from '../oracle/coded-pictures.js'

export const VIDEO: Track = { id: 1, kind: 'video', codec: 'h264', config: new Uint8Array(0) }
/** AAC LC, 48 kHz, stereo. */
export const AUDIO: Track = { id: 2, kind: 'audio', codec: 'aac', config: Uint8Array.of(0x11, 0x90), language: 'deu' }

export function makeFrame(track: Track, bytes: Uint8Array, pts90k: number, more: Partial<Frame> = {}): Frame {
  return {
    track,
    bytes,
    units: Int32Array.of(0, bytes.length),
    unitCount: 1,
    pts90k,
    dts90k: pts90k,
    isRandomAccess: false,
    isDisposable: false,
    ...more,
  }
}

/** Start and end of each NAL unit, by its own search. */
function unitsOf(bytes: Uint8Array): Int32Array {
  const pairs: number[] = []
  for (let at = 0; at + 3 <= bytes.length; at++) {
    if (bytes[at] !== 0 || bytes[at + 1] !== 0 || bytes[at + 2] !== 1) continue
    if (pairs.length > 0) pairs.push(bytes[at - 1] === 0 ? at - 1 : at)
    pairs.push(at + 3)
  }
  if (pairs.length > 0) pairs.push(bytes.length)
  return Int32Array.from(pairs)
}

/** The frames of a built stream in order of decoding, as FLV would bring them: times in whole milliseconds. */
export function builtFrames(video: VideoPlan, durationS: number): Frame[] {
  const { bytes, tracks } = buildTs({ video, audio: { framesPerPes: 1 }, durationS })
  const toMs = (time90k: number): number => Math.floor(time90k / 90) * 90
  const frames: Frame[] = []
  for (const { pid, streamType, media } of tracks) {
    const track = media === 'video' ? ({ ...VIDEO, codec: video.codec === 'h265' ? 'h265' : 'h264' } as const) : AUDIO
    for (const { bytes: unit, pts90k, dts90k, key } of codedPictures(bytes, pid, streamType)) {
      const times = { pts90k: toMs(pts90k + 4500), dts90k: toMs(dts90k + 4500), isRandomAccess: key }
      if (media === 'audio') frames.push(makeFrame(track, unit.slice(7), 0, times))
      else
        frames.push(makeFrame(track, unit, 0, { ...times, units: unitsOf(unit), unitCount: unitsOf(unit).length / 2 }))
    }
  }
  return frames.sort((a, b) => a.dts90k - b.dts90k)
}

/** A muxer whose output is kept. */
export function keptMuxer(options: Partial<TsMuxerOptions> = {}) {
  const parts: Uint8Array[] = []
  const muxer = new TsMuxer({ consume: (bytes, length) => parts.push(bytes.slice(0, length)), ...options })
  return { muxer, parts, bytes: () => new Uint8Array(Buffer.concat(parts)) }
}
