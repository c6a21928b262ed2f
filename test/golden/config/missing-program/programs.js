// An output that needs a program.
import { defineOutput } from '@millrace/engine/plugin'
import { z } from 'zod'

const about = (description) => ({ description, reload: 'live' })

export default defineOutput({
  type: 'programs',
  summary: 'Needs a program.',
  consumes: ['ts'],
  inlets: 'one',
  options: z.strictObject({
    program: z.string().meta(about('Its name or path.')),
    required: z.boolean().default(true).meta(about('The node cannot do without it.')),
    lacks: z.boolean().default(false).meta(about('It is not good enough.')),
    fails: z.boolean().default(false).meta(about('Nobody can tell.')),
  }),
  programs: ({ program, required, lacks, fails }) => [
    {
      program,
      ...(required ? { install: 'apt-get install it' } : {}),
      async examine(ask) {
        if (fails) throw new Error('not today')
        const version = ((await ask(['-c', 'echo 1.2'])) ?? '').trim()
        return { version, lacks: lacks ? [{ what: `${version} has no encoder x`, help: 'install another one' }] : [] }
      },
    },
  ],
  examples: [],
  open() {},
})
