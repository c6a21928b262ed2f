// The arguments that make a key frame every `gop`, and nowhere else.
import { x265Parameters } from './x265-parameters.js'

/** What FFmpeg counts itself. MPEG-2 has at most 600: 10 s of 60 pictures a second. */
const LONGEST = { libx264: 100_000, libx265: 100_000, mpeg2video: 600 } as const

/** No scene cuts, and key frames that a decoder can start at. */
const CLOSED = {
  libx264: ['-sc_threshold:v', '0', '-forced-idr:v', '1', '-flags:v', '+cgop'],
  libx265: ['-forced-idr:v', '1'],
  mpeg2video: ['-sc_threshold:v', '1000000000', '-flags:v', '+cgop'],
} as const

/**
 * The first picture in each period is one: also behind a gap. A thousandth of a second covers what FFmpeg loses in its
 * numbers. `given`: further arguments, without faults; their parameters of libx265 are in the list.
 */
export function keyFrameArguments(
  encoder: keyof typeof CLOSED,
  gopMs: number,
  given: readonly string[],
): readonly string[] {
  const period = (t: string): string => `floor((${t}+0.001)/${gopMs / 1000})`
  const forced = `expr:if(isnan(prev_forced_t),1,not(eq(${period('t')},${period('prev_forced_t')})))`
  const parameters = encoder === 'libx265' ? x265Parameters(given) : []
  return ['-g:v', String(LONGEST[encoder]), '-force_key_frames:v', forced, ...CLOSED[encoder], ...parameters]
}
