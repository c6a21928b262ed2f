import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AccessControl } from '../access/access-control.js'
import type { AccessDecision, Auth } from '../plugin/auth.js'
import type { AuthSettings } from '../access/auth-schema.js'
import { RawClient, until } from '../listen/loopback.test.kit.js'
import { Feed, openRoom, routeOptions } from './delivery.test.kit.js'
import type { SessionEnd, SessionStart } from '../observe/viewer-events.js'

const PROVIDER: AuthSettings = {
  name: 'viewers',
  type: 'basic',
  options: { realm: 'tv', users: { anna: 'secret' } },
  at: { file: 'a', line: 1, column: 1 },
}
const ANNA = `Authorization: Basic ${Buffer.from('anna:secret').toString('base64')}`

function control(): AccessControl {
  return new AccessControl([PROVIDER], { nowMs: () => performance.now() })
}

/** Decides when the test tells it to. */
class SlowAuth implements Auth {
  readonly asked: ((decision: AccessDecision) => void)[] = []

  check(): Promise<AccessDecision> {
    return new Promise((resolve) => this.asked.push(resolve))
  }
}

test('a denied client gets a challenge, is counted, and does not count as a viewer', async () => {
  await using room = await openRoom({ auth: control() })
  const route = room.open({ auth: ['viewers'], cors: '*' })
  new Feed(route).push(2)
  const refused = await room.viewer().ended()
  assert.equal(refused.status, 401)
  assert.match(refused.text, /WWW-Authenticate: Basic realm="tv", charset="UTF-8"\r\n/)
  assert.match(refused.text, /Access-Control-Allow-Origin: \*\r\n/)
  assert.ok(!refused.text.includes('Retry-After'))
  assert.deepEqual([room.audiences.clients, route.counters.connects], [0, 0])
  assert.deepEqual([...route.counters.refused], [['no-credentials', 1]])
})

test('a viewer that signs in receives the stream, is listed by name, and can be kicked', async () => {
  await using room = await openRoom({ auth: control() })
  const sessions: (SessionStart | SessionEnd)[] = []
  room.audiences.watchSessions({ onStart: (one) => sessions.push(one), onEnd: (one) => sessions.push(one) })
  const feed = new Feed(room.open({ auth: ['viewers'] }))
  feed.push(1)
  const anna = new RawClient(room.listener.address).get('/live.ts?token=x', ANNA, `User-Agent: ${'x'.repeat(1000)}`)
  await anna.received(feed.entryBytes)
  const [client] = room.audiences.viewers('one/ts')
  assert.ok(client !== undefined)
  assert.deepEqual([client.user, client.userAgent?.length, client.state, client.skips], ['anna', 256, 'reading', 0])
  assert.deepEqual(room.audiences.viewers('one/other'), [])
  assert.equal(room.audiences.kick('nobody'), undefined)
  assert.equal(room.audiences.kick(client.id)?.user, 'anna')
  await anna.ended()
  await until(() => sessions.length === 2, 'the session has ended')
  const [start, end] = sessions as [SessionStart, SessionEnd]
  assert.deepEqual([start.id, start.user, start.path], [client.id, 'anna', '/live.ts'])
  assert.deepEqual([end.id, end.reason, end.status], [client.id, 'kicked', 200])
})

test('the option applies to the next viewer, and no providers means everyone', async () => {
  await using room = await openRoom({ auth: control() })
  const route = room.open()
  const feed = new Feed(route)
  feed.push(1)
  const first = await room.viewer().received(feed.entryBytes)
  route.update(routeOptions({ auth: ['viewers'] }))
  assert.equal((await room.viewer().ended()).status, 401)
  assert.equal(first.isClosed, false)
})

test('an unknown provider, or no providers at all, admits no one', async () => {
  await using room = await openRoom({ auth: control() })
  room.open({ auth: ['nobody'] })
  assert.equal((await room.viewer().ended()).status, 403)
  await using bare = await openRoom()
  bare.open({ auth: ['viewers'] })
  assert.equal((await bare.viewer().ended()).status, 403)
})

test('a client that leaves while its password is checked leaves nothing behind', async () => {
  const auth = new SlowAuth()
  await using room = await openRoom({ auth })
  const route = room.open({ auth: ['viewers'] })
  new Feed(route).push(1)
  const gone = room.viewer()
  const patient = room.viewer()
  await until(() => auth.asked.length === 2, 'both are being checked')
  gone.socket.resetAndDestroy()
  await until(() => room.listener.openConnections === 1, 'the server has noticed')
  for (const decide of auth.asked) decide({ allowed: true, user: undefined })
  await patient.received(1)
  assert.equal(route.counters.connects, 1)
})

test('what an admission has used up is given back if the client receives nothing', async () => {
  let back = 0
  const auth: Auth = { check: () => ({ allowed: true, user: undefined, giveBack: () => void back++ }) }
  await using room = await openRoom({ auth })
  const route = room.open({ auth: ['viewers'], offline: { waitForMs: 0, status: 503, endAfterMs: 60_000 } })
  assert.equal((await room.viewer().ended()).status, 503)
  assert.equal(back, 1)
  route.update(routeOptions({ auth: ['viewers'] }))
  const waiting = room.viewer()
  await until(() => room.audiences.clients === 1, 'it waits')
  // One that only ends what it sends may still wait.
  waiting.socket.resetAndDestroy()
  await until(() => back === 2, 'it has left without a byte')
  const head = new RawClient(room.listener.address)
  head.send('HEAD /live.ts HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  await until(() => back === 3, 'a HEAD takes nothing')
  head.close()
  new Feed(route).push(1)
  const viewer = await room.viewer().received(1)
  viewer.close()
  // One that only closes its side may still listen while the source is there.
  room.shift(3100)
  await until(() => room.audiences.clients === 0, 'the viewer has left')
  assert.equal(back, 3)
})
