// The options of the input.
import { duration, flag } from '@millrace/engine/plugin'
import { z } from 'zod'
import { programOptions } from './exec-options.js'

export const inputOptions = z.strictObject({
  ...programOptions('source'),
  pausable: flag().default(true).meta({
    description:
      'Whether the program can wait: while a reader holds, its output is not read, for all readers, and nothing is dropped. `false` for a live encoder or a device: packets are dropped for the slow reader alone, and for all, as `overload`, if the engine cannot process the stream in time.',
    reload: 'source',
  }),
  readTimeout: duration().prefault('30s').meta({
    description:
      'A program that writes nothing for this long is ended and started again; 0 for never. Time during which readers hold does not count.',
    reload: 'live',
  }),
})

export type InputOptions = z.output<typeof inputOptions>
