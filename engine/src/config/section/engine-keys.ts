// The keys that the engine itself reads on a node, whatever its type.
import { z } from 'zod'
import { choice, duration } from '../../plugin/options.js'

/** On every node, beside `type`. */
export const NODE_SCHEMA = z.strictObject({
  description: z.string().optional().meta({ description: 'What the node is for, shown in status.', reload: 'live' }),
  was: z
    .string()
    .regex(/^[a-z][a-z0-9-]*$/, 'must be the id that the node had')
    .optional()
    .meta({ description: 'Its id before it was renamed, so that a reload keeps it.', reload: 'live' }),
})

/** The keys that the engine reads on an input, beside `type`. */
export const INPUT_SCHEMA = NODE_SCHEMA.extend({
  timeline: choice('continuous', 'source').prefault('continuous').meta({
    description: 'Whether timestamps run on over reconnects and loops, or stay as the source sends them.',
    reload: 'source',
  }),
  batch: duration({ min: 20, max: 100 })
    .prefault('50ms')
    .meta({ description: 'How long a chunk collects before it travels on.', reload: 'live' }),
})

/** Of an input, what `defaults:` may give beside the options of its type. */
export const ENGINE_OPTIONS: readonly string[] = ['timeline', 'batch']

/** What is a node's own. */
export const NOT_DEFAULTED: readonly string[] = ['type', 'description', 'was', 'from']
