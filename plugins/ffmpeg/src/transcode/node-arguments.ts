// Which of FFmpeg's options `extraArgs` may not set: those on which the node relies. Renditions stay aligned only if all
// have the key frames, times and PIDs that the node gives them, and go on for as long as the source does.
import { optionsIn } from '../input/argument-rules.js'

/** Without a stream. */
const SET_BY_NODE: ReadonlySet<string> = new Set([
  // Codecs and streams.
  ...['c', 'codec', 'vcodec', 'acodec', 'scodec', 'dcodec', 'streamid', 'vn', 'an'],
  // Key frames.
  ...['g', 'force_key_frames', 'keyint_min', 'sc_threshold', 'forced-idr', 'forced_idr', 'no-scenecut', 'intra'],
  ...['intra-refresh', 'copyinkf'],
  // Where the output ends.
  ...['t', 'to', 'ss', 'sseof', 'fs', 'frames', 'vframes', 'aframes', 'dframes', 'shortest'],
  // Times.
  ...['fps_mode', 'vsync', 'r', 'fpsmax', 'force_fps', 'enc_time_base', 'itsoffset', 'itsscale', 'copyts', 'copytb'],
  ...['start_at_zero', 'output_ts_offset', 'avoid_negative_ts', 'mpegts_copyts', 'async', 'af_copyts'],
])

/** `-x264-params` and the like. */
const PARAMETERS = /^(?:x26[45]-params|x264opts)$/
/** Of libx264 and libx265: where key frames are, and whether a decoder can start there. */
const KEY_FRAMES =
  /^(?:keyint(?:-(?:min|max))?|min-keyint|scenecut(?:-[a-z-]+)?|open-gop|intra-refresh|hist-scenecut|force-idr|fps)$/

/** Undefined if all is well; else what is wrong, for `must ...`. `args`: without other faults. */
export function faultOfNodeArguments(args: readonly string[]): string | undefined {
  for (const { text, name, value = '' } of optionsIn(args)) {
    if (SET_BY_NODE.has(name)) return `must not hold ${text}, which the node sets`
    const key = PARAMETERS.test(name) ? keysIn(value).find((each) => KEY_FRAMES.test(each)) : undefined
    if (key !== undefined) return `must not set ${key} in ${text}: the node sets where key frames are`
  }
  return undefined
}

/** `key=value:key`, in the spelling with dashes, and without the `no-` or `no` that negates a value. */
function keysIn(parameters: string): readonly string[] {
  const parts = parameters.replaceAll(/['"\\]/g, '').split(':')
  const keys = parts.map((part) => (part.split('=')[0] ?? '').trim().toLowerCase().replaceAll('_', '-'))
  return keys.map((key) => key.replace(/^no-?/, ''))
}
