// Auth provider `webhook`: asks the user's web server who may watch or publish.
import { Agent } from 'node:http'
import { Agent as SecureAgent } from 'node:https'
import {
  choice,
  CLOCK,
  count,
  defineAuth,
  duration,
  post,
  requestHeaders,
  secret,
  signBody,
  url,
} from '@millrace/engine/plugin'
import { z } from 'zod'
import { SECRETS } from './question.js'
import { WebhookProvider } from './webhook-provider.js'

/** Fits between the quotes of a challenge. */
const REALM = /^[\x20\x21\x23-\x5b\x5d-\x7e]{1,128}$/
/** The engine waits no longer than 10 s for a decision. */
const LONGEST_TIMEOUT_MS = 9000
/** An open connection that nobody needs is closed. */
const IDLE_MS = 15_000
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

const options = z.strictObject({
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
  queue: count({ max: 10_000 })
    .default(200)
    .meta({ description: 'Maximum number of questions that wait; beyond it, clients are refused.', reload: 'live' }),
})

export type WebhookOptions = z.output<typeof options>

export default defineAuth({
  type: 'webhook',
  summary: 'Asks a web server, by POST, who may watch or publish.',
  options,
  inject: { clock: CLOCK },
  metrics: [
    { name: 'auth_webhook_asks_total', kind: 'counter', help: 'Questions sent.' },
    { name: 'auth_webhook_cached_total', kind: 'counter', help: 'Clients decided by an earlier or a shared answer.' },
    { name: 'auth_webhook_denials_total', kind: 'counter', help: 'Clients that the hook has denied.' },
    { name: 'auth_webhook_failures_total', kind: 'counter', help: 'Questions without a usable answer.' },
    {
      name: 'auth_webhook_undecided_total',
      kind: 'counter',
      help: 'Clients decided by `onFailure`, since the hook failed.',
    },
    { name: 'auth_webhook_busy_total', kind: 'counter', help: 'Clients refused because too many questions waited.' },
    { name: 'auth_webhook_waiting', kind: 'gauge', help: 'Questions that wait to be sent.' },
    { name: 'auth_webhook_duration_seconds', kind: 'histogram', help: 'Time to an answer.', buckets: BUCKETS },
  ],
  examples: [
    {
      title: 'Ask about viewers, signed',
      yaml: 'viewers: { type: webhook, url: "https://tv.example/auth", secret: "${secret:hook}" }',
    },
    {
      title: 'Ask about publishers, with their passwords, never cached',
      yaml: 'encoders: { type: webhook, actions: [publish], url: "http://127.0.0.1:3000/auth", send: [password], cache: 0s, cacheDenied: 0s }',
    },
  ],
  open(options$, context, { clock }) {
    const agents = {
      'http:': new Agent({ keepAlive: true, timeout: IDLE_MS }),
      'https:': new SecureAgent({ keepAlive: true, timeout: IDLE_MS }),
    }
    const provider = new WebhookProvider({
      clock,
      options$,
      log: context.log,
      post: (question, signal) => {
        const body = Buffer.from(question)
        const target = new URL(options$.value.url)
        const agent = agents[target.protocol === 'https:' ? 'https:' : 'http:']
        const guard: typeof context.guard = (run) => context.guard(run)
        return post({ url: target, headers: headersOf(body, options$.value), body, signal, guard, agent })
      },
      duration: context.histogram('auth_webhook_duration_seconds'),
      onClose: () => Object.values(agents).forEach((agent) => agent.destroy()),
    })
    const { counters, requests } = provider
    context.readMetric('auth_webhook_asks_total', () => requests.counters.asked)
    context.readMetric('auth_webhook_cached_total', () => counters.cached)
    context.readMetric('auth_webhook_denials_total', () => counters.denied)
    context.readMetric('auth_webhook_failures_total', () => requests.counters.failed)
    context.readMetric('auth_webhook_undecided_total', () => counters.undecided)
    context.readMetric('auth_webhook_busy_total', () => requests.counters.busy)
    context.readMetric('auth_webhook_waiting', () => requests.waiting)
    return provider
  },
})

function headersOf(body: Buffer, { headers, secret: key }: WebhookOptions): Record<string, string> {
  return {
    'User-Agent': 'millrace',
    Accept: 'application/json',
    ...headers,
    'Content-Type': 'application/json',
    'Content-Length': String(body.length),
    ...(key === undefined ? {} : { 'X-Millrace-Signature': signBody(body, key) }),
  }
}
