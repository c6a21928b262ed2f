import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HttpListener } from './http-listener.js'
import type { HttpListenerOptions } from './listener-options.js'
import {
  countDescriptors,
  HelloHandler,
  KeptLog,
  RawClient,
  REAL_CLOCK,
  settledDescriptors,
  until,
} from './loopback.test.kit.js'

async function bound(more: Partial<HttpListenerOptions>): Promise<{ listener: HttpListener; handler: HelloHandler }> {
  const { log } = new KeptLog()
  const listener = new HttpListener({ name: 'web', address: '127.0.0.1:0', clock: REAL_CLOCK, log, ...more })
  const handler = new HelloHandler()
  listener.claim({ path: '/live.ts', stream: handler })
  await listener.bind()
  return { listener, handler }
}

test('closes connections over the limit at once, and accepts new ones when others have closed', async () => {
  const { listener } = await bound({ maxConnections: 3 })
  const viewers: RawClient[] = []
  for (let turn = 0; turn < 3; turn++) viewers.push(await new RawClient(listener.address).get('/live.ts').saw('hello'))
  const late = await new RawClient(listener.address).get('/live.ts').ended()
  assert.equal(late.length, 0)
  assert.equal(listener.counters.refused.get('max-connections'), 1)
  assert.equal(listener.openConnections, 3)
  viewers[0]?.socket.resetAndDestroy()
  await until(() => listener.openConnections === 2, 'one has closed')
  viewers.push(await new RawClient(listener.address).get('/live.ts').saw('hello'))
  for (const client of [...viewers, late]) client.close()
  await listener.close(0)
})

test('a thousand silent connections keep no one out, and viewers stay undisturbed', async () => {
  const before = await settledDescriptors()
  const { listener, handler } = await bound({ maxConnections: 200 })
  const viewer = await new RawClient(listener.address).get('/live.ts').saw('hello')
  const silent: RawClient[] = []
  for (let turn = 0; turn < 10; turn++) {
    const crowd = Array.from({ length: 100 }, () => new RawClient(listener.address))
    silent.push(...crowd)
    await until(() => crowd.every(({ socket }) => !socket.connecting), 'they have connected')
    const late = await new RawClient(listener.address).get('/live.ts').saw('hello')
    late.socket.resetAndDestroy()
    assert.ok(listener.openConnections <= 200, `${listener.openConnections}`)
  }
  await until(() => listener.counters.connections === 1011, 'all have been accepted')
  const refused = listener.counters.refused.get('unread') ?? 0
  assert.ok(refused >= 800, `${refused}`)
  // The oldest were closed first.
  await until(() => silent.slice(0, 700).every((client) => client.isEnded || client.isClosed), 'the oldest are closed')
  handler.sockets[0]?.write('still here')
  await viewer.saw('still here')
  for (const client of [viewer, ...silent]) client.close()
  await listener.close(0)
  await until(() => silent.every((client) => client.isClosed), 'all clients are closed')
  await until(() => countDescriptors() <= before, 'no descriptor is left open')
})

test('a client with a request replaces a silent one, even at the limit', async () => {
  const { listener } = await bound({ maxConnections: 4 })
  const viewers: RawClient[] = []
  for (let turn = 0; turn < 3; turn++) viewers.push(await new RawClient(listener.address).get('/live.ts').saw('hello'))
  const silent = new RawClient(listener.address)
  await until(() => listener.openConnections === 4, 'the limit is reached')
  viewers.push(await new RawClient(listener.address).get('/live.ts').saw('hello'))
  await silent.ended()
  assert.equal(listener.counters.refused.get('unread'), 1)
  for (const client of [...viewers, silent]) client.close()
  await listener.close(0)
})
