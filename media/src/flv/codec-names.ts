// Codecs by the names that FLV has for them: numbers of the legacy headers, and FourCCs of Enhanced RTMP.
import type { Codec, Track } from '../elementary/index.js'
import { AAC_ID, AVC_ID, HEVC_ID, MP3_8K_ID, MP3_ID } from './tag-format.js'

export const FOURCC_BY_CODEC: Readonly<Partial<Record<Codec, string>>> = {
  h264: 'avc1',
  h265: 'hvc1',
  av1: 'av01',
  aac: 'mp4a',
  mp3: '.mp3',
  ac3: 'ac-3',
  eac3: 'ec-3',
  opus: 'Opus',
}
const CODEC_BY_FOURCC = new Map<number, Codec>()
for (const [codec, name] of Object.entries(FOURCC_BY_CODEC)) CODEC_BY_FOURCC.set(packFourCc(name), codec as Codec)

/** CodecID, annex E.4.3.1; SoundFormat, E.4.2.1. Codecs that we carry have the names of `Codec`. */
const VIDEO_NAMES: Readonly<Record<number, string>> = {
  2: 'Sorenson H.263',
  3: 'Screen video',
  4: 'VP6',
  5: 'VP6 with alpha',
  6: 'Screen video 2',
  [AVC_ID]: 'h264',
  [HEVC_ID]: 'h265',
  13: 'av1',
}
const AUDIO_NAMES: Readonly<Record<number, string>> = {
  0: 'PCM',
  1: 'ADPCM',
  [MP3_ID]: 'mp3',
  3: 'PCM, little endian',
  4: 'Nellymoser 16 kHz',
  5: 'Nellymoser 8 kHz',
  6: 'Nellymoser',
  7: 'G.711 A-law',
  8: 'G.711 mu-law',
  [AAC_ID]: 'aac',
  11: 'Speex',
  [MP3_8K_ID]: 'mp3',
  15: 'device-specific sound',
}

/** Undefined if the codec is not carried. */
export function codecOfFourCc(fourCc: number): Codec | undefined {
  return CODEC_BY_FOURCC.get(fourCc)
}

export function kindOfCodec(codec: Codec): Track['kind'] {
  return codec === 'h264' || codec === 'h265' || codec === 'av1' ? 'video' : 'audio'
}

/** Four characters as a number, the first one highest. */
export function packFourCc(name: string): number {
  let value = 0
  for (let at = 0; at < 4; at++) value = value * 256 + (name.charCodeAt(at) & 0xff)
  return value
}

export function readFourCc(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}

/** Four characters; those that can't be printed are dots. */
export function nameOfFourCc(fourCc: number): string {
  let name = ''
  for (let shift = 24; shift >= 0; shift -= 8) {
    const code = (fourCc >>> shift) & 0xff
    name += code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : '.'
  }
  return name
}

/** Of a number in a legacy header. */
export function nameOfLegacy(kind: Track['kind'], id: number): string {
  return (kind === 'video' ? VIDEO_NAMES : AUDIO_NAMES)[id] ?? `${kind} codec ${id}`
}

/**
 * Of `videocodecid` or `audiocodecid` in onMetaData: a number of the legacy headers, a FourCC as a number in either byte
 * order, or a text. Undefined if it says nothing.
 */
export function nameOfMetadata(kind: Track['kind'], value: unknown): string | undefined {
  if (typeof value === 'string') return value.length > 0 && value.length <= 32 ? shortName(value) : undefined
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 0xffff_ffff) return undefined
  if (value < 16) return nameOfLegacy(kind, value)
  const swapped = (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0
  const codec = codecOfFourCc(value) ?? codecOfFourCc(swapped)
  const name = nameOfFourCc(value)
  return codec ?? (name.includes('.') ? `${kind} codec ${value}` : name)
}

function shortName(text: string): string {
  const codec = text.length === 4 ? codecOfFourCc(packFourCc(text)) : undefined
  return codec ?? text.replaceAll(/[^\x20-\x7e]/g, '.')
}
