import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../listen/loopback.test.kit.js'
import { ENTRY_BYTES, Feed, openRoom, preambleOf } from './delivery.test.kit.js'

/** One entry each 100 ms of the stream's time, a key frame each second. */
function pushAt(feed: Feed, entries: number): void {
  for (let count = 0; count < entries; count++) feed.push(1, feed.pushed * 100)
}

test('start: burst starts at the newest key frame that is old enough, and sends everything from there at once', async () => {
  await using room = await openRoom()
  const feed = new Feed(room.open({ start: 'burst', burstMs: 2000 }))
  pushAt(feed, 55)
  // The newest entry is 54: 2.4 s after entry 30, but only 1.4 s after entry 40.
  const client = await room.viewer().received(25 * ENTRY_BYTES)
  await until(() => client.body.length === 25 * ENTRY_BYTES + preambleOf(30).length, 'everything has arrived')
  assert.ok(client.body.equals(feed.bytesFrom(30)))
  pushAt(feed, 5)
  await until(() => client.body.equals(feed.bytesFrom(30)), 'it continues')
})

test('start: burst starts at the oldest key frame if none is old enough', async () => {
  await using room = await openRoom()
  const feed = new Feed(room.open({ start: 'burst', burstMs: 60_000, window: { durationMs: 3000, sizeBytes: 1e9 } }))
  pushAt(feed, 55)
  const client = await room.viewer().saw('<preamble 30>')
  await until(() => client.body.equals(feed.bytesFrom(30)), 'everything has arrived')
})

test('start: burst waits for a first key frame, like the other starts', async () => {
  await using room = await openRoom()
  const feed = new Feed(room.open({ start: 'burst', burstMs: 1000 }))
  const client = room.viewer()
  await until(() => room.audiences.clients === 1, 'it waits')
  pushAt(feed, 2)
  await until(() => client.body.equals(feed.bytesFrom(0)), 'it has started')
})

test('a short lead is sent between the header and the stream', async () => {
  await using room = await openRoom()
  const lead = Buffer.alloc(188, 0x47)
  const feed = new Feed(room.open({ lead }))
  feed.push(15)
  const client = await room.viewer().saw('<preamble 10>')
  await until(() => client.body.equals(Buffer.concat([lead, feed.bytesFrom(10)])), 'everything has arrived')
})

test('a long lead is sent piece by piece, and the stream then starts at the newest key frame', async () => {
  await using room = await openRoom()
  const lead = Buffer.alloc(16 * 1024 * 1024, 0x47)
  const route = room.open({ lead, catchUpBytes: 64 * 1024 })
  const feed = new Feed(route)
  feed.push(5)
  const client = room.viewer()
  client.socket.pause()
  await until(() => route.counters.sentBytes > 64 * 1024, 'the lead is being sent')
  await feed.run(28)
  // No more has been written than its socket and the kernel hold.
  assert.ok(route.counters.sentBytes < lead.length)
  client.socket.resume()
  await until(() => client.body.equals(Buffer.concat([lead, feed.bytesFrom(30)])), 'lead and stream have arrived')
  assert.equal(route.counters.skips, 0)
})

test('a viewer in the middle of its lead still gets the end of the stream', async () => {
  await using room = await openRoom()
  const lead = Buffer.alloc(16 * 1024 * 1024, 0x47)
  const route = room.open({ lead, catchUpBytes: 64 * 1024 })
  const feed = new Feed(route)
  feed.push(5)
  const client = room.viewer()
  client.socket.pause()
  await until(() => route.counters.sentBytes > 64 * 1024, 'the lead is being sent')
  route.end()
  client.socket.resume()
  await client.ended()
  assert.ok(client.body.equals(Buffer.concat([lead, feed.bytesFrom(0)])))
})

test('a preamble is made when the first viewer starts at its entry, and once for all of them', async () => {
  await using room = await openRoom()
  const route = room.open()
  const made: string[] = []
  const push = (name: string): void => {
    const make = (what: string) => (): Uint8Array => {
      made.push(`${what} ${name}`)
      return Buffer.from(`<${what} ${name}>`)
    }
    const join = { keyframe: true, heldBytes: 0, preamble: make('preamble'), bridge: make('bridge') }
    route.push({ bytes: Buffer.from(`[${name}]`), receivedAtMs: performance.now(), join })
  }
  for (const name of ['a', 'b', 'c']) push(name)
  const clients = [room.viewer(), room.viewer(), room.viewer()]
  for (const client of clients) await client.saw('<preamble c>[c]')
  push('d')
  for (const client of clients) await client.saw('[d]')
  assert.deepEqual(made, ['preamble c'])
})
