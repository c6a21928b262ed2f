// The options of the provider.
import { count, duration, listenerName, secret } from '@millrace/engine/plugin'
import { z } from 'zod'

/** RFC 6750 section 2.1. */
const BEARER_TOKEN = /^[A-Za-z0-9._~+/-]+=*$/
/** As the engine's `streams` take them; a session names one in a URL. */
const STREAM_NAME = /^[^/\\?#%\s\p{C}.][^/\\?#%\s\p{C}]{0,127}$/u
/** Segments that need no encoding (RFC 3986), none of them empty or hidden. */
const PATH = /^(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$/
const MOST_STREAMS = 10_000
const HOUR_MS = 3_600_000

const token = secret().refine(
  (text) => BEARER_TOKEN.test(text),
  'must consist of letters, digits and -._~+/, with = only at the end',
)

/** As SRT has it, which counts bytes of UTF-8. */
const passphrase = secret().refine(hasPassphraseLength, 'must have 10 to 79 bytes')

const bothTokens = z
  .strictObject({
    publish: token.meta({ description: 'Token whose sessions may publish.', reload: 'live' }),
    request: token.meta({ description: 'Token whose sessions may watch.', reload: 'live' }),
  })
  .refine(({ publish, request }) => publish !== request, 'must have two different tokens; write one token for both')

export const OPTIONS = z.strictObject({
  listener: listenerName().meta({ description: 'The listener that serves the requests for sessions.', reload: 'live' }),
  path: z
    .string()
    .regex(PATH, 'must be a path such as /v1/streams, without a slash at the end')
    .default('/v1/streams')
    .meta({ description: 'Sessions are created below it, at `{stream}/sessions`.', reload: 'live' }),
  streams: z
    .record(z.string().regex(STREAM_NAME, 'must be the name of a stream'), z.union([token, bothTokens]))
    .refine((streams) => Object.keys(streams).length > 0, 'must have at least one stream')
    .refine((streams) => Object.keys(streams).length <= MOST_STREAMS, `must have at most ${MOST_STREAMS} streams`)
    .meta({
      description:
        'By the name of the stream, the bearer token that creates its sessions, or `{ publish, request }`: two tokens, whose sessions may only publish, or only watch.',
      reload: 'live',
    }),
  passphrases: z.record(z.string().regex(STREAM_NAME, 'must be the name of a stream'), passphrase).default({}).meta({
    description:
      'By the name of the stream, the passphrase that encrypts its connections over SRT, 10 to 79 characters. By default that of the input, the output or the listener.',
    reload: 'live',
  }),
  lifetime: duration({ min: 1000, max: 24 * HOUR_MS })
    .prefault('5m')
    .meta({ description: 'How long a session waits to be used. Applies to new sessions.', reload: 'live' }),
  resume: duration({ max: 24 * HOUR_MS })
    .prefault('30s')
    .meta({
      description:
        'How long a session that was used can be used again, from the same address alone; each time counts anew. 0 for never.',
      reload: 'live',
    }),
  maxSessions: count({ min: 1, max: 10_000 })
    .default(1000)
    .meta({ description: 'Maximum number of sessions of one token; beyond it, requests receive 429.', reload: 'live' }),
  cors: z
    .array(z.string().regex(/^(?:\*|https?:\/\/[^/\s]+)$/, 'must be an origin such as https://tv.example, or *'))
    .default([])
    .meta({
      description: 'Origins whose web pages may create sessions, such as https://tv.example, or `*` for all of them.',
      reload: 'live',
    }),
})

function hasPassphraseLength(text: string): boolean {
  const bytes = Buffer.byteLength(text)
  return bytes >= 10 && bytes <= 79
}

export function isStreamName(text: string): boolean {
  return STREAM_NAME.test(text)
}

export type SessionOptions = z.output<typeof OPTIONS>
