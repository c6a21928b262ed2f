// A track of the muxer: where it stands, and how its frames become PES packets.
import type { Track } from '../../elementary/track.js'
import type { PmtStream } from '../pmt.js'
import { AudioClock } from './audio-clock.js'
import type { Ac3Standard, AudioFormat } from './audio-format.js'
import { AudioPes } from './audio-pes.js'
import { chooseAudioFormat } from './choose-audio-format.js'
import { TrackStamps } from './clock-watch.js'
import { DecodeTimes } from './decode-times.js'
import type { PidCounter } from './packet-writer.js'
import { renderLanguage, renderRegistration } from './track-descriptors.js'
import { VideoUnit } from './video-unit.js'

const H264_STREAM = 0x1b
const H265_STREAM = 0x24
const FIRST_VIDEO_STREAM = 0xe0
const FIRST_AUDIO_STREAM = 0xc0
const PRIVATE_STREAM_1 = 0xbd
const NONE = new Uint8Array(0)

/** A PID, and which of its kind it is: 0 for the first. */
export interface Place {
  readonly counter: PidCounter
  readonly number: number
}

export interface VideoTrack {
  readonly kind: 'video'
  readonly place: Place
  readonly streamId: number
  readonly unit: VideoUnit
  readonly times: DecodeTimes
  /** A copy, and the object last given. */
  track: Track
  given: Track | undefined
  stamps: TrackStamps
}

export interface AudioTrack {
  readonly kind: 'audio'
  readonly place: Place
  readonly clock: AudioClock
  readonly pes: AudioPes
  format: AudioFormat
  /** In the PMT; the format may find another in its first frame. */
  streamType: number
  /** A copy, and the object last given. */
  track: Track
  given: Track | undefined
  stamps: TrackStamps
}

export type MuxTrack = VideoTrack | AudioTrack

/** A sentence that names the codec, if it has no place in a transport stream. */
export function refuse(track: Track, ac3: Ac3Standard): string | undefined {
  if (track.kind === 'audio') {
    const format = chooseAudioFormat(track, ac3)
    return typeof format === 'string' ? format : undefined
  }
  if (track.codec === 'h264' || track.codec === 'h265') return undefined
  if (track.codec === 'av1') return 'av1: its mapping to MPEG-TS is a draft that players do not read'
  return `${track.codec}: no video codec of MPEG-TS`
}

/** The track was not refused. */
export function createTrack(track: Track, place: Place, ac3: Ac3Standard, sync90k: number): MuxTrack {
  const stamps = new TrackStamps()
  if (track.kind === 'video') {
    const streamId = FIRST_VIDEO_STREAM + (place.number & 0x0f)
    const [unit, times] = [new VideoUnit(track), new DecodeTimes()]
    return { kind: 'video', place, streamId, unit, times, track, given: undefined, stamps }
  }
  const format = chooseAudioFormat(track, ac3) as AudioFormat
  const [clock, pes, { streamType }] = [new AudioClock(sync90k), new AudioPes(), format]
  return { kind: 'audio', place, clock, pes, format, streamType, track, given: undefined, stamps }
}

/** The entry of a track in the PMT. */
export function pmtStreamOf(muxed: MuxTrack): PmtStream {
  const language = renderLanguage(muxed.track.language)
  const { pid } = muxed.place.counter
  if (muxed.kind === 'audio') {
    const { streamType, format } = muxed
    return { pid, streamType, descriptors: Uint8Array.of(...format.descriptors, ...language) }
  }
  const isH265 = muxed.track.codec === 'h265'
  const own = isH265 ? renderRegistration('HEVC') : NONE
  return { pid, streamType: isH265 ? H265_STREAM : H264_STREAM, descriptors: Uint8Array.of(...own, ...language) }
}

export function audioStreamId({ format, place }: AudioTrack): number {
  return format.usesPrivateStream ? PRIVATE_STREAM_1 : FIRST_AUDIO_STREAM + (place.number & 0x1f)
}

export function isSameTrack(a: Track, b: Track): boolean {
  if (a === b) return true
  if (a.kind !== b.kind || a.codec !== b.codec || a.language !== b.language) return false
  if (a.config.length !== b.config.length) return false
  for (let at = 0; at < a.config.length; at++) if (a.config[at] !== b.config[at]) return false
  return true
}
