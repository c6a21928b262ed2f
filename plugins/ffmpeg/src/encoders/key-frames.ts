// The arguments that make key frames where they are forced, and nowhere else.

/** MPEG-2 of FFmpeg has no longer GOPs: 10 s of 60 pictures a second. */
const LONGEST_MPEG2 = 600
/** Longer than any time between two forced ones. */
const LONGEST = 100_000

/** `forced`: as `-force_key_frames` takes it. A decoder can start at each of them. */
export function keyFrameArguments(encoder: string, forced: string): readonly string[] {
  const longest = encoder === 'mpeg2video' ? LONGEST_MPEG2 : LONGEST
  return ['-g:v', String(longest), '-force_key_frames:v', forced, ...closedGops(encoder)]
}

/**
 * The value of `-force_key_frames`: the first picture in each period, in milliseconds. `time` makes the time of a period out
 * of the one of a picture, both in seconds.
 */
export function periodic(periodMs: number, time: (t: string) => string): string {
  const period = (t: string): string => `floor(${time(t)}/${periodMs / 1000})`
  return `expr:if(isnan(prev_forced_t),1,not(eq(${period('t')},${period('prev_forced_t')})))`
}

function closedGops(encoder: string): readonly string[] {
  switch (encoder) {
    case 'libx264':
      return ['-sc_threshold:v', '0', '-forced-idr:v', '1', '-flags:v', '+cgop']
    case 'libx265':
      return ['-forced-idr:v', '1', '-x265-params:v', 'scenecut=0:open-gop=0:keyint=-1:log-level=warning']
    case 'mpeg2video':
      return ['-sc_threshold:v', '1000000000', '-flags:v', '+cgop']
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
