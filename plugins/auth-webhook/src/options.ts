// The options of the provider.
import { choice, count, duration, requestHeaders, secret, url } from '@millrace/engine/plugin'
import { z } from 'zod'
import { SECRETS } from './question.js'

/** Fits between the quotes of a challenge. */
const REALM = /^[\x20\x21\x23-\x5b\x5d-\x7e]{1,128}$/
/** The engine waits no longer than 10 s for a decision. */
const LONGEST_TIMEOUT_MS = 9000

export const OPTIONS = z.strictObject({
  url: url({ schemes: ['http', 'https'] }).meta({
    description: 'URL to which questions are POSTed. Redirects are not followed, and no proxy is used.',
    reload: 'live',
  }),
  headers: requestHeaders()
    .default({})
    .meta({ description: 'Additional request headers, for example Authorization.', reload: 'live' }),
  secret: secret().optional().meta({
    description: 'Key for the HMAC-SHA256 of the body in X-Millrace-Signature. By default questions are not signed.',
    reload: 'live',
  }),
  send: z
    .array(choice(...SECRETS))
    .default(['token', 'query'])
    .meta({
      description: 'Secrets of the client that the question contains: its token, its whole query, its password.',
      reload: 'live',
    }),
  parameter: z
    .string()
    .regex(/^[A-Za-z0-9._~-]{1,64}$/, 'must be a parameter name: letters, digits and -._~')
    .default('token')
    .meta({
      description: 'Query parameter that is sent as the token of a client without another one.',
      reload: 'live',
    }),
  realm: z
    .string()
    .regex(REALM, 'must be ASCII text without quotes or backslashes')
    .default('millrace')
    .meta({ description: 'Realm that browsers and players show when the hook responds with 401.', reload: 'live' }),
  timeout: duration({ min: 100, max: LONGEST_TIMEOUT_MS })
    .prefault('3s')
    .meta({ description: 'Time limit of a decision, waiting for other questions included.', reload: 'live' }),
  onFailure: choice('deny', 'allow').default('deny').meta({
    description: 'What happens to a client while the hook fails. Clients that find it too busy are always refused.',
    reload: 'live',
  }),
  cache: duration({ max: 3_600_000 })
    .prefault('10s')
    .meta({ description: 'How long an allowed client is not asked about again. 0 for never.', reload: 'live' }),
  cacheDenied: duration({ max: 3_600_000 })
    .prefault('2s')
    .meta({ description: 'The same for a client that the hook has denied.', reload: 'live' }),
  inFlight: count({ min: 1, max: 200 })
    .default(20)
    .meta({ description: 'Maximum number of questions on the way at the same time.', reload: 'live' }),
  queue: count({ max: 3000 })
    .default(200)
    .meta({ description: 'Maximum number of questions that wait; beyond it, clients are refused.', reload: 'live' }),
})

export type WebhookOptions = z.output<typeof OPTIONS>
