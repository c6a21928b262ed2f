// The arguments of one rendition's encoders: rates, profiles, and key frames where the source has them, or at multiples of a
// time.
import type { EncoderSource } from './encoder-source.js'
import { withoutX265Parameters, x265Parameters } from '../input/x265-parameters.js'
import { givenFilters } from './given-filters.js'
import type { Rendition } from './rendition.js'
import { tuningArguments } from './tuning-arguments.js'

export interface EncoderArgumentsSettings {
  readonly gop: 'source' | number
  readonly source: EncoderSource
  readonly audioFilters: string
}

const SAMPLE_RATE = 48_000
/** No key frame but those that are forced. */
const NO_GOP = 100_000
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

function option(name: string, value: string | number | undefined): readonly string[] {
  return value === undefined ? [] : [name, String(value)]
}

function videoArguments(rendition: Rendition, { gop, source }: EncoderArgumentsSettings): readonly string[] {
  const { codec, encoder, videoRate, maxRate, bufferBits } = rendition
  if (codec === 'copy') return ['-c:v', 'copy']
  return [
    ...['-c:v', encoder, '-fps_mode', 'passthrough', '-enc_time_base', '1:90000'],
    ...option('-b:v', videoRate),
    ...option('-maxrate:v', maxRate),
    ...option('-bufsize:v', bufferBits),
    ...tuningArguments(rendition),
    ...['-g:v', String(NO_GOP), '-force_key_frames:v', keyFrames(gop, source)],
    ...closedGops(rendition),
  ]
}

/** No scene cuts, and forced key frames that a decoder can start at. */
function closedGops({ encoder, extraArgs }: Rendition): readonly string[] {
  switch (encoder) {
    case 'libx264':
      return ['-sc_threshold:v', '0', '-forced-idr:v', '1', '-flags:v', '+cgop']
    case 'libx265':
      return ['-forced-idr:v', '1', ...x265Parameters(extraArgs)]
    case 'h264_nvenc':
    case 'hevc_nvenc':
      return ['-no-scenecut:v', '1', '-forced-idr:v', '1']
    case 'h264_qsv':
    case 'hevc_qsv':
      return ['-forced_idr:v', '1']
    default:
      return []
  }
}

/** Those of `extraArgs` that stand by themselves: no filters, and no list that is a part of another one. */
export function furtherArguments({ extraArgs }: Pick<Rendition, 'extraArgs'>): readonly string[] {
  return withoutX265Parameters(givenFilters(extraArgs).args)
}

/**
 * With a time: the first picture in each period of presentation time, counted from 0, also behind the end of the 33 bits.
 * ffmpeg counts `t` from its first picture, whose time is known here. A thousandth of a second covers what is lost in its
 * numbers.
 */
function keyFrames(gop: 'source' | number, { pts90k }: EncoderSource): string {
  if (gop === 'source') return 'source'
  const startS = (Math.max(0, pts90k) / CLOCK + 0.001).toFixed(6)
  const period = (time: string): string => `floor(mod(${time}+${startS},${WRAP_S})/${gop / 1000})`
  return `expr:if(isnan(prev_forced_t),1,not(eq(${period('t')},${period('prev_forced_t')})))`
}

function audioArguments(rendition: Rendition, filters: string): readonly string[] {
  const { audioCodec, audioRate, channels } = rendition
  if (audioCodec === 'copy') return ['-c:a', 'copy']
  const rate = ['-b:a', String(audioRate), '-ac', String(channels), '-ar', String(SAMPLE_RATE)]
  return ['-c:a', 'aac', ...rate, ...(filters === '' ? [] : ['-filter:a', filters])]
}
