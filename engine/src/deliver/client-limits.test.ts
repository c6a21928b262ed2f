import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RawClient, until } from '../listen/loopback.test.kit.js'
import { Feed, NO_LIMITS, openRoom, type Room } from './delivery.test.kit.js'

/** A viewer for which a trusted proxy (this machine) gives that address. */
function viewerFrom(room: Room, address: string): RawClient {
  return new RawClient(room.listener.address).get('/live.ts', `X-Forwarded-For: ${address}`)
}

test('counts viewers per IPv4 address and per /64, mapped addresses as IPv4, and admits others', async () => {
  await using room = await openRoom({}, { trustedProxies: ['127.0.0.1'] })
  const route = room.open({ audience: room.audience({ perAddress: 2, overLimitStatus: 404 }) })
  const feed = new Feed(route)
  feed.push()
  const clients: RawClient[] = []
  const joins = async (address: string): Promise<number> => {
    const client = viewerFrom(room, address)
    clients.push(client)
    await until(() => client.status > 0, 'it is answered')
    return client.status
  }
  assert.deepEqual(
    [await joins('192.0.2.1'), await joins('::ffff:192.0.2.1'), await joins('192.0.2.1')],
    [200, 200, 404],
  )
  assert.equal(await joins('192.0.2.2'), 200)
  const same64 = ['2001:db8::1', '2001:db8::ffff', '2001:db8:0:0:8000::']
  assert.deepEqual([await joins(same64[0]!), await joins(same64[1]!), await joins(same64[2]!)], [200, 200, 404])
  assert.equal(await joins('2001:db8:0:1::1'), 200)
  assert.equal(route.counters.refused.get('per-address'), 2)
  clients[0]?.socket.resetAndDestroy()
  await until(() => route.counters.clients === 5, 'one has left')
  assert.equal(await joins('192.0.2.1'), 200)
  for (const client of clients) client.close()
})

test('HEAD returns the status that a GET from the same address would get', async () => {
  await using room = await openRoom({}, { trustedProxies: ['127.0.0.1'] })
  new Feed(room.open({ audience: room.audience({ perAddress: 1, overLimitStatus: 404 }) })).push()
  const viewer = await viewerFrom(room, '192.0.2.1').saw('<preamble 0>')
  for (const [address, status] of [
    ['192.0.2.1', 404],
    ['192.0.2.2', 200],
  ] as const) {
    const head = `HEAD /live.ts HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: ${address}\r\n\r\n`
    const asked = await new RawClient(room.listener.address).send(head).ended()
    assert.equal(asked.status, status)
    asked.close()
  }
  viewer.close()
})

test('a soft limit keeps no one out: events and status report it, once each way', async () => {
  const events: string[] = []
  const onEvent = ({ kind, node, data }: { kind: string; node: string; data: object }): void => {
    events.push(`${kind} ${node} ${JSON.stringify(data)}`)
  }
  await using room = await openRoom({ onEvent })
  const route = room.open({ audience: room.audience({ soft: 2, max: 3 }) })
  const feed = new Feed(route)
  feed.push()
  const clients = [room.viewer(), room.viewer(), room.viewer()]
  for (const client of clients) await client.saw('<preamble 0>')
  assert.equal((await room.viewer().ended()).status, 503)
  assert.deepEqual(room.audienceStatus().limitsReached, ['soft', 'max'])
  assert.deepEqual(room.audienceStatus().limits, { ...NO_LIMITS, soft: 2, max: 3 })
  for (const client of clients) client.socket.resetAndDestroy()
  await until(() => route.counters.clients === 0, 'they have left')
  assert.deepEqual(events, [
    'limit_hit one/ts {"limit":"soft","value":2,"clients":2}',
    'limit_hit one/ts {"limit":"max","value":3,"clients":3}',
    'limit_miss one/ts {"limit":"max","value":3,"clients":2}',
    'limit_miss one/ts {"limit":"soft","value":2,"clients":1}',
  ])
  assert.deepEqual(room.audienceStatus().limitsReached, [])
})

test('a listener has one limit over all its outputs', async () => {
  await using room = await openRoom({}, { maxClients: 2 })
  const routes = [room.open(), room.open({ path: '/other.ts', id: 'one/other' })]
  for (const route of routes) new Feed(route).push()
  const first = await room.viewer().saw('<preamble 0>')
  await room.viewer('/other.ts').saw('<preamble 0>')
  assert.equal((await room.viewer('/other.ts').ended()).status, 503)
  assert.equal(routes[1]?.counters.refused.get('listener-max-clients'), 1)
  first.socket.resetAndDestroy()
  await until(() => routes[0]?.counters.clients === 0, 'one has left')
  await room.viewer('/other.ts').saw('<preamble 0>')
})
