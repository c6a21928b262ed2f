// Makes the units of the tracks: each a PES packet with the time at which it is sent.
import { AUDIO_FRAME_90K, renderAudioFrame } from './audio-frames.js'
import { h264Pictures } from './h264-pictures.js'
import { h265Pictures } from './h265-pictures.js'
import { mpeg2Pictures } from './mpeg2-pictures.js'
import { concatBytes } from './nal-units.js'
import { renderPes } from './pes.js'
import { orderPictures } from './picture-order.js'
import type { ProgramLayout } from './program-layout.js'
import type { AudioPlan, DataPlan, VideoPlan } from './ts-plan.js'
import { packPictures } from './video-packing.js'
import type { CodedPicture } from './video-format.js'

const PICTURES = { h264: h264Pictures, h265: h265Pictures, mpeg2: mpeg2Pictures } as const
/** A key picture is this many times as large as the others. */
const KEY_WEIGHT = 4
const STREAM_ID = { video: 0xe0, audio: 0xc0, private: 0xbd } as const

export interface Unit {
  readonly pid: number
  /** Not wrapped. */
  readonly pts90k: number
  readonly dts90k: number
  /** How long it may take to send. */
  readonly span90k: number
  /** First of a GOP, whether or not decoding can start there. */
  readonly key: boolean
  readonly randomAccess: boolean
  /** Whether random_access_indicator is set. */
  readonly indicated: boolean
  readonly pes: Uint8Array
}

export interface UnitTiming {
  readonly start90k: number
  readonly duration90k: number
}

/** The units of all tracks of a program that are sent as PES packets, track by track. */
export function listUnits(program: ProgramLayout, timing: UnitTiming): Unit[] {
  const units = program.video === undefined ? [] : listVideo(program.video, timing)
  for (const [index, audio] of program.audio.entries()) units.push(...listAudio(audio, index, timing))
  for (const data of program.data) if (data.kind !== 'scte35') units.push(...listPrivate(data, timing))
  return units
}

function listVideo(video: Required<VideoPlan>, timing: UnitTiming): Unit[] {
  const { packing, boundedPes: bounded, pid } = video
  const { keyPicture, codec } = video
  const canJoin = keyPicture !== 'none' && (keyPicture !== 'refresh' || codec === 'h264')
  const pictures = video.pictures.length > 0 ? movedPictures(video.pictures, timing) : renderPictures(video, timing)
  return packPictures(pictures, video.codec, packing, 90_000 / video.fps).map((packed) => {
    const { payload, times, dts90k, span90k, key } = packed
    const stamps = { pts90k: times?.pts90k, dts90k: times?.dts90k }
    return {
      pid,
      pts90k: times?.pts90k ?? dts90k,
      dts90k,
      span90k,
      key,
      randomAccess: packed.hasKey && canJoin,
      indicated: packing.indicateAll === true || (key && canJoin && video.randomAccessIndicator),
      pes: renderPes({ streamId: STREAM_ID.video, ...stamps, payload, bounded }),
    }
  })
}

function movedPictures(pictures: readonly CodedPicture[], { start90k, duration90k }: UnitTiming): CodedPicture[] {
  const within = pictures.filter(({ dts90k }) => dts90k < duration90k)
  return within.map((picture) => ({
    ...picture,
    pts90k: start90k + picture.pts90k,
    dts90k: start90k + picture.dts90k,
  }))
}

function renderPictures(video: Required<VideoPlan>, { start90k, duration90k }: UnitTiming): CodedPicture[] {
  const frame90k = 90_000 / video.fps
  const open = video.keyPicture !== 'idr'
  const pictures = orderPictures({ count: Math.round(duration90k / frame90k), open, ...video })
  const render = PICTURES[video.codec](video)
  const perGop = Math.min(video.gopFrames, pictures.length)
  const plainBytes = ((video.bitrate / 8 / video.fps) * perGop) / (perGop - 1 + KEY_WEIGHT)
  return pictures.map((picture) => ({
    bytes: render(picture, Math.round(plainBytes * (picture.key ? KEY_WEIGHT : 1))),
    pts90k: Math.round(start90k + picture.display * frame90k),
    dts90k: Math.round(start90k + (picture.decode - (video.bFrames > 0 ? 1 : 0)) * frame90k),
    key: picture.key,
  }))
}

/** Audio units carry random_access_indicator, as ffmpeg writes it. */
function listAudio(audio: Required<AudioPlan>, index: number, { start90k, duration90k }: UnitTiming): Unit[] {
  const frame90k = AUDIO_FRAME_90K[audio.codec]
  const sizeBytes = Math.round((audio.bitrate / 8) * (frame90k / 90_000))
  const frames = Math.round(duration90k / frame90k)
  const units: Unit[] = []
  for (let frame = 0; frame < frames; frame += audio.framesPerPes) {
    const count = Math.min(audio.framesPerPes, frames - frame)
    const pts90k = start90k + frame * frame90k
    const payload = concatBytes(Array.from({ length: count }, () => renderAudioFrame(audio.codec, sizeBytes)))
    const streamId = STREAM_ID.audio + (index & 0x1f)
    units.push({
      pid: audio.pid,
      pts90k,
      dts90k: pts90k,
      span90k: count * frame90k,
      key: false,
      randomAccess: false,
      indicated: true,
      pes: renderPes({ streamId, pts90k, dts90k: pts90k, payload, bounded: true }),
    })
  }
  return units
}

function listPrivate(data: Required<DataPlan>, { start90k, duration90k }: UnitTiming): Unit[] {
  const interval90k = data.intervalMs * 90
  return Array.from({ length: Math.ceil(duration90k / interval90k) }, (_, index) => {
    const pts90k = Math.round(start90k + index * interval90k)
    const payload = new Uint8Array(200).fill(0x10 + (index & 0x0f))
    return {
      pid: data.pid,
      pts90k,
      dts90k: pts90k,
      span90k: 1800,
      key: false,
      randomAccess: false,
      indicated: false,
      pes: renderPes({ streamId: STREAM_ID.private, pts90k, dts90k: pts90k, payload, bounded: true }),
    }
  })
}
