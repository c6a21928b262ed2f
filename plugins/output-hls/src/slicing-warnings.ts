// What several origins need so that their playlists agree, which one of them cannot know: `slicing: aligned`.
import type { HlsOptions } from './options.js'

/** `hasSourceTimes`: of the inputs; undefined if they are not known. */
export function slicingWarnings(
  { slicing }: Pick<HlsOptions, 'slicing'>,
  hasSourceTimes: boolean | undefined,
): readonly string[] {
  if (slicing !== 'aligned') return []
  return [
    'with "slicing: aligned", origins that first start in different hours have different discontinuity sequences: copy numbers.json of one to the others, or let the balancer keep each viewer on one origin',
    ...(hasSourceTimes === false
      ? [
          '"slicing: aligned" needs "timeline: source" on the inputs: origins make the times of a stream continuous each in its own way',
        ]
      : []),
  ]
}
