import assert from 'node:assert/strict'
import { createServer, get, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, describe, test } from 'node:test'
import { until } from '../listen/loopback.test.kit.js'
import { createClock, type EngineClock } from '../observe/clock.js'
import { EventLog } from '../observe/events.js'
import { createLog } from '../observe/log.js'
import type { EngineSample } from '../observe/status.js'
import { createControlApi } from './control-api.js'
import { EventFeed, MAX_EVENT_READERS, MAX_PENDING_BYTES } from './event-feed.js'
import { statusSource } from './status-fixture.test.kit.js'

const TOKEN = 'the-token-of-this-test-0123456789'

interface ReceivedEvent {
  readonly id: string | undefined
  readonly name: string
  readonly data: Record<string, unknown>
}

/** A client that reads the stream, and keeps its events. */
class Client {
  readonly events: ReceivedEvent[] = []
  status = 0
  isEnded = false
  #response: IncomingMessage | undefined
  #text = ''

  constructor(url: string, headers: Record<string, string> = {}) {
    const request = get(url, { headers, agent: false }, (response) => {
      this.#response = response
      this.status = response.statusCode ?? 0
      response.setEncoding('utf8')
      response.on('data', (part: string) => this.#take(part))
      response.on('close', () => (this.isEnded = true))
      response.on('error', () => undefined)
    })
    request.on('error', () => (this.isEnded = true))
  }

  named(name: string): readonly ReceivedEvent[] {
    return this.events.filter((event) => event.name === name)
  }

  pause(): void {
    this.#response?.pause()
  }

  resume(): void {
    this.#response?.resume()
  }

  close(): void {
    this.#response?.destroy()
  }

  #take(part: string): void {
    const blocks = (this.#text + part).split('\n\n')
    this.#text = blocks.pop() ?? ''
    for (const block of blocks) {
      const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1]
      const data = field('data')
      if (data === undefined) continue
      this.events.push({ id: field('id'), name: field('event') ?? '', data: JSON.parse(data) as ReceivedEvent['data'] })
    }
  }
}

describe('GET /api/v1/events', () => {
  const lines: string[] = []
  const log = createLog({ level: 'info', stream: { write: (line: string) => void lines.push(line) } })
  let clock: EngineClock
  let events: EventLog
  let feed: EventFeed
  let server: Server
  let url = ''
  let samples = 0

  const sample = (pipeline?: string, isSummary = false): EngineSample => {
    samples++
    const process = { cpuSeconds: 1, rssBytes: 2, lagSeconds: 0.003 }
    const shown = { clients: pipeline === undefined ? 2 : 1, nodes: [], edges: [] }
    return { at: '2026-01-02T03:04:05.000Z', process, ...shown, ...(isSummary ? { copies: [] } : {}) }
  }

  before(async () => {
    server = createServer((request, response) => {
      createControlApi({ token: TOKEN, hosts: [], boundAddresses: () => [], source: statusSource, feed, log })(
        request,
        response,
      )
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/events`
  })

  beforeEach(() => {
    clock = createClock()
    events = new EventLog(clock, log)
    feed = new EventFeed({ source: { events, sample }, clock, log })
    lines.length = 0
    samples = 0
  })

  after(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  test('sends states, reloads and other events by name, and a sample at once and every second', async () => {
    const client = new Client(url)
    await until(() => client.named('sample').length === 1, 'the first sample')
    events.emit({ kind: 'node.failed', node: 'live/main', data: { why: 'no route' } })
    events.emit({ kind: 'reload.applied', data: { by: 'api' } })
    events.emit({ kind: 'node.stalled', node: 'live/main', data: { ms: 300 } })
    events.emit({ kind: 'limit_hit', node: 'live/ts' })
    await until(() => client.named('event').length === 2, 'all events')
    assert.equal(client.named('state').length, 1)
    const [state] = client.named('state')
    assert.deepEqual([state?.data['kind'], state?.data['node']], ['node.failed', 'live/main'])
    assert.deepEqual(state?.data['data'], { why: 'no route' })
    assert.match(state?.id ?? '', /^[0-9a-z]{4}-1$/)
    assert.equal(client.named('reload').length, 1)
    assert.equal(client.named('sample')[0]?.id, undefined)
    await until(() => client.named('sample').length >= 3, 'further samples')
    client.close()
  })

  test('sends only events of the requested pipeline and of the engine; 404 for an unknown pipeline', async () => {
    const client = new Client(`${url}?pipeline=live`)
    await until(() => client.events.length === 1, 'the first sample')
    assert.equal(client.events[0]?.data['clients'], 1)
    events.emit({ kind: 'node.ready', node: 'other/main' })
    events.emit({ kind: 'node.ready', node: 'live/main' })
    events.emit({ kind: 'node.ready', node: 'live@cam/main' })
    events.emit({ kind: 'engine.running' })
    await until(() => client.named('event').length === 1, 'the event of the engine')
    assert.deepEqual(
      client.named('state').map(({ data }) => data['node']),
      ['live/main', 'live@cam/main'],
    )
    client.close()
    const unknown = new Client(`${url}?pipeline=nowhere`)
    await until(() => unknown.status !== 0, 'an answer')
    assert.equal(unknown.status, 404)
  })

  test('sends copies of pattern pipelines as one row each, and all of them to readers that ask for it', async () => {
    const all = new Client(`${url}?copies=all`)
    const summary = new Client(url)
    await until(() => all.events.length > 0 && summary.events.length > 0, 'the first samples')
    assert.equal(all.events[0]?.data['copies'], undefined)
    assert.deepEqual(summary.events[0]?.data['copies'], [])
    all.close()
    summary.close()
  })

  test('resumes after the last event that a client has seen, and states how many are missing', async () => {
    const first = new Client(url)
    await until(() => first.events.length === 1, 'the first sample')
    for (let n = 0; n < 3; n++) events.emit({ kind: 'limit_hit', data: { n } })
    await until(() => first.named('event').length === 3, 'three events')
    first.close()
    const lastEventId = first.named('event')[1]?.id ?? ''
    const second = new Client(url, { 'last-event-id': lastEventId })
    await until(() => second.named('event').length === 1, 'the third event')
    assert.deepEqual(second.named('event')[0]?.data['data'], { n: 2 })
    assert.equal(second.named('gap').length, 0)
    second.close()
    // More than are recorded.
    for (let n = 0; n < 1500; n++) events.emit({ kind: 'limit_hit', data: { n } })
    const late = new Client(url, { 'last-event-id': lastEventId })
    await until(() => late.named('event').length === 1000, 'all recorded events')
    assert.deepEqual(late.named('gap')[0]?.data, { missed: 501 })
    late.close()
    const stranger = new Client(url, { 'last-event-id': 'zzzz-7' })
    await until(() => stranger.named('gap').length === 1, 'the gap')
    assert.deepEqual(stranger.named('gap')[0]?.data, {})
    stranger.close()
  })

  test('disconnects a reader that does not read, with the reason, and bounds its memory', async () => {
    const slow = new Client(url)
    const alsoSlow = new Client(url)
    const quick = new Client(url)
    await until(() => [slow, alsoSlow, quick].every((client) => client.events.length === 1), 'all read')
    slow.pause()
    alsoSlow.pause()
    const text = 'x'.repeat(64 * 1024)
    const isEnding = (): boolean => lines.some((line) => line.includes('too slow'))
    for (let sent = 0; !isEnding(); sent++) {
      assert.ok(sent < 1000, 'it is disconnected')
      events.emit({ kind: 'big', data: { text } })
      const expected = sent + 1
      await until(() => quick.named('event').length === expected, 'the other reader has it')
    }
    assert.equal(lines.filter((line) => line.includes('too slow')).length, 1)
    slow.resume()
    alsoSlow.resume()
    await until(() => slow.isEnded, 'it has ended')
    alsoSlow.close()
    assert.deepEqual(slow.events.at(-1), { id: undefined, name: 'end', data: { reason: 'slow' } })
    assert.equal(quick.isEnded, false)
    assert.ok(MAX_PENDING_BYTES > text.length)
    quick.close()
  })

  test('limits the number of readers, logs the limit once, and has no timer without readers', async () => {
    const clients = Array.from({ length: MAX_EVENT_READERS }, () => new Client(url))
    await until(() => clients.every(({ events: { length } }) => length > 0), 'all read')
    const refused = Array.from({ length: 20 }, () => new Client(url))
    await until(() => refused.every(({ status }) => status !== 0), 'the others have an answer')
    assert.ok(refused.every(({ status }) => status === 503))
    assert.equal(lines.filter((line) => line.includes('the limit of event readers')).length, 1)
    // One sample for each on joining, then one a second for all of them together.
    assert.ok(samples < 2 * MAX_EVENT_READERS)
    for (const client of clients) client.close()
    await until(() => !feed.isFull, 'there is room')
    const next = new Client(url)
    await until(() => next.status === 200, 'the next one reads')
    next.close()
    await until(() => next.isEnded, 'it has gone')
  })

  test('ends with the reason `stopping` when the engine stops', async () => {
    const client = new Client(url)
    await until(() => client.events.length === 1, 'the first sample')
    // A plugin can give its event this name.
    events.emit({ kind: 'engine.stopping', node: 'live/main' })
    await until(() => client.named('event').length === 1, 'the event of a node')
    assert.equal(client.isEnded, false)
    events.emit({ kind: 'engine.stopping', data: { reason: 'SIGTERM' } })
    await until(() => client.isEnded, 'it has ended')
    assert.deepEqual(client.events.at(-1)?.data, { reason: 'stopping' })
  })
})
