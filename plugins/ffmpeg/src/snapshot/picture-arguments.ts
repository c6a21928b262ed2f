// The command line that makes a picture of one key frame.
import type { KeyFrame } from './key-frame-taker.js'
import type { SnapshotOptions } from './snapshot-options.js'

/** 8K. Larger ones are damaged, or hostile. */
const MOST_PIXELS = 7680 * 4320

/** `-q:v` of the MJPEG encoder: 2 is the best, 31 the worst. */
const BEST = 2
const WORST = 31

/** Encoders of FFmpeg, by format. */
export const PICTURE_ENCODERS = { jpeg: 'mjpeg', webp: 'libwebp' } as const

/** Without the program. */
export function pictureArguments(
  { pid }: Pick<KeyFrame, 'pid'>,
  { format, width, quality }: Pick<SnapshotOptions, 'format' | 'width' | 'quality'>,
): readonly string[] {
  // Square pixels, an even number of them.
  const size =
    width === undefined ? "scale=w='trunc(ih*dar/2)*2':h=ih" : `scale=w=${width}:h='max(2,trunc(ow/dar/2)*2)'`
  const encoder =
    format === 'webp'
      ? ['-c:v', PICTURE_ENCODERS.webp, '-quality', `${quality}`]
      : ['-c:v', PICTURE_ENCODERS.jpeg, '-q:v', `${Math.round(WORST - ((WORST - BEST) * quality) / 100)}`]
  return [
    ...['-hide_banner', '-loglevel', 'error', '-nostats', '-y', '-threads', '1', '-max_pixels', `${MOST_PIXELS}`],
    ...['-f', 'mpegts', '-i', 'pipe:0', '-map', `0:i:${pid}`, '-frames:v', '1'],
    ...['-vf', `yadif=deint=interlaced,${size},setsar=1`, '-pix_fmt', format === 'webp' ? 'yuv420p' : 'yuvj420p'],
    ...[...encoder, '-f', 'image2pipe', 'pipe:1'],
  ]
}
