// Auth provider `webhook`: asks the user's web server who may watch or publish.
import { Agent } from 'node:http'
import { Agent as SecureAgent } from 'node:https'
import { CLOCK, defineAuth, post, signBody } from '@millrace/engine/plugin'
import { OPTIONS, type WebhookOptions } from './options.js'
import { WebhookProvider } from './webhook-provider.js'

/** An open connection that nobody needs is closed. */
const IDLE_MS = 15_000
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export default defineAuth({
  type: 'webhook',
  summary: 'Asks a web server, by POST, who may watch or publish.',
  options: OPTIONS,
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
