// The command line of the encoder: the arguments of ffmpeg for the renditions of a node, and for the tracks that its inlet
// has.
import { outputPipe } from '../process/ffmpeg-process.js'
import { encoderArguments, furtherArguments } from './encoder-arguments.js'
import { FEED_AUDIO_PID, FEED_VIDEO_PID } from './feed.js'
import { deviceArguments } from './hardware.js'
import { NATIVE } from './ladder.js'
import { renditionNames } from './rendition.js'
import type { Rendition } from './rendition.js'
import { audioFilters, videoGraph } from './filters.js'
import type { EncoderSource } from './encoder-source.js'
import type { TranscodeOptions } from './transcode-options.js'

export interface EncoderCommand {
  readonly program: readonly string[]
  readonly args: readonly string[]
  /** How many renditions it gives. */
  readonly outputs: number
  /** Renditions whose key frames are elsewhere. */
  readonly free: readonly number[]
  readonly native: 'together' | 'free' | 'none'
}

/** The source can say anything. */
const LANGUAGE = /^[a-z]{3}$/i

/** Enough to know every track, and no more: each further byte delays the first picture. */
export const INPUT = ['-probesize', '2000000', '-analyzeduration', '1000000', '-f', 'mpegts', '-i', 'pipe:0']

/** A list of files, which FFmpeg would open, is no picture. */
const PICTURE = ['-format_whitelist', 'image2,png_pipe,jpeg_pipe,webp_pipe,bmp_pipe,tiff_pipe,gif,apng']

/** Audio that ends must not hold back the picture for longer, in microseconds. */
const MOST_INTERLEAVING = 1_000_000
/** `loudnorm` looks ahead for 3 s: pictures wait for their sound. */
const MOST_INTERLEAVING_LOUDNESS = 5_000_000

/**
 * Times are those of the source to the tick: `-copyts` alone rounds them to the frame rate, and shifts them near the end
 * of the 33 bits.
 */
function muxer({ loudness }: TranscodeOptions): readonly string[] {
  const delta = loudness === undefined ? MOST_INTERLEAVING : MOST_INTERLEAVING_LOUDNESS
  return [
    ...['-avoid_negative_ts', 'disabled', '-max_interleave_delta', String(delta), '-max_muxing_queue_size', '4096'],
    ...['-muxdelay', '0.2', '-muxpreload', '0', '-mpegts_copyts', '1', '-pes_payload_size', '0', '-flush_packets', '1'],
    ...['-pcr_period', '40', '-f', 'mpegts'],
  ]
}

export function encoderCommand(
  options: TranscodeOptions,
  renditions: readonly Rendition[],
  source: EncoderSource,
  program: readonly string[],
): EncoderCommand {
  const { watermark, gop } = options
  const graph = source.hasVideo ? videoGraph(options, renditions, source) : undefined
  const image =
    graph?.usesImage === true && watermark !== undefined ? [...PICTURE, '-i', `file:${watermark.image}`] : []
  const args = [
    ...deviceArguments(
      renditions.map(({ hardware }) => hardware),
      options.device,
    ),
    ...['-copyts', ...INPUT, ...image],
    ...(graph === undefined || graph.text === '' ? [] : ['-filter_complex', graph.text]),
    ...renditions.flatMap((rendition, output) => [
      ...(source.hasVideo ? ['-map', graph?.labels[output] ?? '0:v:0'] : []),
      ...['-map_metadata', '-1', '-map_chapters', '-1', '-sn', '-dn'],
      ...(source.hasVideo ? ['-streamid', `0:${FEED_VIDEO_PID}`] : []),
      ...(rendition.audioCodec === 'none' ? [] : audioTracks(source)),
      ...encoderArguments(rendition, { gop, source, audioFilters: audioFilters(options, rendition) }),
      ...furtherArguments(rendition),
      ...muxer(options),
      outputPipe(output),
    ]),
  ]
  const isTimed = gop !== 'source'
  const free = renditions.flatMap(({ codec }, output) => (codec === 'copy' && isTimed ? [output] : []))
  const hasNative = renditionNames(options.renditions).includes(NATIVE)
  return {
    program,
    args,
    outputs: renditions.length,
    free,
    native: hasNative ? (isTimed ? 'free' : 'together') : 'none',
  }
}

/** All of them, each on the PID of its slot, in its language. */
function audioTracks({ hasVideo, audio }: EncoderSource): readonly string[] {
  return audio.flatMap(({ slot, language }, index) => {
    const pid = FEED_AUDIO_PID + slot
    return [
      ...['-map', `0:i:${pid}`, '-streamid', `${(hasVideo ? 1 : 0) + index}:${pid}`],
      ...(LANGUAGE.test(language) ? [`-metadata:s:a:${index}`, `language=${language}`] : []),
    ]
  })
}
