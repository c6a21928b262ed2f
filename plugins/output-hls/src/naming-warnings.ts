// Names of segments that are not what the options say, with options that are valid together.
import type { HlsOptions } from './options.js'

export function namingWarnings({ naming, granularity }: Pick<HlsOptions, 'naming' | 'granularity'>): readonly string[] {
  return naming === 'sequence' && granularity > 1 ? ['"granularity" has no effect with "naming: sequence"'] : []
}
