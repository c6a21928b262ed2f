// The options of the input.
import { duration } from '@millrace/engine/plugin'
import { z } from 'zod'
import { programOptions } from './exec-options.js'

export const inputOptions = z.strictObject({
  ...programOptions('source'),
  readTimeout: duration().prefault('30s').meta({
    description:
      'A program that writes nothing for this long is ended and started again; 0 for never. Time during which readers hold does not count.',
    reload: 'live',
  }),
})

export type InputOptions = z.output<typeof inputOptions>
