// The options of the listener. All of them concern callers that come later.
import { choice, count, duration, secret } from '@millrace/engine/plugin'
import { isKeyLength, passphraseProblem } from '@millrace/srt'
import { z } from 'zod'

/** What libsrt accepts. */
export function passphrase(): z.ZodType<string, string> {
  return secret().refine((text) => passphraseProblem(text) === undefined, 'must have 10 to 79 characters')
}

/** In bytes, as SRT has it. */
export function keyLength(): z.ZodType<16 | 24 | 32, number | string> {
  return count({ min: 16, max: 32 })
    .refine(isKeyLength, 'must be 16, 24 or 32')
    .transform((bytes) => bytes as 16 | 24 | 32)
}

/** In packets. */
export function reorderTolerance(): z.ZodType<number, number | string> {
  return count({ max: 1000 })
}

const MOST_LABELS = 1000
const MOST_LABEL = 64

export const srtListenerOptions = z.strictObject({
  latency: duration({ max: 60_000 }).prefault('120ms').meta({
    description:
      'Least latency of connections, in both directions; a caller may ask for more. At least four round trips.',
    reload: 'live',
  }),
  maxLatency: duration({ min: 20, max: 60_000 }).prefault('8s').meta({
    description: 'Most latency that a caller can ask for. A longer `latency` of ours counts all the same.',
    reload: 'live',
  }),
  passphrase: passphrase().optional().meta({
    description: '10 to 79 characters that encrypt all connections. By default they are plain.',
    reload: 'live',
  }),
  pbkeylen: keyLength().optional().meta({
    description:
      'Length of the key in bytes (16, 24 or 32), announced to callers that have a passphrase and no wish. By default 16.',
    reload: 'live',
  }),
  idle: duration({ min: 1000, max: 600_000 })
    .prefault('5s')
    .meta({ description: 'A connection ends when nothing has come from its other end for this long.', reload: 'live' }),
  reorderTolerance: reorderTolerance().default(0).meta({
    description:
      'Packets by which a reordered one may be late before it is reported as lost, as over several paths (libsrt: `lossmaxttl`).',
    reload: 'live',
  }),
  mtu: count({ min: 576, max: 9000 })
    .default(1500)
    .meta({ description: 'Largest datagram, with its headers, in bytes.', reload: 'live' }),
  limits: z
    .strictObject({
      connections: count({ min: 0 })
        .default(1000)
        .meta({ description: 'Maximum number of callers; 0 for no limit.', reload: 'live' }),
      perAddress: count({ min: 0 }).default(100).meta({
        description: 'Maximum number of callers from one IPv4 address, or from one IPv6 /64 network; 0 for no limit.',
        reload: 'live',
      }),
    })
    .prefault({})
    .meta({ description: 'Callers over a limit are rejected with 1402, before they are asked for credentials.' }),
  offline: z
    .strictObject({
      waitFor: duration({ max: 60_000 }).prefault('2s').meta({
        description:
          'How long a request waits for a stream that nobody publishes yet, before it is rejected with 1404. The tools of libsrt give up after 3 s unless their `connect_timeout` or `conntimeo` says otherwise.',
        reload: 'live',
      }),
    })
    .prefault({})
    .meta({ description: 'Requests for streams that are not there, such as those of a pattern pipeline.' }),
  labels: z
    .record(z.string().min(1).max(512), z.string().min(1).max(MOST_LABEL))
    .refine((labels) => Object.keys(labels).length <= MOST_LABELS, `must have at most ${MOST_LABELS} entries`)
    .default({})
    .meta({
      description:
        'Names for callers in the status and the log: by the stream that they ask for, or by address or range, such as `10.1.0.0/16: studio`.',
      reload: 'live',
    }),
  default: z
    .strictObject({
      mode: choice('publish', 'request').default('request').meta({
        description: 'What a caller does whose StreamID says nothing about it.',
        reload: 'live',
      }),
      stream: z.string().min(1).optional().meta({
        description: 'The stream of a caller whose StreamID names none. By default it is refused.',
        reload: 'live',
      }),
    })
    .optional()
    .meta({ description: 'For callers without a StreamID, such as VLC 3.' }),
})

export type SrtListenerOptions = z.output<typeof srtListenerOptions>
