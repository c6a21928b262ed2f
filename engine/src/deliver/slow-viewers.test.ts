import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RawClient, until } from '../listen/loopback.test.kit.js'
import { ChunkMemory } from '../testing/chunk-memory.js'
import { bridgeOf, ENTRY_BYTES, Feed, openRoom, type Room } from './delivery.test.kit.js'

const MIB = 1024 * 1024

/** A viewer that has stopped reading and that the route sees to be behind. */
async function stuckViewer(room: Room, feed: Feed): Promise<RawClient> {
  const client = await room.viewer().saw('<preamble')
  client.socket.pause()
  for (let turn = 0; turn < 2000 && room.status().behindBytes < MIB; turn++) await feed.run(4)
  assert.ok(room.status().behindBytes >= MIB, 'it is behind')
  assert.equal(room.audienceStatus().counters.skips, 0)
  return client
}

test('a viewer that resumes within the window loses nothing, and others never wait for it', async () => {
  await using room = await openRoom()
  const route = room.open()
  const feed = new Feed(route)
  feed.push()
  const slow = await stuckViewer(room, feed)
  const quick = await room.viewer().saw('<preamble')
  await feed.run(100)
  await quick.received(100 * ENTRY_BYTES)
  slow.socket.resume()
  route.end()
  await slow.ended()
  assert.ok(slow.body.equals(feed.bytesFrom(0)))
  assert.equal(room.audienceStatus().counters.skips, 0)
})

test('keepUnread: a viewer that resumes after the duration loses nothing, and else the window is no longer than that', async () => {
  await using room = await openRoom()
  const route = room.open({ window: { durationMs: 100, sizeBytes: 64 * MIB, keepUnread: true } })
  const feed = new Feed(route)
  feed.push(100, performance.now() - 1000)
  feed.push()
  assert.ok(room.status().windowBytes < MIB, 'no viewer has to read the old entries')
  const slow = await stuckViewer(room, feed)
  feed.push(100)
  feed.push(1, performance.now() + 1000)
  assert.ok(room.status().windowBytes > 100 * ENTRY_BYTES, 'it has yet to read them')
  slow.socket.resume()
  await until(() => route.behindBytes === 0, 'it has caught up')
  feed.push(1, performance.now() + 2000)
  assert.ok(room.status().windowBytes < MIB)
  route.end()
  await slow.ended()
  assert.ok(slow.body.equals(feed.bytesFrom(100)))
  assert.equal(room.audienceStatus().counters.skips, 0)
})

test('a viewer that the window has overrun finishes its entry, and continues with a bridge at a key frame', async () => {
  await using room = await openRoom()
  const route = room.open({ window: { durationMs: 60_000, sizeBytes: 2 * MIB } })
  const feed = new Feed(route)
  feed.push()
  const slow = await stuckViewer(room, feed)
  await feed.run(400)
  const pushed = feed.pushed
  slow.socket.resume()
  await until(() => route.counters.skips > 0, 'it has skipped')
  await feed.run(13)
  route.end()
  await slow.ended()
  const { body } = slow
  const at = body.indexOf('<bridge')
  const landed = Number(/^<bridge (\d+)>/.exec(body.toString('latin1', at, at + 20))?.[1])
  assert.equal(landed % 10, 0)
  assert.ok(landed >= pushed - 32)
  const lost = (at - '<preamble 0>'.length) / ENTRY_BYTES
  assert.equal(lost, Math.round(lost), 'whole entries before the bridge')
  assert.ok(body.subarray(0, at).equals(feed.bytesFrom(0, undefined, lost)))
  assert.ok(body.subarray(at).equals(feed.bytesFrom(landed, bridgeOf(landed))))
  assert.equal(route.counters.skips, 1)
  assert.equal(route.counters.skippedBytes, (landed - lost) * ENTRY_BYTES)
  await until(() => room.kept.lines.some(({ text }) => text.includes('skipped ahead')), 'the skip is logged')
})

test('an overrun viewer waits for the next key frame if the window holds none', async () => {
  await using room = await openRoom()
  const route = room.open({ window: { durationMs: 60_000, sizeBytes: MIB } })
  const feed = new Feed(route, ENTRY_BYTES, 1000)
  feed.push()
  const slow = await stuckViewer(room, feed)
  while (feed.pushed % 1000 !== 900) await feed.run(1, 1)
  slow.socket.resume()
  const atLeast = slow.length + MIB
  await slow.received(atLeast)
  await until(() => route.counters.sentBytes === slow.length, 'it has read what it was sent')
  assert.equal(room.audienceStatus().counters.skips, 0)
  const landed = feed.pushed + 100
  await feed.run(101)
  await slow.saw(`<bridge ${landed}>`)
  assert.equal(route.counters.skips, 1)
})

test('slow: disconnect closes a viewer that the window has overrun', async () => {
  await using room = await openRoom()
  const route = room.open({ slow: 'disconnect', window: { durationMs: 60_000, sizeBytes: 2 * MIB } })
  const feed = new Feed(route)
  feed.push()
  const slow = await stuckViewer(room, feed)
  await feed.run(100)
  await until(() => route.counters.ended.get('slow') === 1, 'it is closed')
  assert.equal(route.counters.clients, 0)
  slow.close()
})

test('a viewer whose socket takes nothing for the stall timeout is closed', async () => {
  await using room = await openRoom()
  const route = room.open({ stallTimeoutMs: 10_000 })
  const feed = new Feed(route)
  feed.push()
  const reader = await room.viewer().saw('<preamble')
  await stuckViewer(room, feed)
  await reader.received(feed.pushed * ENTRY_BYTES)
  await room.swept()
  assert.equal(route.counters.clients, 2)
  room.shift(10_000)
  await until(() => route.counters.ended.get('stalled') === 1, 'it is closed')
  feed.push()
  await reader.received(feed.pushed * ENTRY_BYTES)
  assert.equal(route.counters.clients, 1)
})

test('twenty viewers that stop reading cost no more memory than the window and the bytes written to them', async () => {
  await using room = await openRoom()
  const sizeBytes = 8 * MIB
  const catchUpBytes = 256 * 1024
  const route = room.open({ window: { durationMs: 60_000, sizeBytes }, catchUpBytes })
  const feed = new Feed(route)
  feed.push()
  const viewers = Array.from({ length: 20 }, () => room.viewer())
  await Promise.all(viewers.map((client) => client.saw('<preamble')))
  for (const client of viewers) client.socket.pause()
  const memory = new ChunkMemory()
  await memory.start()
  await feed.run(3000)
  const growth = await memory.grown()
  // Each paused client of the test itself may hold two socket buffers.
  const clientsThemselves = 20 * 2 * 64 * 1024
  assert.ok(growth < sizeBytes + 20 * (catchUpBytes + ENTRY_BYTES) + clientsThemselves + 4 * MIB, `grew ${growth}`)
  assert.ok(room.status().windowBytes <= sizeBytes)
  for (const client of viewers) client.socket.resume()
  await until(() => route.counters.skips === 20, 'all have skipped')
})

test('reports to a source that can wait how far the slowest viewer is behind, and when it has caught up', async () => {
  await using room = await openRoom()
  const route = room.open()
  const feed = new Feed(route)
  feed.push()
  assert.equal(route.behindBytes, 0)
  let calls = 0
  route.onCaughtUp = () => calls++
  const slow = await stuckViewer(room, feed)
  const callsBefore = calls
  slow.socket.resume()
  await until(() => route.behindBytes === 0, 'it has caught up')
  assert.ok(calls > callsBefore)
})
