// The options of the output.
import { duration } from '@millrace/engine/plugin'
import { z } from 'zod'
import { programOptions } from './exec-options.js'

export const outputOptions = z.strictObject({
  ...programOptions('swap'),
  stallTimeout: duration().prefault('90s').meta({
    description:
      'A program that reads nothing for this long while it should is ended and started again; 0 for never: one that has closed its stdin then runs on, and the node is `degraded`.',
    reload: 'live',
  }),
})

export type OutputOptions = z.output<typeof outputOptions>
