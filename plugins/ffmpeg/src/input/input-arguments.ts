// The command line of the input: the source, what becomes of its pictures and sound, and a transport stream on stdout.
import type { InputOptions } from './input-options.js'
import { keyFrameArguments } from './key-frames.js'
import { ANY_FORMAT, isStdin, sourceKind } from './source-kind.js'
import { withoutX265Parameters } from './x265-parameters.js'

const VIDEO_ENCODERS = { h264: 'libx264', h265: 'libx265', mpeg2: 'mpeg2video' } as const
const AUDIO_ENCODERS = { aac: 'aac', mp2: 'mp2', ac3: 'ac3' } as const
const DEFAULT_AUDIO = 128_000

/** The encoders that must be there. */
export function encodersFor({ video, audio }: Pick<InputOptions, 'video' | 'audio'>): readonly string[] {
  return [
    ...(video === 'copy' || video === 'none' ? [] : [VIDEO_ENCODERS[video]]),
    ...(audio === 'copy' || audio === 'none' ? [] : [AUDIO_ENCODERS[audio]]),
  ]
}

/** Without the program, and what every FFmpeg is given. */
export function inputArguments(options: InputOptions): readonly string[] {
  const { url, format, map, loop, inputArgs, outputArgs } = options
  return [
    ...(isRealtime(options) ? ['-re'] : []),
    ...(loop ? ['-stream_loop', '-1'] : []),
    ...(format === ANY_FORMAT ? [] : ['-f', format]),
    ...inputArgs,
    ...['-i', isStdin(url) ? 'pipe:0' : url],
    ...map.flatMap((stream) => ['-map', stream]),
    ...videoArguments(options),
    ...audioArguments(options),
    ...['-sn', '-dn'],
    ...(options.video === 'h265' ? withoutX265Parameters(outputArgs) : outputArgs),
    // The muxer holds nothing back, and tells each write.
    ...['-muxdelay', '0', '-muxpreload', '0', '-flush_packets', '1', '-f', 'mpegts', 'pipe:1'],
  ]
}

function isRealtime(options: Pick<InputOptions, 'realtime' | 'url' | 'format'>): boolean {
  return options.realtime === 'auto' ? sourceKind(options) !== 'live' : options.realtime
}

function videoArguments({ video, videoRate, gop, outputArgs }: InputOptions): readonly string[] {
  if (video === 'none') return ['-vn']
  if (video === 'copy') return ['-c:v', 'copy']
  const encoder = VIDEO_ENCODERS[video]
  const rate =
    videoRate === undefined ? [] : ['-b:v', `${videoRate}`, '-maxrate', `${videoRate}`, '-bufsize', `${videoRate}`]
  const speed = video === 'mpeg2' ? [] : ['-preset', 'veryfast']
  const keyFrames = keyFrameArguments(encoder, gop, outputArgs)
  // Players of television understand 4:2:0 alone.
  return ['-c:v', encoder, '-pix_fmt', 'yuv420p', ...speed, ...keyFrames, ...rate]
}

function audioArguments({ audio, audioRate = DEFAULT_AUDIO }: InputOptions): readonly string[] {
  if (audio === 'none') return ['-an']
  return audio === 'copy' ? ['-c:a', 'copy'] : ['-c:a', AUDIO_ENCODERS[audio], '-b:a', `${audioRate}`]
}
