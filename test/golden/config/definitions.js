// Definitions unlike those of the built-in plugins: several ports, and an output that accepts only GOPs.
import { defineOutput, defineTransform } from '@millrace/engine/plugin'
import { z } from 'zod'

function open() {
  throw new Error('check must not open nodes')
}

const ladder = defineTransform({
  type: 'ladder',
  summary: 'Several sizes of one picture.',
  consumes: ['ts'],
  inlets: 'one',
  ports: [{ name: '720p', kind: 'ts' }, { name: '360p', kind: 'ts' }],
  options: z.strictObject({}),
  examples: [],
  open,
})

/** Schemas with messages of their own. */
const argument = z.union([z.string(), z.int()], { error: 'must be text: put it in quotes' })

const segments = defineOutput({
  type: 'segments',
  summary: 'Whole groups of pictures.',
  consumes: ['gop'],
  inlets: 'one',
  options: z.strictObject({
    command: z.array(argument, { error: 'must be a list: no shell splits a text' }).optional().meta({ description: 'Of a program.', reload: 'swap' }),
    headers: z.record(z.string(), z.string()).optional().meta({ description: 'Of requests.', reload: 'swap' }),
    forget: z.boolean().default(false).meta({ description: 'Segments are not kept.', reload: 'live' }),
  }),
  warnings: ({ forget }) => (forget ? ['with "forget" there is nothing to watch'] : []),
  examples: [],
  open,
})

export default [ladder, segments]
