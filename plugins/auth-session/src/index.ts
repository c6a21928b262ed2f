// Auth provider `session`: sessions that a web server requests for its users over HTTP, and clients use once.
import { CLOCK, defineAuth, LISTENERS } from '@millrace/engine/plugin'
import { OPTIONS } from './options.js'
import { SessionProvider } from './session-provider.js'

export default defineAuth({
  type: 'session',
  summary: 'Admits clients with a session that was requested over HTTP: short-lived, for one stream, used once.',
  options: OPTIONS,
  inject: { clock: CLOCK, listeners: LISTENERS },
  metrics: [
    { name: 'auth_session_created_total', kind: 'counter', help: 'Sessions created.' },
    { name: 'auth_session_used_total', kind: 'counter', help: 'Sessions used for the first time.' },
    { name: 'auth_session_resumed_total', kind: 'counter', help: 'Times that a session was used again.' },
    { name: 'auth_session_unused_total', kind: 'counter', help: 'Sessions whose time was over before they were used.' },
    { name: 'auth_session_denials_total', kind: 'counter', help: 'Clients without a session that is good for them.' },
    { name: 'auth_session_request_errors_total', kind: 'counter', help: 'Requests for sessions that were refused.' },
    { name: 'auth_session_sessions', kind: 'gauge', help: 'Sessions that can be used, or resumed.' },
  ],
  examples: [
    {
      title: 'Publishers and viewers of one stream, with a token for each',
      yaml: 'keys: { type: session, actions: [read, publish], listener: web, streams: { news: { publish: "${secret:news-publish}", request: "${secret:news-request}" } } }',
    },
    {
      title: 'Viewers alone, and a page of another origin that requests their sessions',
      yaml: 'keys: { type: session, listener: web, streams: { news: "${secret:news}" }, cors: ["https://tv.example"] }',
    },
  ],
  open(options$, context, { clock, listeners }) {
    const provider = new SessionProvider({ options$, clock, listeners, log: context.log })
    const { sessions, routes } = provider
    context.readMetric('auth_session_created_total', () => sessions.counters.created)
    context.readMetric('auth_session_used_total', () => sessions.counters.used)
    context.readMetric('auth_session_resumed_total', () => sessions.counters.resumed)
    context.readMetric('auth_session_unused_total', () => sessions.counters.unused)
    context.readMetric('auth_session_denials_total', () => provider.refused)
    context.readMetric('auth_session_request_errors_total', () => routes.refused)
    context.readMetric('auth_session_sessions', () => sessions.size)
    return provider
  },
})
