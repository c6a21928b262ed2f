// What onMetaData says, in every shape that encoders send. Tracks come from media: metadata only tells which ones to wait
// for, and what to show.
import { nameOfMetadata } from './codec-names.js'

/** Names and texts of the encoder; longer ones are cut. */
const MAX_TEXT = 128
/** Control characters, and those that change the order of text. */
const UNPRINTABLE = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu

export interface FlvMetadata {
  /** The tracks that it announces: undefined if it announces none, which says nothing about what comes. */
  readonly announced: { readonly video: boolean; readonly audio: boolean } | undefined
  /** As they name themselves here; unknown ones too. */
  readonly videoCodec?: string
  readonly audioCodec?: string
  readonly width?: number
  readonly height?: number
  readonly frameRate?: number
  readonly videoBitrateKbps?: number
  readonly audioBitrateKbps?: number
  readonly sampleRate?: number
  readonly channels?: number
  readonly encoder?: string
}

const NUMBERS = {
  width: 'width',
  height: 'height',
  frameRate: 'framerate',
  videoBitrateKbps: 'videodatarate',
  audioBitrateKbps: 'audiodatarate',
  sampleRate: 'audiosamplerate',
  channels: 'audiochannels',
} as const

/** `value`: what follows the text `onMetaData`, as an AMF reader gives it. */
export function readMetadata(value: unknown): FlvMetadata {
  const fields: Readonly<Record<string, unknown>> = isRecord(value) ? value : {}
  const found: Record<string, number | string> = {}
  for (const [name, key] of Object.entries(NUMBERS)) {
    const number = fields[key]
    if (typeof number === 'number' && Number.isFinite(number) && number > 0) found[name] = number
  }
  if (found['channels'] === undefined && typeof fields['stereo'] === 'boolean') {
    found['channels'] = fields['stereo'] ? 2 : 1
  }
  const videoCodec = nameOfMetadata('video', fields['videocodecid'])
  const audioCodec = nameOfMetadata('audio', fields['audiocodecid'])
  const encoder = fields['encoder']
  if (videoCodec !== undefined) found['videoCodec'] = videoCodec
  if (audioCodec !== undefined) found['audioCodec'] = audioCodec
  if (typeof encoder === 'string') found['encoder'] = encoder.slice(0, MAX_TEXT).replaceAll(UNPRINTABLE, '.')
  return { announced: announcedBy(fields, found), ...found }
}

function announcedBy(fields: Readonly<Record<string, unknown>>, found: Readonly<Record<string, unknown>>) {
  const has = (...names: readonly string[]): boolean => names.some((name) => found[name] !== undefined)
  const video = has('videoCodec', 'width', 'height', 'frameRate', 'videoBitrateKbps')
  const audio = has('audioCodec', 'sampleRate', 'channels', 'audioBitrateKbps')
  // Some say it in so many words.
  const isVideo = typeof fields['hasVideo'] === 'boolean' ? fields['hasVideo'] : video
  const isAudio = typeof fields['hasAudio'] === 'boolean' ? fields['hasAudio'] : audio
  return isVideo || isAudio ? { video: isVideo, audio: isAudio } : undefined
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
}
