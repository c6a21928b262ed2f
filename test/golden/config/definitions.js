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

const segments = defineOutput({
  type: 'segments',
  summary: 'Whole groups of pictures.',
  consumes: ['gop'],
  inlets: 'one',
  options: z.strictObject({}),
  examples: [],
  open,
})

export default [ladder, segments]
