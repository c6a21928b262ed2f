// Fills in what a program plan leaves open: PIDs, stream types, descriptors, the carrier of the clock.
import type { Descriptor, PmtStream } from './sections.js'
import type { AudioPlan, BuiltTrack, DataPlan, PcrPlan, ProgramPlan, VideoCodec, VideoPlan } from './ts-plan.js'

// stream_type, ISO/IEC 13818-1 table 2-34; SCTE-35 by SCTE 35 clause 8.1.
const VIDEO_STREAM_TYPE = { h264: 0x1b, h265: 0x24, mpeg2: 0x02 } as const satisfies Record<VideoCodec, number>
const AUDIO_STREAM_TYPE = { aac: 0x0f, mp2: 0x03 } as const
const DATA_STREAM_TYPE = { scte35: 0x86, private: 0x06, klv: 0x06, teletext: 0x06, id3: 0x15 } as const
/** Registration `KLVA`, SMPTE RP 217; teletext_descriptor, EN 300 468 6.2.43; metadata_descriptor of ID3 in HLS. */
const DATA_DESCRIPTORS: Readonly<Record<string, Descriptor>> = {
  klv: [0x05, 0x4b, 0x4c, 0x56, 0x41],
  teletext: [0x56, 0x64, 0x65, 0x75, 0x09, 0x00],
  id3: [0x26, 0xff, 0xff, 0x49, 0x44, 0x33, 0x20, 0xff, 0x49, 0x44, 0x33, 0x20, 0x00, 0x0f],
}
const DEFAULT_PCR_INTERVAL_MS = 20
const PIDS_PER_PROGRAM = 0x20

export interface ProgramLayout {
  readonly number: number
  readonly pmtPid: number
  readonly pmtVersion: number
  readonly pmtPackets: number | undefined
  readonly video: (Required<VideoPlan> & { readonly pid: number }) | undefined
  readonly audio: readonly (Required<AudioPlan> & { readonly pid: number })[]
  readonly data: readonly Required<DataPlan>[]
  readonly pcr: { readonly pid: number; readonly carrier: 'units' | 'packets'; readonly interval90k: number }
  readonly descriptors: readonly Descriptor[]
  readonly tracks: readonly BuiltTrack[]
  readonly streams: readonly PmtStream[]
}

/** `index` is the position of the program in the stream, from 0. */
export function layOutProgram(plan: ProgramPlan, index: number): ProgramLayout {
  const number = plan.number ?? index + 1
  const first = 0x100 + index * PIDS_PER_PROGRAM
  const video = plan.video === false ? undefined : layOutVideo(plan.video ?? {}, first)
  const audio = layOutAudio(plan.audio ?? {}, first + 1)
  const data = (plan.data ?? []).map((track, at) => ({ pid: first + 0x10 + at, intervalMs: 500, ...track }))
  const tracks = listTracks(number, video, audio, data)
  return {
    number,
    pmtPid: plan.pmtPid ?? 0x1000 + index,
    pmtVersion: plan.pmtVersion ?? 0,
    pmtPackets: plan.pmtPackets,
    video,
    audio,
    data,
    pcr: layOutClock(plan.pcr ?? {}, tracks, first + 0x1f),
    // registration_descriptor 'CUEI': SCTE 35 clause 8.1
    descriptors: data.some((track) => track.kind === 'scte35') ? [[0x05, 0x43, 0x55, 0x45, 0x49]] : [],
    tracks,
    streams: tracks.map((track) => ({
      pid: track.pid,
      streamType: track.streamType,
      descriptors: descriptorsOf(track, audio),
    })),
  }
}

function layOutClock(plan: PcrPlan, tracks: readonly BuiltTrack[], sparePid: number): ProgramLayout['pcr'] {
  const timed = tracks.filter((track) => track.media !== 'data')
  const pid = plan.pid ?? timed[0]?.pid ?? sparePid
  const ownPid = !timed.some((track) => track.pid === pid)
  return {
    pid,
    carrier: ownPid ? 'packets' : (plan.carrier ?? 'units'),
    interval90k: (plan.intervalMs ?? DEFAULT_PCR_INTERVAL_MS) * 90,
  }
}

function layOutVideo(plan: VideoPlan, pid: number): Required<VideoPlan> {
  return {
    codec: 'h264',
    pid,
    fps: 25,
    gopFrames: 25,
    bFrames: 0,
    keyPicture: 'idr',
    randomAccessIndicator: true,
    bitrate: 500_000,
    width: 64,
    height: 48,
    captions: false,
    boundedPes: false,
    packing: {},
    pictures: [],
    ...plan,
  }
}

function layOutAudio(plan: NonNullable<ProgramPlan['audio']>, firstPid: number): Required<AudioPlan>[] {
  if (plan === false) return []
  const plans = 'map' in plan ? plan : [plan]
  return plans.map((audio, at) => ({
    codec: 'aac',
    pid: firstPid + at,
    language: '',
    audioType: 0,
    framesPerPes: 2,
    bitrate: 96_000,
    ...audio,
  }))
}

function listTracks(
  program: number,
  video: Required<VideoPlan> | undefined,
  audio: readonly Required<AudioPlan>[],
  data: readonly Required<DataPlan>[],
): BuiltTrack[] {
  const tracks: BuiltTrack[] = []
  if (video !== undefined) {
    const { pid, codec } = video
    tracks.push({ program, pid, streamType: VIDEO_STREAM_TYPE[codec], media: 'video', codec, language: '' })
  }
  for (const { pid, codec, language } of audio) {
    tracks.push({ program, pid, streamType: AUDIO_STREAM_TYPE[codec], media: 'audio', codec, language })
  }
  for (const { pid, kind } of data) {
    tracks.push({ program, pid, streamType: DATA_STREAM_TYPE[kind], media: 'data', codec: kind, language: '' })
  }
  return tracks
}

function descriptorsOf({ language, codec, pid }: BuiltTrack, audio: ProgramLayout['audio']): Descriptor[] {
  const own = DATA_DESCRIPTORS[codec]
  if (language === '') return own === undefined ? [] : [own]
  return [languageDescriptor(language, audio.find((track) => track.pid === pid)?.audioType ?? 0)]
}

/** ISO_639_language_descriptor, ISO/IEC 13818-1 clause 2.6.18. */
function languageDescriptor(language: string, audioType: number): Descriptor {
  return [0x0a, ...Array.from(language.slice(0, 3), (letter) => letter.charCodeAt(0)), audioType]
}
