import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isEngineError } from '../errors.js'
import { RawClient, until } from '../listen/loopback.test.kit.js'
import { Feed, openRoom, type Room, routeOptions } from './delivery.test.kit.js'

const MOVED = '/moved.ts'

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => isEngineError(error) && error.code === code
}

async function status(room: Room, path: string): Promise<number> {
  const client = await new RawClient(room.listener.address)
    .send(`HEAD ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
    .ended()
  client.close()
  return client.status
}

/** The statuses of the paths now. */
async function statuses(room: Room, ...paths: readonly string[]): Promise<number[]> {
  const found: number[] = []
  for (const path of paths) found.push(await status(room, path))
  return found
}

test('a new path works at once, and the old one is an alias while viewers that used it are connected', async () => {
  await using room = await openRoom()
  const route = room.open()
  const feed = new Feed(route, 1000)
  feed.push(2)
  const viewer = await room.viewer().received(1000)
  route.update(routeOptions({ path: MOVED, aliasForMs: 60_000 }))
  assert.deepEqual(room.status().urls, [`${room.listener.origins[0]}${MOVED}`])
  const [alias] = room.status().aliases
  assert.deepEqual([alias?.url, alias?.viewers], [`${room.listener.origins[0]}/live.ts`, 1])
  assert.match(alias?.until ?? '', /^\d{4}-/)
  const second = await room.viewer().received(1000)
  const third = await room.viewer(MOVED).received(1000)
  assert.equal(room.status().aliases[0]?.viewers, 2)
  feed.push(20)
  for (const each of [viewer, second, third]) await each.received(22_000)
  assert.ok(viewer.body.equals(feed.bytesFrom(0)))
  for (const each of [viewer, second]) each.close()
  await until(() => {
    feed.push()
    return room.status().aliases.length === 0
  }, 'the alias has ended')
  assert.deepEqual(await statuses(room, '/live.ts', MOVED), [404, 200])
})

test('an alias expires, and a path without viewers leaves no alias', async () => {
  await using room = await openRoom()
  const route = room.open()
  const feed = new Feed(route, 1000)
  feed.push()
  route.update(routeOptions({ path: '/b.ts' }))
  assert.deepEqual([room.status().aliases.length, await status(room, '/live.ts')], [0, 404])
  const viewer = await room.viewer('/b.ts').received(1000)
  route.update(routeOptions({ path: '/c.ts', aliasForMs: 5000 }))
  assert.equal(room.status().aliases.length, 1)
  room.shift(5001)
  feed.push()
  await until(() => room.status().aliases.length === 0, 'it has expired')
  assert.deepEqual([await status(room, '/b.ts'), viewer.isEnded], [404, false])
})

test('an alias yields its path to another claim, and its viewers stay', async () => {
  await using room = await openRoom()
  const route = room.open()
  const feed = new Feed(route, 1000)
  feed.push()
  const viewer = await room.viewer().received(1000)
  route.update(routeOptions({ path: MOVED }))
  const page = room.listener.claim({ path: '/live.ts', respond: (_, response) => response.end('page') })
  assert.equal(room.status().aliases.length, 0)
  await room.viewer().saw('page')
  feed.push()
  await viewer.received(2000)
  page[Symbol.dispose]()
  route.update(routeOptions())
  assert.deepEqual(await statuses(room, '/live.ts', MOVED), [200, 404])
})

test('a path that moves away and back keeps its count of viewers', async () => {
  await using room = await openRoom()
  const route = room.open()
  new Feed(route, 1000).push()
  await room.viewer().received(1000)
  route.update(routeOptions({ path: MOVED }))
  await room.viewer(MOVED).received(1000)
  route.update(routeOptions())
  assert.deepEqual(
    room.status().aliases.map(({ url, viewers }) => [url.endsWith(MOVED), viewers]),
    [[true, 1]],
  )
  assert.deepEqual(await statuses(room, '/live.ts', MOVED), [200, 200])
})

test('a path in use and an unknown listener change nothing', async () => {
  await using room = await openRoom()
  const route = room.open()
  room.open({ id: 'one/other', path: MOVED })
  new Feed(route, 1000).push()
  assert.throws(() => route.update(routeOptions({ path: MOVED, cors: '*' })), hasCode('LISTEN_PATH_TAKEN'))
  const next = room.delivery.lease(routeOptions({ path: MOVED }))
  assert.throws(() => next.takeOver(route), hasCode('LISTEN_PATH_TAKEN'))
  const viewer = await room.viewer().received(1000)
  assert.doesNotMatch(viewer.text, /Allow-Origin/)
  new Feed(route, 1000).push()
  await viewer.received(2000)
})

test('two outputs swap their paths, and their viewers stay', async () => {
  await using room = await openRoom()
  const [a, b] = [room.open({ id: 'one/a', path: '/a' }), room.open({ id: 'one/b', path: '/b' })]
  const [feedA, feedB] = [new Feed(a, 1000), new Feed(b, 3000)]
  feedA.push()
  feedB.push()
  const [viewerA, viewerB] = [await room.viewer('/a').received(1000), await room.viewer('/b').received(3000)]
  for (const route of [a, b]) route.withdraw()
  assert.deepEqual(await statuses(room, '/a', '/b'), [404, 404])
  assert.deepEqual(room.status().urls, [])
  a.update(routeOptions({ path: '/b' }))
  b.update(routeOptions({ path: '/a' }))
  for (const route of [a, b]) route.restore()
  feedA.push(3)
  feedB.push(3)
  await viewerA.received(4000)
  await viewerB.received(12_000)
  assert.ok(viewerA.body.equals(feedA.bytesFrom(0)))
  assert.ok(viewerB.body.equals(feedB.bytesFrom(0)))
  const newViewer = await room.viewer('/b').received(4000)
  assert.ok(newViewer.body.equals(feedA.bytesFrom(0)))
  assert.deepEqual(
    room.delivery.routes().map(({ aliases }) => aliases.length),
    [0, 0],
  )
})

test('a route passes to another output: viewers lose nothing, and the previous handle no longer has any effect', async () => {
  await using room = await openRoom()
  const before = room.open()
  const feed = new Feed(before, 1000)
  feed.push(5)
  let isOver = false
  before.onCaughtUp = () => assert.ok(!isOver, 'the old handle is not called')
  const viewer = await room.viewer().received(5000)
  const after = room.delivery.lease(routeOptions({ id: 'one/new', path: MOVED }))
  after.takeOver(before)
  isOver = true
  feed.push()
  before.update(routeOptions({ path: '/else' }))
  before.end()
  await before.drained()
  await before[Symbol.asyncDispose]()
  assert.deepEqual([before.behindBytes, before.onCaughtUp], [0, undefined])
  const [status] = room.delivery.routes()
  assert.deepEqual([status?.id, status?.windowEntries, after.counters.connects], ['one/new', 5, 1])
  assert.equal(room.audiences.of('one/new')?.counters, after.counters)
  const next = new Feed(after, 1000)
  next.push(3)
  after.end()
  await viewer.ended()
  await after.drained()
  const expected = Buffer.concat([feed.bytesFrom(0, undefined, 5), next.bytesFrom(0, Buffer.alloc(0))])
  assert.ok(viewer.body.equals(expected))
})

test('a route that has moved for the next output stays there when the previous one updates its other options', async () => {
  await using room = await openRoom()
  const before = room.open()
  new Feed(before, 1000).push()
  const next = room.delivery.lease(routeOptions({ path: MOVED }))
  before.withdraw(next)
  assert.deepEqual(await statuses(room, '/live.ts', MOVED), [404, 404])
  before.restore(next)
  before.update(routeOptions({ cors: '*' }))
  assert.deepEqual(await statuses(room, '/live.ts', MOVED), [404, 200])
  next.takeOver(before)
  assert.deepEqual(await statuses(room, '/live.ts', MOVED), [404, 200])
})

test('an ended output is not taken over, and a new one replaces it at its path', async () => {
  await using room = await openRoom()
  const before = room.open()
  const feed = new Feed(before)
  feed.push()
  const slow = await room.viewer().saw('<preamble')
  slow.socket.pause()
  await feed.run(300)
  before.end()
  const after = room.delivery.lease(routeOptions())
  after.takeOver(before)
  new Feed(after, 1000).push()
  await room.viewer().received(1000)
  assert.equal(room.audienceStatus().counters, after.counters)
  slow.socket.resume()
  await slow.ended()
  assert.ok(slow.body.equals(feed.bytesFrom(0)))
  await before.drained()
})

test('a renamed route keeps its new name when its output updates options under the old one', async () => {
  await using room = await openRoom()
  const route = room.open()
  new Feed(route, 1000).push()
  await room.viewer().received(1000)
  route.rename('one/new')
  route.update(routeOptions({ path: MOVED }))
  assert.equal(room.status().id, 'one/new')
  assert.equal(room.audiences.viewers('one/new').length, 1)
})

test('the route of a node is found by the current id after renames and takeovers', async () => {
  await using room = await openRoom()
  const { delivery } = room
  const found = (...ids: readonly string[]) => ids.map((id) => delivery.routeOf(id)?.id)
  assert.deepEqual(found('one/ts'), [undefined])
  const route = room.open()
  assert.deepEqual(found('one/ts', 'one/else'), ['one/ts', undefined])
  const other = room.open({ id: 'one/else', path: MOVED })
  assert.deepEqual(found('one/ts', 'one/else'), ['one/ts', 'one/else'])
  route.rename('one/new')
  assert.deepEqual(found('one/ts', 'one/new'), [undefined, 'one/new'])
  const newer = delivery.lease(routeOptions({ id: 'one/newer' }))
  newer.takeOver(route)
  assert.deepEqual(found('one/new', 'one/newer'), [undefined, 'one/newer'])
  await other[Symbol.asyncDispose]()
  assert.deepEqual(found('one/else', 'one/newer'), [undefined, 'one/newer'])
  // An ended route that waits for its viewers has the same owner as the one that has taken its path.
  const ended = delivery.lease(routeOptions())
  ended.takeOver(newer)
  ended.end()
  const next = delivery.lease(routeOptions())
  next.takeOver(ended)
  assert.equal(room.audiences.of('one/ts')?.counters, next.counters)
})

test('a removed output admits no one, and its viewers get the rest of the window and a clean end', async () => {
  await using room = await openRoom()
  const route = room.open()
  const feed = new Feed(route)
  feed.push()
  const viewer = await room.viewer().saw('<preamble')
  const slow = await room.viewer().saw('<preamble')
  slow.socket.pause()
  await feed.run(200)
  route.update(routeOptions({ path: MOVED }))
  route.withdraw()
  assert.deepEqual(await statuses(room, '/live.ts', MOVED), [404, 404])
  const other = room.open({ id: 'one/other' })
  new Feed(other, 1000).push()
  await room.viewer().received(1000)
  await feed.run(5)
  route.end()
  await viewer.ended()
  slow.socket.resume()
  await Promise.all([slow.ended(), route.drained()])
  for (const each of [viewer, slow]) assert.ok(each.body.equals(feed.bytesFrom(0)))
  await route[Symbol.asyncDispose]()
  assert.equal(other.counters.clients, 1)
})
