import assert from 'node:assert/strict'
import type { ClientHttp2Stream } from 'node:http2'
import { after, before, test } from 'node:test'
import { until } from '../listen/loopback.test.kit.js'
import { ask, CertificateFolder, http2Client, tlsClient } from '../listen/tls.test.kit.js'
import { Feed, openRoom } from './delivery.test.kit.js'

let certificates: CertificateFolder

before(() => {
  certificates = new CertificateFolder()
})
after(() => certificates[Symbol.dispose]())

/** What an HTTP/2 stream has received. */
class Received {
  readonly stream: ClientHttp2Stream
  status = 0
  isEnded = false
  length = 0
  readonly #parts: Buffer[] = []

  constructor(stream: ClientHttp2Stream) {
    this.stream = stream
    stream.on('response', (headers) => (this.status = headers[':status'] ?? 0))
    stream.on('data', (bytes: Buffer) => {
      this.#parts.push(bytes)
      this.length += bytes.length
    })
    stream.on('end', () => (this.isEnded = true))
    stream.on('error', () => {})
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#parts)
  }
}

test('viewers over TLS get the same bytes over HTTP/1 and HTTP/2, several per connection', async () => {
  await using room = await openRoom({}, { tls: certificates.files })
  const route = room.open()
  const feed = new Feed(route)
  await feed.run(13)
  const viewers = Array.from({ length: 5 }, () => tlsClient(room.listener.address).get('/live.ts'))
  const session = http2Client(room.listener.origins[0] ?? '')
  const streams = Array.from({ length: 5 }, () => new Received(session.request({ ':path': '/live.ts' })))
  await until(() => route.counters.clients === 10, 'all are connected')
  await until(() => streams.every(({ length }) => length > 0) && viewers.every(({ length }) => length > 0), 'they read')
  await feed.run(60)
  route.end()
  await until(() => streams.every(({ isEnded }) => isEnded), 'all streams have ended')
  await Promise.all(viewers.map((client) => client.ended()))
  for (const { status, bytes } of streams) {
    assert.equal(status, 200)
    assert.ok(bytes.equals(feed.bytesFrom(10)))
  }
  for (const client of viewers) {
    assert.ok(client.body.equals(feed.bytesFrom(10)))
    client.close()
  }
  await route.drained()
  assert.equal(route.counters.ended.get('ended'), 10)
  session.destroy()
})

test('an HTTP/2 stream that is not read skips; others on its connection do not', async () => {
  await using room = await openRoom({}, { tls: certificates.files })
  const route = room.open({ window: { durationMs: 60_000, sizeBytes: 4 * 1024 * 1024 } })
  const feed = new Feed(route)
  feed.push()
  const session = http2Client(room.listener.origins[0] ?? '')
  const slow = new Received(session.request({ ':path': '/live.ts' }))
  await until(() => slow.length > 0, 'the slow one reads')
  slow.stream.pause()
  const quick = new Received(session.request({ ':path': '/live.ts' }))
  await until(() => quick.length > 0, 'the other one reads')
  const from = feed.pushed - 1
  for (let turn = 0; turn < 200; turn++) {
    feed.push()
    await until(() => quick.length >= (feed.pushed - from) * feed.entryBytes, 'the other one has read')
  }
  assert.equal(route.counters.skips, 0)
  slow.stream.resume()
  await until(() => route.counters.skips === 1, 'the slow one has skipped')
  route.end()
  await until(() => slow.isEnded && quick.isEnded, 'both get the end')
  assert.ok(quick.bytes.equals(feed.bytesFrom(0)))
  session.destroy()
})

test('streams of HTTP/2 requested with `priority: i` share a connection that is too slow for all of them', async () => {
  await using room = await openRoom({}, { tls: certificates.files })
  const route = room.open({ window: { durationMs: 60_000, sizeBytes: 4 * 1024 * 1024 } })
  const feed = new Feed(route)
  feed.push()
  const session = http2Client(room.listener.origins[0] ?? '')
  const streams = Array.from(
    { length: 4 },
    () => new Received(session.request({ ':path': '/live.ts', priority: 'u=3, i' })),
  )
  const shares = (): number[] => streams.map(({ length }) => length / feed.entryBytes)
  // Each turn pushes far more than the connection takes.
  for (let turn = 0; Math.max(...shares()) < 100; turn++) {
    assert.ok(turn < 10_000, `no stream has received a hundred entries: ${shares().join(', ')}`)
    await feed.run(16, 16)
  }
  assert.ok(Math.min(...shares()) > 20, `entries received: ${shares().join(', ')}`)
  session.destroy()
})

test('over HTTP/2 a silent source does not end a viewer, and the end of its session does', async () => {
  await using room = await openRoom({}, { tls: certificates.files })
  const route = room.open()
  const feed = new Feed(route)
  feed.push()
  const session = http2Client(room.listener.origins[0] ?? '')
  const viewer = new Received(session.request({ ':path': '/live.ts' }))
  await until(() => viewer.length > 0, 'it reads')
  room.shift(10_000)
  await room.swept()
  assert.equal(route.counters.clients, 1)
  feed.push()
  await until(() => viewer.length > feed.entryBytes, 'it reads on')
  session.destroy()
  await until(() => route.counters.clients === 0, 'it has left')
  assert.equal(route.counters.ended.get('left'), 1)
})

test('a client that resets its stream without an error has left, whether or not it was reading', async () => {
  await using room = await openRoom({}, { tls: certificates.files })
  const route = room.open()
  const feed = new Feed(route)
  feed.push()
  const session = http2Client(room.listener.origins[0] ?? '')
  for (const isStuck of [false, true]) {
    const viewer = new Received(session.request({ ':path': '/live.ts' }))
    await until(() => viewer.length > 0, 'it reads')
    if (isStuck) viewer.stream.pause()
    await feed.run(50)
    viewer.stream.close(0)
    await until(() => route.counters.clients === 0, 'it has left')
  }
  assert.equal(route.counters.ended.get('left'), 2)
  session.destroy()
})

test('a viewer whose request body never ends is disconnected with an error', async () => {
  const timeouts = { headerMs: 1000, requestMs: 1000, keepAliveMs: 60_000 }
  await using room = await openRoom({}, { tls: certificates.files, timeouts })
  const route = room.open()
  new Feed(route).push()
  const session = http2Client(room.listener.origins[0] ?? '')
  const viewer = new Received(session.request({ ':path': '/live.ts' }, { endStream: false }))
  await until(() => viewer.length > 0, 'it reads')
  await until(() => viewer.stream.closed, 'its stream is closed')
  assert.equal(viewer.stream.rstCode, 8)
  await until(() => route.counters.clients === 0, 'it has left')
  session.destroy()
})

test('refusals over HTTP/2 have their status and headers', async () => {
  await using room = await openRoom({}, { tls: certificates.files })
  const route = room.open({
    audience: room.audience({ max: 1, overLimitStatus: 404 }),
    offline: { waitForMs: 0, status: 503, endAfterMs: 60_000 },
  })
  const session = http2Client(room.listener.origins[0] ?? '')
  const offline = await ask(session, { ':path': '/live.ts' })
  assert.deepEqual([offline.status, offline.headers['retry-after']], [503, '5'])
  new Feed(route).push()
  const viewer = new Received(session.request({ ':path': '/live.ts' }))
  await until(() => viewer.length > 0, 'one is in')
  const refused = await ask(session, { ':path': '/live.ts' })
  assert.deepEqual([refused.status, refused.headers['cache-control']], [404, 'no-store'])
  session.destroy()
})

test('viewers that are cut while entries are pushed in every turn end no other viewer, over TLS and HTTP/2', async () => {
  await using room = await openRoom({}, { tls: certificates.files })
  const route = room.open()
  const feed = new Feed(route, 4096)
  feed.push()
  const stays = tlsClient(room.listener.address).get('/live.ts')
  await until(() => stays.length > 0, 'the one that stays reads')
  for (let round = 0; round < 20; round++) {
    const session = http2Client(room.listener.origins[0] ?? '')
    const streams = Array.from({ length: 6 }, () => new Received(session.request({ ':path': '/live.ts' })))
    const viewers = Array.from({ length: 3 }, () => tlsClient(room.listener.address).get('/live.ts'))
    await until(() => streams.every(({ length }) => length > 0), 'streams read')
    await until(() => viewers.every(({ length }) => length > 0), 'viewers read')
    for (const { stream } of streams.slice(0, 3)) stream.close(8)
    for (const viewer of viewers) viewer.socket.destroy()
    await feed.run(10, 1)
    session.destroy()
    await feed.run(10, 1)
    await until(() => route.counters.clients === 1, 'they have left')
  }
  route.end()
  await stays.ended()
  await route.drained()
  assert.ok(stays.body.equals(feed.bytesFrom(0)))
  assert.equal(route.counters.ended.get('ended'), 1)
})
