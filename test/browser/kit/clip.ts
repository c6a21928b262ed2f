// Streams with real pictures and sound, made by ffmpeg: small, at a constant rate, with key frames where they are wanted.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

export interface ClipOptions {
  readonly durationS: number
  /** Times of key frames, as an expression of ffmpeg's `-force_key_frames`, or their distance in seconds. */
  readonly keyFrames: number | string
  /** Time of the first picture. The clock of 33 bits wraps at 95443.7 s. */
  readonly offsetS?: number
  readonly hasVideo?: boolean
  /** In a row, by default none. Where the clock wraps, pictures wrap in another order than they are sent. */
  readonly bFrames?: number
  /** The sound once for each. By default once, without a language. */
  readonly languages?: readonly string[]
}

/** Bits per second of the multiplex: what is written in a second is a second of the stream. */
export const CLIP_RATE = 400_000

const FPS = 25
/** More than any distance of key frames. */
const NEVER = 100_000

export async function makeClip(path: string, options: ClipOptions): Promise<void> {
  const { durationS, keyFrames, offsetS = 10, hasVideo = true, bFrames = 0, languages = [] } = options
  const picture = ['-f', 'lavfi', '-i', `testsrc2=size=192x108:rate=${FPS}`]
  const sound = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000']
  const forced = typeof keyFrames === 'number' ? `expr:gte(t,n_forced*${keyFrames})` : keyFrames
  const video = [
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-b:v', '160k', '-maxrate', '160k'],
    ...['-bf', String(bFrames)],
    ...['-bufsize', '80k', '-g', String(NEVER), '-keyint_min', '1', '-sc_threshold', '0', '-force_key_frames', forced],
  ]
  const tracks = languages.flatMap((code, index) => ['-map', '1:a', `-metadata:s:a:${index}`, `language=${code}`])
  await promisify(execFile)('ffmpeg', [
    ...['-hide_banner', '-loglevel', 'error', '-y', '-threads', '1', ...(hasVideo ? picture : []), ...sound],
    ...(tracks.length === 0 ? [] : ['-map', '0:v', ...tracks]),
    ...['-t', String(durationS), ...(hasVideo ? video : []), '-c:a', 'aac', '-b:a', '64k', '-ac', '1'],
    ...['-muxrate', String(CLIP_RATE), '-muxdelay', '0.4', '-output_ts_offset', String(offsetS), '-f', 'mpegts', path],
  ])
}
