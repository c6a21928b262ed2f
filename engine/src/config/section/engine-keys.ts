// The keys that the engine itself reads on a node, whatever its type.
import { z } from 'zod'
import { choice, duration } from '../../plugin/options.js'

/** On every node, in addition to `type`. */
export const NODE_SCHEMA = z.strictObject({
  description: z.string().optional().meta({ description: 'What the node is for; shown in status.', reload: 'live' }),
  was: z
    .string()
    .regex(/^[a-z][a-z0-9-]*$/, 'must be the former id of the node')
    .optional()
    .meta({
      description: 'The id of the node before it was renamed. With it, a reload keeps the node running.',
      reload: 'live',
    }),
})

/** The keys that the engine reads on an input, in addition to `type`. */
export const INPUT_SCHEMA = NODE_SCHEMA.extend({
  timeline: choice('continuous', 'source').prefault('continuous').meta({
    description: 'Whether timestamps continue across reconnects and loops, or stay as the source sends them.',
    reload: 'source',
  }),
  batch: duration({ min: 20, max: 100 })
    .prefault('50ms')
    .meta({ description: 'How long data is collected into a chunk before it is passed on.', reload: 'live' }),
})

/** The keys that `defaults:` can set for an input in addition to the options of its type. */
export const ENGINE_OPTIONS: readonly string[] = ['timeline', 'batch']

/** The keys that only the node itself can set, not `defaults:`. */
export const NOT_DEFAULTED: readonly string[] = ['type', 'description', 'was', 'from']
