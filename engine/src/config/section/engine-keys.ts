// The keys that the engine itself reads on a node, whatever its type.
import { z } from 'zod'
import { expressionProblem } from '../../graph/stream-keys.js'
import type { Definition } from '../../plugin/contract.js'
import { authName, choice, count, duration, rate } from '../../plugin/options.js'
import { RECORDER_SCHEMA } from './recorder-settings.js'

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
    description:
      'Whether timestamps continue across reconnects and loops, and what a server sends again is dropped, or everything stays as the source sends it.',
    reload: 'source',
  }),
  batch: duration({ min: 20, max: 100 })
    .prefault('50ms')
    .meta({ description: 'How long data is collected into a chunk before it is passed on.', reload: 'live' }),
  probe: duration({ min: 100, max: 60_000 }).prefault('2s').meta({
    description:
      'How long a PID that the PMT announces may be silent, by the clock of the stream, before another track or program leads: viewers start at the key frames of the track that leads. It leads again when it sends.',
    reload: 'live',
  }),
  maxRate: rate({ min: 8000 }).optional().meta({
    description:
      'The highest bit rate that is taken of the source, averaged over a second. What exceeds it waits, up to 1 MiB; then the source is paused, or, where it cannot pause (UDP, a file with `pace: pcr`, a program with `pausable: false`), data is dropped and counted. The input is then `degraded`. By default there is no limit.',
    reload: 'live',
  }),
  recorder: RECORDER_SCHEMA.optional().meta({
    description:
      'Keeps the last seconds of the stream in memory, and writes them to a file when something happens. By default nothing is kept; `recorder: {}` keeps 30 s.',
    reload: 'live',
  }),
})

/** The keys that say which published streams an input takes. */
export const PUBLISHED_SCHEMA = z.strictObject({
  streams: z
    .string()
    .regex(/^[^*]*\*?[^*]*$/, 'must have one * at most')
    .min(1)
    .max(128)
    .optional()
    .meta({
      description:
        'Which published streams it takes. `"*"` takes any, `"cam-*"` those whose key begins with `cam-`: its pipeline is a pattern pipeline, and each stream gets a copy of it. One name: the stream of that key feeds this input. By default the type decides whether it takes publishers.',
      reload: 'source',
    }),
  keys: z
    .string()
    .superRefine((text, context) => {
      const problem = expressionProblem(text)
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
    })
    .optional()
    .meta({
      description:
        'Regular expression for whole keys, in place of `[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}`: characters, classes, `|`, and at most three quantifiers. A key never has more than 128 characters, a slash or another separator, white space, or a leading dot.',
      reload: 'live',
    }),
  maxStreams: count({ min: 1, max: 10_000 }).prefault(100).meta({
    description: 'Maximum number of streams at the same time, those that linger included.',
    reload: 'live',
  }),
  linger: duration({ min: 0, max: 86_400_000 }).prefault('10s').meta({
    description:
      'How long the copy of a stream stays after its publisher has left. A publisher that returns by then costs no viewer.',
    reload: 'live',
  }),
  takeover: choice('refuse', 'replace').prefault('refuse').meta({
    description:
      'What happens to a second publisher of the same key. `refuse`: it is refused, unless the first one has sent nothing for `takeoverAfter`, as after a line broke. `replace`: it always takes over, and the first one is disconnected.',
    reload: 'live',
  }),
  takeoverAfter: duration({ min: 1000, max: 86_400_000 }).prefault('3s').meta({
    description:
      'With `takeover: refuse`, how long a publisher must have sent nothing for another one to take its place. A publisher that the engine makes wait is not silent.',
    reload: 'live',
  }),
  auth: z
    .union([authName(), z.array(authName()).min(1)])
    .optional()
    .meta({
      description:
        'Auth provider, or list of them, that publishers must pass; any of them can admit one. By default everybody may publish.',
      reload: 'live',
    }),
})

/** The keys that the engine reads on an input of a type that streams can be published to. */
export const PUBLISHING_SCHEMA = INPUT_SCHEMA.extend(PUBLISHED_SCHEMA.shape)

/** The keys that `defaults:` can set for an input in addition to the options of its type. */
const INPUT_OPTIONS: readonly string[] = ['timeline', 'batch', 'probe', 'maxRate', 'recorder']
const PUBLISHING_OPTIONS = [
  ...INPUT_OPTIONS,
  'streams',
  'keys',
  'maxStreams',
  'linger',
  'takeover',
  'takeoverAfter',
  'auth',
] as const

/** Streams can be published to nodes of this type. */
function takesPublishers(definition: Definition | undefined): boolean {
  return definition?.kind === 'input' && definition.publishers !== undefined
}

export function engineOptionsOf(definition: Definition | undefined): readonly string[] {
  return takesPublishers(definition) ? PUBLISHING_OPTIONS : INPUT_OPTIONS
}

/** For the keys that the engine reads on an input of this type. */
export function inputSchemaOf(definition: Definition | undefined): typeof INPUT_SCHEMA | typeof PUBLISHING_SCHEMA {
  return takesPublishers(definition) ? PUBLISHING_SCHEMA : INPUT_SCHEMA
}

/** The keys that only the node itself can set, not `defaults:`. */
export const NOT_DEFAULTED: readonly string[] = ['type', 'description', 'was', 'from']
