import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RawClient, until } from '../listen/loopback.test.kit.js'
import { ENTRY_BYTES, Feed, openRoom, routeOptions } from './delivery.test.kit.js'

const OFFLINE = { waitForMs: 10_000, status: 503, endAfterMs: 300_000 }

test('a viewer that arrives before the first key frame waits for it, and gets nothing until then', async () => {
  await using room = await openRoom()
  const route = room.open({ offline: OFFLINE })
  const feed = new Feed(route, 1000)
  const client = room.viewer()
  await until(() => route.counters.clients === 1, 'it is connected')
  assert.equal(client.length, 0)
  feed.push()
  await client.saw('<preamble 0>')
  assert.equal(client.status, 200)
})

test('a viewer that waits too long gets the configured status, with Retry-After', async () => {
  await using room = await openRoom()
  const route = room.open({ offline: { ...OFFLINE, status: 404 } })
  const client = room.viewer()
  await until(() => route.counters.clients === 1, 'it is connected')
  room.shift(9900)
  assert.equal(route.counters.clients, 1)
  room.shift(200)
  await client.ended()
  assert.equal(client.status, 404)
  assert.match(client.text, /Retry-After: 5\r\n/)
  assert.equal(client.body.toString(), 'This stream has nothing to start from yet. Try again in a few seconds.\n')
  assert.match(client.text, /Connection: close\r\n/)
  assert.equal(route.counters.clients, 0)
  assert.equal(route.counters.refused.get('offline'), 1)
})

test('HEAD is answered as GET will be, without waiting: while a start is awaited, and when none has come', async () => {
  await using room = await openRoom({ standsStill: true })
  const route = room.open({ offline: OFFLINE })
  const ask = async (): Promise<number> => {
    const client = await new RawClient(room.listener.address).send('HEAD /live.ts HTTP/1.1\r\nHost: a\r\n\r\n').ended()
    client.close()
    assert.equal(client.body.length, 0)
    return client.status
  }
  assert.equal(await ask(), 200)
  room.shift(10_100)
  assert.equal(await ask(), 503)
  new Feed(route, 1000).push()
  assert.equal(await ask(), 200)
  room.shift(9000)
  assert.equal(await ask(), 200)
  room.shift(2000)
  assert.equal(await ask(), 503)
})

test('a silent source is filled in for once a second, where the output says with what', async () => {
  await using room = await openRoom({ standsStill: true })
  const fill = Buffer.from('<nothing>')
  const route = room.open({ offline: { ...OFFLINE, fill } })
  const feed = new Feed(route, 1000, 1)
  feed.push()
  const client = await room.viewer().received(1000)
  await room.swept()
  assert.ok(client.body.equals(feed.bytesFrom(0)))
  const start = client.body.length
  for (let second = 1; second <= 3; second++) {
    room.shift(1000)
    await until(() => client.body.length >= start + second * fill.length, 'it is filled in')
    await room.swept()
    assert.equal(client.body.length, start + second * fill.length)
  }
  // Still absent for who comes now.
  room.shift(1000)
  const late = room.viewer()
  await until(() => route.counters.clients === 2, 'it waits')
  await room.swept()
  assert.equal(late.length, 0)
  feed.push()
  await until(() => client.body.length >= start + 1000 + 4 * fill.length, 'it goes on')
  await late.saw('<preamble 1>')
  room.shift(301_000)
  await Promise.all([client.ended(), late.ended()])
})

test('a viewer that arrives 3 s after the last entry waits for a new key frame instead of starting at an old one', async () => {
  await using room = await openRoom()
  const route = room.open({ offline: OFFLINE })
  const feed = new Feed(route, 1000)
  feed.push(5)
  room.shift(3100)
  const client = room.viewer()
  await until(() => route.counters.clients === 1, 'it is connected')
  feed.push(5)
  assert.equal(client.length, 0)
  feed.push(3)
  await client.saw('<preamble 10>')
})

test('viewers stay while no data arrives, continue when it does, and end if it does not', async () => {
  await using room = await openRoom()
  const route = room.open({ offline: OFFLINE })
  const feed = new Feed(route, 1000)
  feed.push(2)
  const client = await room.viewer().received(2000)
  room.shift(299_000)
  feed.push(2)
  await client.received(4000)
  assert.equal(client.isEnded, false)
  room.shift(301_000)
  await client.ended()
  client.close()
  await until(() => route.counters.ended.get('offline') === 1, 'it has left')
  assert.ok(client.body.equals(feed.bytesFrom(0)))
})

test('a client that has closed its side is served while data arrives, and disconnected when none does', async () => {
  await using room = await openRoom()
  const route = room.open({ offline: OFFLINE })
  const feed = new Feed(route, 1000)
  feed.push()
  const client = room.viewer()
  client.socket.end()
  await client.received(1000)
  feed.push(3)
  await client.received(4000)
  assert.equal(route.counters.clients, 1)
  room.shift(3100)
  await until(() => route.counters.ended.get('left') === 1, 'it is disconnected')
})

test('at the end of the stream viewers get the rest of it, and new ones are refused', async () => {
  await using room = await openRoom()
  const route = room.open()
  const feed = new Feed(route)
  feed.push()
  const quick = await room.viewer().saw('<preamble 0>')
  const slow = await room.viewer().saw('<preamble 0>')
  slow.socket.pause()
  await feed.run(300)
  route.end()
  route.end()
  assert.equal((await room.viewer().ended()).status, 503)
  await quick.ended()
  let isDrained = false
  const drained = route.drained().then(() => {
    isDrained = true
  })
  await until(() => route.counters.clients === 1, 'only the slow one is left')
  assert.equal(isDrained, false)
  slow.socket.resume()
  await Promise.all([slow.ended(), drained])
  for (const client of [quick, slow]) assert.ok(client.body.equals(feed.bytesFrom(0)))
  assert.equal(route.counters.refused.get('ended'), 1)
})

test('the end disconnects viewers that wait to start and viewers that never close their side', async () => {
  await using room = await openRoom()
  const route = room.open()
  const waiting = room.viewer()
  await until(() => route.counters.clients === 1, 'it is connected')
  route.end()
  assert.equal((await waiting.ended()).status, 503)
  await route.drained()

  const other = room.open({ path: '/other.ts' })
  new Feed(other, 1000).push()
  const client = await room.viewer('/other.ts').saw('<preamble 0>')
  other.end()
  await client.ended()
  assert.equal(other.counters.clients, 1)
  await other.drained()
})

test('shutdown gives viewers the rest of the window, and cuts those that do not read it in time', async () => {
  await using room = await openRoom()
  const route = room.open()
  const feed = new Feed(route)
  feed.push()
  const quick = await room.viewer().saw('<preamble 0>')
  const stuck = await room.viewer().saw('<preamble 0>')
  stuck.socket.pause()
  await feed.run(300)
  const done = room.delivery.endAll(3000)
  assert.equal((await room.viewer().ended()).status, 503)
  await quick.ended()
  quick.close()
  await done
  assert.ok(quick.body.equals(feed.bytesFrom(0)))
  assert.equal(room.audiences.clients, 0)
  assert.ok(stuck.length < 300 * ENTRY_BYTES)
})

for (const start of ['keyframe', 'now', 'burst'] as const) {
  test(`start: ${start}: a viewer that arrives right after the source is lost waits, and starts with what comes after it is back`, async () => {
    await using room = await openRoom()
    let lostAtMs = -Infinity
    const source = { whyOffline: () => 'the source is not connected', lostAtMs: () => lostAtMs }
    const options = routeOptions({ offline: OFFLINE, start })
    const route = room.delivery.lease(options, (run) => run(), source)
    route.open()
    const feed = new Feed(route, 1000)
    feed.push(5, 1000)
    lostAtMs = 2000
    const client = room.viewer()
    await until(() => route.counters.clients === 1, 'it is connected')
    await room.swept()
    assert.equal(client.length, 0)
    // The source is back, in the middle of a group of pictures.
    feed.push(5, 3000)
    await room.swept()
    assert.equal(client.length, 0)
    feed.push(2, 3100)
    const later = room.viewer()
    await client.saw('<preamble 10>')
    await later.received(1000)
    assert.equal(later.body.includes('<preamble 0>'), false)
    lostAtMs = 4000
    room.viewer()
    await until(() => route.counters.clients === 3, 'it is connected')
    room.shift(10_100)
    await until(() => route.counters.refused.get('offline') === 1, 'it has waited as long as `offline` says')
  })
}
