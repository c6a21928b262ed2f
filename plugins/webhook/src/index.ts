// service `webhook`: POSTs what happens to a web server of the user's.
import { choice, CLOCK, count, defineService, duration, EVENTS, secret, url } from '@millrace/engine/plugin'
import type { Clock, Events, EventNotice, Options, Service } from '@millrace/engine/plugin'
import { z } from 'zod'
import { EVENT_NAMES, type EventName, makeNotice, type Notice, signBody } from './notice.js'
import { NoticeQueue } from './notice-queue.js'
import { post } from './post.js'
import { SourceStates } from './source-states.js'

/** RFC 9110 section 5.1. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/
/** Headers that are ours to say. */
const OWN_HEADERS = /^(?:host|content-length|content-type|transfer-encoding|connection|x-millrace-.*)$/i

/** What waits at the end gets so long; services have to end within three seconds. */
const END_MS = 2000

const options = z.strictObject({
  url: url({ schemes: ['http', 'https'] }).meta({ description: 'Where notices are sent, by POST.', reload: 'live' }),
  events: z
    .array(choice(...EVENT_NAMES))
    .min(1)
    .default(['limit_hit', 'limit_miss', 'source_up', 'source_down'])
    .meta({ description: 'What is told.', reload: 'live' }),
  headers: z
    .record(z.string(), secret())
    .refine(
      (headers) => Object.keys(headers).every((name) => HEADER_NAME.test(name) && !OWN_HEADERS.test(name)),
      'must have names of headers that are not set by this service',
    )
    .refine(
      (headers) => Object.values(headers).every((value) => /^[\t\x20-\x7e]*$/.test(value)),
      'must have values of printable ASCII',
    )
    .default({})
    .meta({ description: 'Headers that are sent too, for example Authorization.', reload: 'live' }),
  secret: secret().optional().meta({
    description: 'Key of the HMAC-SHA256 of the body that X-Millrace-Signature carries; without it none.',
    reload: 'live',
  }),
  timeout: duration({ min: 100, max: 300_000 })
    .prefault('5s')
    .meta({ description: 'How long one try may take.', reload: 'live' }),
  retries: count({ max: 20 })
    .default(5)
    .meta({ description: 'Tries after the first one, with pauses from 1 s to 30 s.', reload: 'live' }),
  queue: count({ min: 1, max: 10_000 })
    .default(100)
    .meta({ description: 'Notices that may wait; a new one takes the place of the oldest.', reload: 'live' }),
  heartbeat: duration({ min: 1000 })
    .prefault('1m')
    .meta({ description: 'Time between two heartbeats, where those are told.', reload: 'live' }),
})

type WebhookOptions = z.output<typeof options>

export default defineService({
  type: 'webhook',
  summary: 'Tells a web server what happens, by POST.',
  options,
  inject: { clock: CLOCK, events: EVENTS },
  metrics: [
    { name: 'webhook_sent_total', kind: 'counter', help: 'Notices that were taken.' },
    { name: 'webhook_failed_total', kind: 'counter', help: 'Notices that were given up after the last try.' },
    { name: 'webhook_retries_total', kind: 'counter', help: 'Tries after a first one.' },
    { name: 'webhook_dropped_total', kind: 'counter', help: 'Notices that were left out since too many waited.' },
    { name: 'webhook_waiting', kind: 'gauge', help: 'Notices that wait.' },
  ],
  examples: [
    {
      title: 'When a source goes or comes back, signed',
      yaml: 'alarm: { type: webhook, url: "https://ops.example/hook", events: [source_up, source_down], secret: "${secret:hook}" }',
    },
    {
      title: 'A sign of life every 30 s',
      yaml: 'alive: { type: webhook, url: "http://127.0.0.1:3000/alive", events: [heartbeat], heartbeat: 30s }',
    },
  ],
  open(options$, context, { clock, events }) {
    const queue = new NoticeQueue({
      clock,
      log: context.log,
      limits: () => {
        const { timeout: timeoutMs, retries, queue: mostWaiting } = options$.value
        return { timeoutMs, retries, mostWaiting }
      },
      post: (notice, signal) => {
        const given = options$.value
        const headers = headersOf(notice, given)
        const guard: typeof context.guard = (run) => context.guard(run)
        return post({ url: new URL(given.url), headers, body: notice.body, signal, guard })
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
  readonly #queue: NoticeQueue
  readonly #clock: Clock
  readonly #events: Events
  readonly #sources = new SourceStates()
  readonly #ends: Disposable[] = []
  #wanted: ReadonlySet<EventName> = new Set()
  #clients: Disposable | undefined
  #heartbeatMs = 0
  #heartbeat: Disposable | undefined

  constructor(options$: Options<WebhookOptions>, queue: NoticeQueue, clock: Clock, events: Events) {
    this.#queue = queue
    this.#clock = clock
    this.#events = events
    this.#update(options$.value)
    // Sources may have come up before this service.
    for (const event of events.recent()) this.#take(event)
    this.#ends.push(events.subscribe((event) => this.#take(event)))
    const changes = options$.subscribe((given) => this.#update(given))
    this.#ends.push({ [Symbol.dispose]: () => changes.unsubscribe() })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends.splice(0)) end[Symbol.dispose]()
    this.#clients?.[Symbol.dispose]()
    this.#heartbeat?.[Symbol.dispose]()
    await this.#queue.end(END_MS)
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
    const onBatch = (): void => this.#queue.add(makeNotice('heartbeat', clock.wallMs(clock.nowMs()), undefined, {}))
    onBatch()
    this.#heartbeat = clock.every(periodMs, onBatch)
  }

  #take(event: EventNotice): void {
    const name = this.#sources.take(event) ?? EVENT_NAMES.find((each) => each === event.kind)
    if (name === undefined || !this.#wanted.has(name)) return
    this.#queue.add(makeNotice(name, event.atMs, event.node, event.data))
  }
}

function headersOf(notice: Notice, { headers, secret: key }: WebhookOptions): Record<string, string> {
  return {
    'User-Agent': 'millrace',
    ...headers,
    'Content-Type': 'application/json',
    'Content-Length': String(notice.body.length),
    'X-Millrace-Event': notice.event,
    'X-Millrace-Id': notice.id,
    ...(key === undefined ? {} : { 'X-Millrace-Signature': signBody(notice.body, key) }),
  }
}
