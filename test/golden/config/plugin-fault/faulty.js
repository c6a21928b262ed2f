import { defineOutput } from '@millrace/engine/plugin'
import { z } from 'zod'

export default defineOutput({
  type: 'faulty',
  summary: 'Its exclusive() throws.',
  consumes: ['ts'],
  inlets: 'one',
  options: z.strictObject({}),
  exclusive() {
    throw new Error('not today')
  },
  examples: [],
  open() {},
})
