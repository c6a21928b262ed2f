// The arguments of one rendition's encoders: rates, profiles, and key frames where the source has them, or at multiples of a
// time.
import { keyFrameArguments, periodic } from '../encoders/key-frames.js'
import type { EncoderSource } from './encoder-source.js'
import type { Rendition } from './rendition.js'

export interface EncoderArgumentsSettings {
  readonly gop: 'source' | number
  readonly source: EncoderSource
  readonly audioFilters: string
}

const SAMPLE_RATE = 48_000
const CLOCK = 90_000
/** Where its 33 bits end, ISO/IEC 13818-1 2.4.3.7. */
const WRAP_S = (2 ** 33 / CLOCK).toFixed(6)

export function encoderArguments(rendition: Rendition, settings: EncoderArgumentsSettings): readonly string[] {
  const { hasVideo, audio } = settings.source
  return [
    ...(hasVideo ? videoArguments(rendition, settings) : []),
    ...(audio.length > 0 && rendition.audioCodec !== 'none' ? audioArguments(rendition, settings.audioFilters) : []),
  ]
}

function videoArguments(rendition: Rendition, { gop, source }: EncoderArgumentsSettings): readonly string[] {
  const { codec, encoder, profile, preset, tune, videoRate, maxRate, bufferBits } = rendition
  if (codec === 'copy') return ['-c:v', 'copy']
  const option = (name: string, value: string | number | undefined): string[] =>
    value === undefined ? [] : [name, String(value)]
  return [
    ...['-c:v', encoder, '-fps_mode', 'passthrough', '-enc_time_base', '1:90000'],
    ...option('-b:v', videoRate),
    ...option('-maxrate:v', maxRate),
    ...option('-bufsize:v', bufferBits),
    ...option('-profile:v', profile),
    ...option('-preset:v', preset),
    ...option('-tune:v', tune),
    ...keyFrameArguments(encoder, keyFrames(gop, source)),
  ]
}

/**
 * With a time: the first picture in each period of presentation time, counted from 0, also behind the end of the 33 bits.
 * ffmpeg counts `t` from its first picture, whose time is known here. A thousandth of a second covers what is lost in its
 * numbers.
 */
function keyFrames(gop: 'source' | number, { pts90k }: EncoderSource): string {
  if (gop === 'source') return 'source'
  const startS = (Math.max(0, pts90k) / CLOCK + 0.001).toFixed(6)
  return periodic(gop, (t) => `mod(${t}+${startS},${WRAP_S})`)
}

function audioArguments(rendition: Rendition, filters: string): readonly string[] {
  const { audioCodec, audioRate, channels } = rendition
  if (audioCodec === 'copy') return ['-c:a', 'copy']
  const rate = ['-b:a', String(audioRate), '-ac', String(channels), '-ar', String(SAMPLE_RATE)]
  return ['-c:a', 'aac', ...rate, ...(filters === '' ? [] : ['-filter:a', filters])]
}
