import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { Events, EventNotice, Service } from '@millrace/engine/plugin'
import { FakeClock, FakeContext } from '@millrace/engine/testing'
import { BehaviorSubject } from 'rxjs'
import type { z } from 'zod'
import webhook from './index.js'

interface Received {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

class Hook implements AsyncDisposable {
  readonly received: Received[] = []
  readonly #server: Server
  #waiting: (() => void)[] = []

  private constructor(answer: (response: ServerResponse, count: number) => void) {
    this.#server = createServer((request, response) => {
      let body = ''
      request.setEncoding('utf8').on('data', (part: string) => (body += part))
      request.on('end', () => {
        this.received.push({ headers: request.headers, body })
        answer(response, this.received.length)
        for (const resolve of this.#waiting.splice(0)) resolve()
      })
    })
  }

  static async open(answer = (response: ServerResponse): void => void response.writeHead(204).end()): Promise<Hook> {
    const hook = new Hook(answer)
    await new Promise<void>((resolve) => hook.#server.listen(0, '127.0.0.1', resolve))
    return hook
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook?key=in-the-url`
  }

  get events(): string[] {
    return this.received.map(({ body }) => (JSON.parse(body) as { event: string }).event)
  }

  async got(count: number): Promise<void> {
    while (this.received.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

class FakeEvents implements Events {
  readonly past: EventNotice[] = []
  readonly listeners = new Set<(event: EventNotice) => void>()
  readonly clientListeners = new Set<(event: EventNotice) => void>()

  subscribe(listen: (event: EventNotice) => void): Disposable {
    this.listeners.add(listen)
    return { [Symbol.dispose]: () => void this.listeners.delete(listen) }
  }

  subscribeClients(listen: (event: EventNotice) => void): Disposable {
    this.clientListeners.add(listen)
    return { [Symbol.dispose]: () => void this.clientListeners.delete(listen) }
  }

  recent(): readonly EventNotice[] {
    return this.past
  }

  emit(kind: string, node?: string, nodeKind?: EventNotice['nodeKind'], data: EventNotice['data'] = {}): void {
    const event = { atMs: 0, kind, data, ...(node === undefined ? {} : { node }), ...(nodeKind && { nodeKind }) }
    for (const listen of kind.startsWith('client') ? this.clientListeners : this.listeners) listen(event)
  }
}

interface Setting {
  readonly clock: FakeClock
  readonly context: FakeContext
  readonly events: FakeEvents
  readonly service: Service
  readonly options$: BehaviorSubject<z.output<typeof webhook.options>>
}

async function open(given: z.input<typeof webhook.options>, events = new FakeEvents()): Promise<Setting> {
  const clock = new FakeClock()
  const context = new FakeContext('services/hook')
  const options$ = new BehaviorSubject(webhook.options.parse(given))
  return { options$, clock, context, events, service: await webhook.open(options$, context, { clock, events }) }
}

/** Runs the event loop, and with it real sockets, until the claim holds. */
async function until(claim: () => boolean): Promise<void> {
  for (const end = performance.now() + 60_000; !claim();) {
    assert.ok(performance.now() < end, 'timed out')
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test('a notification is a signed POST of JSON', async () => {
  await using hook = await Hook.open()
  const { events, service } = await open({ url: hook.url, secret: 'key', headers: { Authorization: 'Bearer abc' } })
  await using _service = service
  events.emit('limit_hit', 'one/ts', 'output', { limit: 'soft', clients: 450 })
  await hook.got(1)
  const [{ headers, body } = { headers: {}, body: '' }] = hook.received
  const { id, ...rest } = JSON.parse(body) as Record<string, unknown>
  assert.deepEqual(rest, {
    event: 'limit_hit',
    at: '1970-01-01T00:00:00.000Z',
    node: 'one/ts',
    data: { limit: 'soft', clients: 450 },
  })
  assert.match(String(id), /^[0-9a-f-]{36}$/)
  assert.equal(headers['x-millrace-signature'], `sha256=${createHmac('sha256', 'key').update(body).digest('hex')}`)
  assert.deepEqual(
    [headers['content-type'], headers['x-millrace-event'], headers['x-millrace-id'], headers['authorization']],
    ['application/json', 'limit_hit', id, 'Bearer abc'],
  )
})

test('sources are reported when they change, including those that were up before', async () => {
  await using hook = await Hook.open()
  const events = new FakeEvents()
  events.past.push({ atMs: 0, kind: 'node.ready', node: 'one/main', nodeKind: 'input', data: {} })
  const { service } = await open({ url: hook.url }, events)
  await using _service = service
  events.emit('node.ready', 'one/main', 'input')
  events.emit('node.waiting', 'one/main', 'input', { why: 'gone' })
  events.emit('node.degraded', 'one/main', 'input')
  events.emit('node.degraded', 'one/gops', 'transform')
  events.emit('node.ready', 'one/main', 'input')
  events.emit('node.stopped', 'one/main', 'input')
  events.emit('limit_miss', 'one/ts', 'output')
  await hook.got(4)
  assert.deepEqual(hook.events, ['source_up', 'source_down', 'source_up', 'limit_miss'])
})

test('of what was before, only what the sources are now is sent', async () => {
  await using hook = await Hook.open()
  const events = new FakeEvents()
  const past = (kind: string, node: string, nodeKind: 'input' | 'output', atMs: number): void =>
    void events.past.push({ atMs, kind, node, nodeKind, data: {} })
  past('limit_hit', 'one/ts', 'output', 1)
  for (const [at, kind] of ['ready', 'waiting', 'ready', 'waiting'].entries())
    past(`node.${kind}`, 'one/a', 'input', at)
  for (const [at, kind] of ['ready', 'waiting', 'ready'].entries()) past(`node.${kind}`, 'one/b', 'input', at)
  const { service } = await open({ url: hook.url }, events)
  await using _service = service
  events.emit('limit_miss', 'one/ts', 'output')
  await hook.got(3)
  const bodies = hook.received.map(({ body }) => JSON.parse(body) as { event: string; node: string; at: string })
  assert.deepEqual(
    bodies.slice(0, 2).map(({ event, node, at }) => [event, node, at.slice(17)]),
    [
      ['source_down', 'one/a', '00.003Z'],
      ['source_up', 'one/b', '00.002Z'],
    ],
  )
  assert.equal(bodies[2]?.event, 'limit_miss')
})

test('a source is down when it becomes idle, unless it was never up', async () => {
  await using hook = await Hook.open()
  const { events, service } = await open({ url: hook.url })
  await using _service = service
  events.emit('node.idle', 'one/main', 'input', { why: 'nobody publishes' })
  events.emit('node.ready', 'one/main', 'input')
  events.emit('node.idle', 'one/main', 'input', { why: 'nobody publishes' })
  await hook.got(2)
  assert.deepEqual(hook.events, ['source_up', 'source_down'])
})

test('viewers are reported only on request, and unwanted events are left out', async () => {
  await using hook = await Hook.open()
  const quiet = await open({ url: hook.url })
  assert.equal(quiet.events.clientListeners.size, 0)
  await quiet.service[Symbol.asyncDispose]()
  const { events, service } = await open({ url: hook.url, events: ['client_disconnect'] })
  await using _service = service
  events.emit('client_connect', 'one/ts', 'output')
  events.emit('limit_hit', 'one/ts', 'output')
  events.emit('client_disconnect', 'one/ts', 'output', { bytes: 7 })
  await hook.got(1)
  assert.deepEqual(hook.events, ['client_disconnect'])
})

test('heartbeats are sent at the start and then at the interval', async () => {
  await using hook = await Hook.open()
  const { clock, context, service } = await open({ url: hook.url, events: ['heartbeat'], heartbeat: '10s' })
  await using _service = service
  await until(() => context.metric('webhook_sent_total') === 1)
  clock.advance(10_000)
  await hook.got(2)
  assert.deepEqual(hook.events, ['heartbeat', 'heartbeat'])
})

test('a failed notification is retried with the same id, a rejected one is not', async () => {
  await using hook = await Hook.open((response) => {
    const status = [500, 429, 204, 400, 204][hook.received.length - 1] ?? 204
    response.writeHead(status).end('x'.repeat(100))
  })
  const { clock, context, events, service } = await open({ url: hook.url })
  await using _service = service
  events.emit('limit_hit', 'one/a', 'output')
  events.emit('limit_hit', 'one/b', 'output')
  events.emit('limit_hit', 'one/c', 'output')
  await until(() => context.metric('webhook_retries_total') === 1)
  clock.advance(999)
  assert.equal(hook.received.length, 1)
  clock.advance(1)
  await until(() => context.metric('webhook_retries_total') === 2)
  clock.advance(2000)
  await until(() => context.metric('webhook_sent_total') === 2)
  const ids = hook.received.map(({ headers }) => headers['x-millrace-id'])
  assert.equal(new Set(ids.slice(0, 3)).size, 1)
  assert.equal(new Set(ids).size, 3)
  assert.equal(context.metric('webhook_failed_total'), 1)
  assert.equal(context.lines.length, 1, 'one line a minute')
  assert.ok(!JSON.stringify(context.lines).includes('in-the-url'))
})

test('a hook that never responds fills a bounded queue and blocks no caller', async () => {
  await using hook = await Hook.open(() => undefined)
  const { clock, context, events, service } = await open({ url: hook.url, queue: 10, retries: 1, timeout: '2s' })
  events.emit('limit_hit', 'one/first', 'output')
  await hook.got(1)
  const began = process.cpuUsage()
  for (let count = 0; count < 10_000; count++) events.emit('limit_hit', `one/n${count}`, 'output')
  const { user, system } = process.cpuUsage(began)
  assert.ok(user + system < 2_000_000, `${user + system} µs`)
  assert.deepEqual([context.metric('webhook_waiting'), context.metric('webhook_dropped_total')], [10, 9990])
  clock.advance(2000)
  await until(() => context.metric('webhook_retries_total') === 1)
  clock.advance(1000)
  await hook.got(2)
  clock.advance(2000)
  await until(() => context.metric('webhook_failed_total') === 1)
  await hook.got(3)
  const [, , third] = hook.received
  assert.match(third?.body ?? '', /one\/n9990/, 'the newest are kept')
  const ends = [service[Symbol.asyncDispose](), service[Symbol.asyncDispose]()]
  assert.equal(events.listeners.size, 0)
  clock.advance(2000)
  await Promise.all(ends)
  await until(() => clock.pending === 0)
  assert.equal(context.metric('webhook_waiting'), 0)
})

test('waiting notifications are sent without pauses when the service ends', async () => {
  await using hook = await Hook.open(
    (response) => void response.writeHead(hook.received.length === 1 ? 500 : 204).end(),
  )
  const { context, events, service } = await open({ url: hook.url })
  events.emit('limit_hit', 'one/a', 'output')
  events.emit('limit_hit', 'one/b', 'output')
  await until(() => context.metric('webhook_retries_total') === 1)
  events.emit('limit_hit', 'one/c', 'output')
  await service[Symbol.asyncDispose]()
  assert.deepEqual([context.metric('webhook_sent_total'), hook.received.length], [3, 4])
})

test('every option applies from the next notification on', async () => {
  await using before = await Hook.open()
  await using hook = await Hook.open()
  const { options$, clock, context, events, service } = await open({ url: before.url })
  await using _service = service
  options$.next(webhook.options.parse({ url: hook.url, secret: 'key', events: ['client_connect', 'heartbeat'] }))
  events.emit('limit_hit', 'one/a', 'output')
  events.emit('client_connect', 'one/a', 'output')
  await until(() => context.metric('webhook_sent_total') === 2)
  clock.advance(60_000)
  await hook.got(3)
  assert.deepEqual(hook.events, ['heartbeat', 'client_connect', 'heartbeat'])
  assert.match(String(hook.received[0]?.headers['x-millrace-signature']), /^sha256=/)
  options$.next(webhook.options.parse({ url: hook.url, events: ['limit_hit'] }))
  assert.equal(events.clientListeners.size, 0)
  assert.equal(before.received.length, 0)
})

test('headers that the service sets, or that are invalid, are refused', () => {
  for (const headers of [
    { Host: 'a' },
    { 'Content-Length': '1' },
    { 'X-Millrace-Id': 'a' },
    { 'a b': 'c' },
    { a: 'b\r\nc: d' },
  ]) {
    assert.equal(webhook.options.safeParse({ url: 'http://a/', headers }).success, false)
  }
})
