// Service `webhook`: POSTs events of the engine to the user's web server.
import {
  choice,
  CLOCK,
  count,
  defineService,
  duration,
  EVENTS,
  post,
  requestHeaders,
  secret,
  signBody,
  url,
} from '@millrace/engine/plugin'
import type { Clock, Events, EventNotice, Options, Service } from '@millrace/engine/plugin'
import { z } from 'zod'
import { EVENT_NAMES, type EventName, makeNotification, type Notification } from './notification.js'
import { NotificationQueue } from './notification-queue.js'
import { SourceStates } from './source-states.js'

/** Time for sending the queue when the service ends; services must end within three seconds. */
const DRAIN_MS = 2000

const options = z.strictObject({
  url: url({ schemes: ['http', 'https'] }).meta({
    description: 'URL to which notifications are POSTed.',
    reload: 'live',
  }),
  events: z
    .array(choice(...EVENT_NAMES))
    .min(1)
    .default(['limit_hit', 'limit_miss', 'source_up', 'source_down'])
    .meta({ description: 'Events to send.', reload: 'live' }),
  headers: requestHeaders()
    .default({})
    .meta({ description: 'Additional request headers, for example Authorization.', reload: 'live' }),
  secret: secret().optional().meta({
    description:
      'Key for the HMAC-SHA256 of the body in X-Millrace-Signature. By default notifications are not signed.',
    reload: 'live',
  }),
  timeout: duration({ min: 100, max: 300_000 })
    .prefault('5s')
    .meta({ description: 'Time limit of one attempt.', reload: 'live' }),
  retries: count({ max: 20 })
    .default(5)
    .meta({ description: 'Attempts after the first one, with pauses of 1 s to 30 s.', reload: 'live' }),
  queue: count({ min: 1, max: 10_000 }).default(100).meta({
    description: 'Maximum number of waiting notifications; beyond it, a new one replaces the oldest.',
    reload: 'live',
  }),
  heartbeat: duration({ min: 1000 })
    .prefault('1m')
    .meta({ description: 'Interval of heartbeats, if `events` contains `heartbeat`.', reload: 'live' }),
})

type WebhookOptions = z.output<typeof options>

export default defineService({
  type: 'webhook',
  summary: 'Sends events to a web server, by POST.',
  options,
  inject: { clock: CLOCK, events: EVENTS },
  metrics: [
    { name: 'webhook_sent_total', kind: 'counter', help: 'Notifications that were accepted.' },
    {
      name: 'webhook_failed_total',
      kind: 'counter',
      help: 'Notifications that were rejected, or given up after the last attempt.',
    },
    { name: 'webhook_retries_total', kind: 'counter', help: 'Attempts after a first one.' },
    { name: 'webhook_dropped_total', kind: 'counter', help: 'Notifications dropped because too many were waiting.' },
    { name: 'webhook_waiting', kind: 'gauge', help: 'Notifications waiting to be sent.' },
  ],
  examples: [
    {
      title: 'Signed notifications when a source goes down or comes back',
      yaml: 'alarm: { type: webhook, url: "https://ops.example/hook", events: [source_up, source_down], secret: "${secret:hook}" }',
    },
    {
      title: 'A heartbeat every 30 s',
      yaml: 'alive: { type: webhook, url: "http://127.0.0.1:3000/alive", events: [heartbeat], heartbeat: 30s }',
    },
  ],
  open(options$, context, { clock, events }) {
    const queue = new NotificationQueue({
      clock,
      log: context.log,
      limits: () => {
        const { timeout: timeoutMs, retries, queue: maxWaiting } = options$.value
        return { timeoutMs, retries, maxWaiting }
      },
      post: async (notification, signal) => {
        const given = options$.value
        const headers = headersOf(notification, given)
        const guard: typeof context.guard = (run) => context.guard(run)
        const { status } = await post({ url: new URL(given.url), headers, body: notification.body, signal, guard })
        return status
      },
    })
    const { counters } = queue
    context.readMetric('webhook_sent_total', () => counters.sent)
    context.readMetric('webhook_failed_total', () => counters.failed)
    context.readMetric('webhook_retries_total', () => counters.retried)
    context.readMetric('webhook_dropped_total', () => counters.dropped)
    context.readMetric('webhook_waiting', () => queue.waiting)
    return new Webhook(options$, queue, clock, events)
  },
})

class Webhook implements Service {
  readonly #queue: NotificationQueue
  readonly #clock: Clock
  readonly #events: Events
  readonly #sources = new SourceStates()
  readonly #subscriptions: Disposable[] = []
  #wanted: ReadonlySet<EventName> = new Set()
  #clients: Disposable | undefined
  #heartbeatMs = 0
  #heartbeat: Disposable | undefined

  constructor(options$: Options<WebhookOptions>, queue: NotificationQueue, clock: Clock, events: Events) {
    this.#queue = queue
    this.#clock = clock
    this.#events = events
    this.#update(options$.value)
    this.#tellSources(events.recent())
    this.#subscriptions.push(events.subscribe((event) => this.#take(event)))
    const changes = options$.subscribe((given) => this.#update(given))
    this.#subscriptions.push({ [Symbol.dispose]: () => changes.unsubscribe() })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const subscription of this.#subscriptions.splice(0)) subscription[Symbol.dispose]()
    this.#clients?.[Symbol.dispose]()
    this.#heartbeat?.[Symbol.dispose]()
    await this.#queue.end(DRAIN_MS)
  }

  #update(given: WebhookOptions): void {
    this.#wanted = new Set(given.events)
    const wantsClients = this.#wanted.has('client_connect') || this.#wanted.has('client_disconnect')
    if (wantsClients) this.#clients ??= this.#events.subscribeClients((event) => this.#take(event))
    else {
      this.#clients?.[Symbol.dispose]()
      this.#clients = undefined
    }
    this.#beatEvery(this.#wanted.has('heartbeat') ? given.heartbeat : 0)
  }

  /** 0 for never. */
  #beatEvery(periodMs: number): void {
    if (periodMs === this.#heartbeatMs) return
    this.#heartbeatMs = periodMs
    this.#heartbeat?.[Symbol.dispose]()
    this.#heartbeat = undefined
    if (periodMs === 0) return
    const clock = this.#clock
    const beat = (): void => this.#queue.add(makeNotification('heartbeat', clock.wallMs(clock.nowMs()), undefined, {}))
    beat()
    this.#heartbeat = clock.every(periodMs, beat)
  }

  /** What the sources are that started before this service; what else has happened was before its time. */
  #tellSources(past: readonly EventNotice[]): void {
    const latest = new Map<string | undefined, { readonly name: EventName; readonly event: EventNotice }>()
    for (const event of past) {
      const name = this.#sources.take(event)
      if (name !== undefined) latest.set(event.node, { name, event })
    }
    for (const { name, event } of latest.values()) this.#tell(name, event)
  }

  #take(event: EventNotice): void {
    const name = this.#sources.take(event) ?? EVENT_NAMES.find((each) => each === event.kind)
    if (name !== undefined) this.#tell(name, event)
  }

  #tell(name: EventName, event: EventNotice): void {
    if (this.#wanted.has(name)) this.#queue.add(makeNotification(name, event.atMs, event.node, event.data))
  }
}

function headersOf(notification: Notification, { headers, secret: key }: WebhookOptions): Record<string, string> {
  return {
    'User-Agent': 'millrace',
    ...headers,
    'Content-Type': 'application/json',
    'Content-Length': String(notification.body.length),
    'X-Millrace-Event': notification.event,
    'X-Millrace-Id': notification.id,
    ...(key === undefined ? {} : { 'X-Millrace-Signature': signBody(notification.body, key) }),
  }
}
