import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countDescriptors, RawClient, settledDescriptors, until } from '../listen/loopback.test.kit.js'
import type { LiveRoute } from '../plugin/live-route.js'
import { Feed, NO_LIMITS, openRoom, preambleOf, routeOptions } from './delivery.test.kit.js'

test('a hundred viewers get the same bytes, each from the key frame that was newest when it joined', async () => {
  await using room = await openRoom()
  const route = room.open()
  const feed = new Feed(route)
  const viewers: { client: RawClient; start: number }[] = []
  for (let group = 0; group < 5; group++) {
    await feed.run(13)
    const start = Math.floor((feed.pushed - 1) / 10) * 10
    const joined = Array.from({ length: 20 }, () => ({ client: room.viewer(), start }))
    viewers.push(...joined)
    await until(() => joined.every(({ client }) => client.length > 0), 'all have joined')
  }
  await feed.run(20)
  route.end()
  await Promise.all(viewers.map(({ client }) => client.ended()))
  for (const { client, start } of viewers) {
    assert.ok(client.body.equals(feed.bytesFrom(start)), `bytes from ${start}`)
  }
  await route.drained()
  assert.equal(route.counters.connects, 100)
  assert.equal(route.counters.clients, 0)
  assert.equal(route.counters.ended.get('ended'), 100)
  const headBytes = (viewers[0]?.client.length ?? 0) - (viewers[0]?.client.body.length ?? 0)
  const bodies = viewers.reduce((sum, { client }) => sum + client.body.length, 0)
  assert.equal(route.counters.sentBytes, bodies + 100 * headBytes)
  assert.equal(room.status().startDelay.count, 100)
  assert.ok(room.status().latency.count > 20)
})

test('start: now starts at the newest join, key frame or not', async () => {
  await using room = await openRoom()
  const feed = new Feed(room.open({ start: 'now' }))
  feed.push(15)
  const client = await room.viewer().saw('<preamble 11>')
  assert.equal(client.body.indexOf(preambleOf(11)), 0)
})

test('the head of a live response has no length, no chunked encoding, and the headers that a browser needs', async () => {
  await using room = await openRoom()
  const audience = room.audience({})
  const route = room.open({ cors: '*', audience })
  const feed = new Feed(route)
  feed.push()
  const first = await room.viewer().saw('<preamble 0>')
  const [head = ''] = first.text.split('\r\n\r\n')
  assert.match(head, /^HTTP\/1\.1 200 OK\r\n/)
  for (const line of [
    'Content-Type: video/mp2t',
    'Cache-Control: no-store',
    'Accept-Ranges: none',
    'Connection: close',
    'Access-Control-Allow-Origin: *',
  ]) {
    assert.ok(head.split('\r\n').includes(line), line)
  }
  assert.match(head, /\r\nDate: \w{3}, .* GMT\r\n/)
  assert.doesNotMatch(head, /Content-Length|Transfer-Encoding|Server/)
  route.update(routeOptions({ contentType: 'video/x-matroska', audience }))
  audience.update({ limits: { ...NO_LIMITS, max: 1 } })
  assert.equal(first.isEnded, false)
  first.close()
  await leaves(route, feed)
  const second = await room.viewer().saw('<preamble')
  assert.match(second.text, /video\/x-matroska/)
  assert.doesNotMatch(second.text, /Access-Control/)
})

test('a viewer on a kept connection gets the same bytes, and HEAD returns the status and headers of GET', async () => {
  await using room = await openRoom()
  room.listener.claim({ path: '/page', respond: (_, response) => response.end('page') })
  const route = room.open({ offline: { waitForMs: 60_000, status: 404, endAfterMs: 60_000 } })
  const feed = new Feed(route)
  const head = 'HEAD /live.ts HTTP/1.1\r\nHost: a\r\n\r\n'
  room.shift(61_000)
  const early = await new RawClient(room.listener.address).send(head).ended()
  assert.equal(early.status, 404)
  await feed.run(5)
  const asked = await new RawClient(room.listener.address).send(head).ended()
  assert.equal(asked.status, 200)
  assert.match(asked.text, /Content-Type: video\/mp2t\r\n/)
  assert.equal(asked.body.length, 0)
  const client = await room.viewer('/page').saw('\r\n\r\npage')
  const pageBytes = client.length
  client.get('/live.ts')
  await client.saw('<preamble 0>')
  await feed.run(40)
  route.end()
  await client.ended()
  const live = client.bytes.subarray(pageBytes)
  assert.ok(live.subarray(live.indexOf('\r\n\r\n') + 4).equals(feed.bytesFrom(0)))
  for (const each of [early, asked]) each.close()
})

test('a viewer over the limit of the route or of the engine gets 503 with Retry-After', async () => {
  await using room = await openRoom({ maxClients: 3 })
  const route = room.open({ audience: room.audience({ max: 2 }) })
  const other = room.open({ path: '/other.ts', id: 'one/other' })
  new Feed(route).push()
  new Feed(other).push()
  await room.viewer().saw('<preamble 0>')
  await room.viewer().saw('<preamble 0>')
  const third = await room.viewer().ended()
  assert.equal(third.status, 503)
  assert.match(third.text, /Retry-After: \d+\r\n/)
  assert.equal(third.body.toString(), 'This stream has as many viewers as it may have. Try again later.\n')
  assert.equal(route.counters.refused.get('max-clients'), 1)
  await room.viewer('/other.ts').saw('<preamble 0>')
  assert.equal((await room.viewer('/other.ts').ended()).status, 503)
  assert.equal(other.counters.refused.get('engine-max-clients'), 1)
  assert.equal(room.audiences.clients, 3)
})

test('a crowd is started a few at a time, and every viewer is served', async () => {
  await using room = await openRoom({ joinsPerTurn: 4 })
  const route = room.open()
  const feed = new Feed(route, 1000)
  const crowd = Array.from({ length: 300 }, () => room.viewer())
  await until(() => route.counters.clients === 300, 'all are waiting')
  feed.push()
  assert.ok(crowd.every((client) => client.length === 0))
  await until(() => crowd.every((client) => client.text.includes('<preamble 0>')), 'all have joined')
  assert.equal(room.status().startDelay.count, 300)
})

test('two thousand connections that open and close leave nothing behind', async () => {
  const before = await settledDescriptors()
  {
    await using room = await openRoom()
    const route = room.open()
    const feed = new Feed(route, 2000)
    feed.push()
    for (let batch = 0; batch < 40; batch++) {
      const clients = Array.from({ length: 50 }, () => new RawClient(room.listener.address).get('/live.ts'))
      await until(() => clients.every((client, at) => at % 2 === 0 || client.length > 0), 'half of them got data')
      for (const [at, client] of clients.entries()) {
        if (at % 3 === 0) client.socket.resetAndDestroy()
        else client.close()
      }
      feed.push()
    }
    await leaves(route, feed)
    await until(() => room.listener.openConnections === 0, 'all have closed')
    assert.equal(room.audiences.clients, 0)
    assert.ok(room.listener.counters.connections > 1900)
  }
  await until(() => countDescriptors() <= before, 'no descriptor is left open')
})

test('the end of a session is logged with client, path, bytes, and reason', async () => {
  await using room = await openRoom()
  const route = room.open()
  const feed = new Feed(route, 1000)
  feed.push(3)
  const client = await room.viewer().received(3000)
  const { localPort } = client.socket
  client.close()
  await leaves(route, feed)
  const line = room.kept.lines.find(({ level }) => level === 'info')?.data as Record<string, unknown>
  assert.equal(line['client'], `127.0.0.1:${localPort}`)
  assert.equal(line['path'], '/live.ts')
  assert.equal(line['node'], 'one/ts')
  assert.equal(line['reason'], 'left')
  assert.ok(Number(line['bytes']) >= client.length)
})

test('a disposed route frees its path and cuts its viewers', async () => {
  await using room = await openRoom()
  const route = room.open()
  new Feed(route).push()
  const client = await room.viewer().saw('<preamble 0>')
  await route[Symbol.asyncDispose]()
  await route[Symbol.asyncDispose]()
  await until(() => client.isEnded || client.isClosed, 'the viewer is cut')
  assert.equal(route.counters.ended.get('cut'), 1)
  assert.equal((await room.viewer().saw('Nothing is served at this path; check the URL')).status, 404)
  room.open()
  assert.equal(room.delivery.routes().length, 1)
})

test('lists its routes with URLs and window', async () => {
  await using room = await openRoom()
  const feed = new Feed(room.open({ path: '/a b.ts' }), 1000)
  feed.push(3)
  const status = room.status()
  assert.equal(status.urls[0], `${room.listener.origins[0]}/a%20b.ts`)
  assert.equal(status.windowEntries, 3)
  assert.ok(status.windowBytes >= 3000 && status.windowBytes < 3100)
  assert.equal(status.isOnline, true)
  await room.viewer('/a%20b.ts').saw('<preamble 0>')
})

/** A client that closes looks like one that closed only its side, until the next write. */
async function leaves(route: LiveRoute, feed: Feed): Promise<void> {
  await until(() => {
    feed.push()
    return route.counters.clients === 0
  }, 'the viewers have left')
}
