import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:net'
import { type TestContext, test } from 'node:test'
import { isEngineError } from '../errors.js'
import { EngineListeners, type ListenerSpec } from './engine-listeners.js'
import {
  countDescriptors,
  HelloHandler,
  KeptLog,
  RawClient,
  REAL_CLOCK,
  settledDescriptors,
  until,
} from './loopback.test.kit.js'
import { CertificateFolder, tlsClient } from './tls.test.kit.js'

interface Bench {
  readonly listeners: EngineListeners
  readonly handler: HelloHandler
  /** A viewer of /live of this listener. */
  viewer(name?: string): Promise<RawClient>
}

const ANY = '127.0.0.1:0'

async function open(t: TestContext, ...specs: readonly ListenerSpec[]): Promise<Bench> {
  const listeners = new EngineListeners({ clock: REAL_CLOCK, log: new KeptLog().log })
  const handler = new HelloHandler()
  const clients: RawClient[] = []
  t.after(async () => {
    for (const client of clients) client.close()
    await listeners.closeAll(0)
  })
  for (const { name, address, ...settings } of specs)
    listeners.add(name, address, settings).claim({ path: '/live', stream: handler })
  await listeners.openAll()
  return {
    listeners,
    handler,
    viewer: async (name = 'web') => {
      const client = new RawClient(listeners.http(name).address).get('/live')
      clients.push(client)
      return client.saw('hello')
    },
  }
}

/** This viewer still receives bytes, none twice and none missing. */
async function assertContinues(bench: Bench, viewer: RawClient, at: number): Promise<void> {
  bench.handler.sockets[at]?.write(`more for ${at}`)
  await viewer.saw(`hellomore for ${at}`)
  assert.equal(viewer.body.toString(), `hellomore for ${at}`)
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => isEngineError(error) && error.code === code
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1))
}

async function occupy(t: TestContext): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.after(() => server.close())
  const address = server.address()
  return { server, port: typeof address === 'object' && address !== null ? address.port : 0 }
}

async function answers(address: string): Promise<number> {
  const client = new RawClient(address).get('/none', 'Connection: close')
  await client.ended()
  client.close()
  return client.status
}

test(
  'a listener moves: the new address answers, the old one is free, and viewers stay',
  { timeout: 20_000 },
  async (t) => {
    const bench = await open(t, { name: 'web', address: ANY })
    const web = bench.listeners.http('web')
    const old = web.address
    const viewer = await bench.viewer()
    const next = `127.0.0.2:${portOf(old)}`
    const change = await bench.listeners.prepare([{ name: 'web', address: next }])
    assert.equal(await answers(old), 404)
    assert.equal(web.address, old)
    change.commit()
    assert.equal(bench.listeners.http('web'), web)
    assert.equal(web.address, next)
    assert.equal(await answers(old), 0)
    await change.revert()
    assert.equal(web.counters.live, 1)
    await assertContinues(bench, viewer, 0)
    viewer.close()
    bench.handler.sockets[0]?.destroy()
    const again = await bench.listeners.prepare([{ name: 'web', address: old }])
    again.commit()
    assert.equal(await answers(old), 404)
  },
)

test(
  'an address that overlaps the previous one replaces it; viewers and idle connections stay',
  { timeout: 20_000 },
  async (t) => {
    const bench = await open(t, { name: 'web', address: ANY })
    const port = portOf(bench.listeners.http('web').address)
    const viewer = await bench.viewer()
    const idle = await new RawClient(`127.0.0.1:${port}`)
      .get('/none')
      .saw('Nothing is served at this path; check the URL')
    t.after(() => idle.close())
    for (const address of [`0.0.0.0:${port}`, `[::]:${port}`, `127.0.0.1:${port}`]) {
      const change = await bench.listeners.prepare([{ name: 'web', address }])
      assert.equal(await answers(`127.0.0.1:${port}`), 404)
      change.commit()
      assert.equal(await answers(`127.0.0.1:${port}`), 404)
    }
    const before = idle.length
    await idle.get('/none').received(before + 10)
    await assertContinues(bench, viewer, 0)
  },
)

test('two listeners swap their addresses', { timeout: 20_000 }, async (t) => {
  const bench = await open(t, { name: 'a', address: ANY }, { name: 'b', address: ANY })
  const [a, b] = [bench.listeners.http('a'), bench.listeners.http('b')]
  const [first, second] = [a.address, b.address]
  const viewers = [await bench.viewer('a'), await bench.viewer('b')]
  const change = await bench.listeners.prepare([
    { name: 'a', address: second },
    { name: 'b', address: first },
  ])
  change.commit()
  assert.deepEqual([a.address, b.address], [second, first])
  for (const [at, viewer] of viewers.entries()) await assertContinues(bench, viewer, at)
  await bench.viewer('a')
  assert.deepEqual([a.counters.live, b.counters.live], [2, 1])
})

test(
  'one address that cannot be bound leaves everything as it was, including addresses that were released',
  { timeout: 20_000 },
  async (t) => {
    const { server, port: taken } = await occupy(t)
    const bench = await open(t, { name: 'a', address: ANY }, { name: 'b', address: ANY }, { name: 'c', address: ANY })
    const addresses = bench.listeners.all().map(({ address }) => address)
    const [first = '', second = '', third = ''] = addresses
    const viewers = [await bench.viewer('a'), await bench.viewer('b'), await bench.viewer('c')]
    const descriptors = await settledDescriptors()
    const edits: readonly (readonly [string, readonly ListenerSpec[]])[] = [
      [
        'LISTEN_IN_USE',
        [
          { name: 'a', address: second },
          { name: 'b', address: first },
          { name: 'c', address: `127.0.0.1:${taken}` },
        ],
      ],
      [
        'LISTEN_IN_USE',
        [
          { name: 'a', address: `0.0.0.0:${taken}` },
          { name: 'n', address: ANY },
        ],
      ],
      [
        'LISTEN_NO_ADDRESS',
        [
          { name: 'a', address: `192.0.2.1:${portOf(second)}` },
          { name: 'b', address: first },
        ],
      ],
      ['LISTEN_BAD_ADDRESS', [{ name: 'a', address: 'nowhere' }]],
      ['LISTEN_BAD_RANGE', [{ name: 'a', address: ANY, trustedProxies: ['x'] }]],
      [
        'LISTEN_BAD_CERTIFICATE',
        [
          { name: 'a', address: ANY, tls: { cert: '/none', key: '/none' } },
          { name: 'b', address: first },
        ],
      ],
    ]
    for (const [code, specs] of edits) {
      await assert.rejects(bench.listeners.prepare(specs), hasCode(code))
      assert.deepEqual(
        bench.listeners.all().map(({ address }) => address),
        addresses,
      )
      for (const address of [first, second, third]) assert.equal(await answers(address), 404)
    }
    const prepared = await bench.listeners.prepare([
      { name: 'a', address: second },
      { name: 'n', address: ANY },
    ])
    assert.equal(await answers(bench.listeners.http('n').address), 404)
    await prepared.revert()
    await prepared.revert()
    prepared.commit()
    assert.throws(() => bench.listeners.http('n'), hasCode('LISTEN_UNKNOWN'))
    for (const address of [first, second, third]) assert.equal(await answers(address), 404)
    for (const [at, viewer] of viewers.entries()) await assertContinues(bench, viewer, at)
    await until(() => countDescriptors() <= descriptors, 'no descriptor is left open')
    assert.ok(server.listening)
  },
)

test(
  'a listener with the same configured address stays bound, whatever port was chosen, and limits apply at once',
  { timeout: 20_000 },
  async (t) => {
    const bench = await open(t, { name: 'web', address: ANY })
    const web = bench.listeners.http('web')
    const { address } = web
    const change = await bench.listeners.prepare([{ name: 'web', address: ANY, maxClients: 7 }])
    assert.equal(web.maxClients, 0)
    change.commit()
    assert.deepEqual([web.address, web.maxClients], [address, 7])
  },
)

test(
  'a removed listener accepts nothing more, and closes when its viewers have left',
  { timeout: 20_000 },
  async (t) => {
    const bench = await open(t, { name: 'web', address: ANY }, { name: 'old', address: ANY })
    const old = bench.listeners.http('old')
    const { address } = old
    const viewer = await bench.viewer('old')
    const stuck = await bench.viewer('old')
    const change = await bench.listeners.prepare([
      { name: 'web', address: ANY },
      { name: 'new', address },
    ])
    change.commit(60_000)
    assert.throws(() => bench.listeners.http('old'), hasCode('LISTEN_UNKNOWN'))
    assert.equal(await answers(address), 404)
    await assertContinues(bench, viewer, 0)
    bench.handler.sockets[0]?.end()
    await viewer.ended()
    viewer.close()
    assert.equal(stuck.isEnded, false)
    await bench.listeners.closeAll(0)
    await stuck.ended()
    assert.equal(old.openConnections, 0)
  },
)

test('a removed listener cuts viewers that remain after the grace period', { timeout: 20_000 }, async (t) => {
  const bench = await open(t, { name: 'web', address: ANY }, { name: 'old', address: ANY })
  const stuck = await bench.viewer('old')
  const change = await bench.listeners.prepare([{ name: 'web', address: ANY }])
  change.commit(20)
  await stuck.ended()
})

test(
  'TLS can be added, changed and removed for new connections; open ones stay as they are',
  { timeout: 20_000 },
  async (t) => {
    using folder = new CertificateFolder()
    using other = new CertificateFolder('second.test')
    const bench = await open(t, { name: 'web', address: ANY })
    const web = bench.listeners.http('web')
    const { address } = web
    const plain = await bench.viewer()
    const secured = await bench.listeners.prepare([{ name: 'web', address: ANY, tls: folder.files }])
    assert.equal(await answers(address), 404)
    secured.commit()
    assert.match(web.origins[0] ?? '', /^https:/)
    const secret = await tlsClient(address).get('/live').saw('hello')
    t.after(() => secret.close())
    const changed = await bench.listeners.prepare([{ name: 'web', address: ANY, tls: other.files }])
    changed.commit()
    const second = await tlsClient(address).get('/live').saw('hello')
    t.after(() => second.close())
    const off = await bench.listeners.prepare([{ name: 'web', address: ANY, proxyProtocol: 'v1' }])
    off.commit()
    const proxied = await new RawClient(address)
      .send('PROXY TCP4 192.0.2.9 192.0.2.1 5000 80\r\n')
      .get('/live')
      .saw('hello')
    t.after(() => proxied.close())
    assert.equal(bench.handler.visits[3]?.address, '192.0.2.9')
    assert.equal(web.address, address)
    for (const [at, viewer] of [plain, secret, second, proxied].entries()) await assertContinues(bench, viewer, at)
  },
)

test('a hundred moves back and forth leave no descriptor open', { timeout: 20_000 }, async (t) => {
  const bench = await open(t, { name: 'web', address: ANY })
  const port = portOf(bench.listeners.http('web').address)
  const viewer = await bench.viewer()
  const before = await settledDescriptors()
  for (let count = 0; count < 50; count++) {
    for (const host of ['0.0.0.0', '127.0.0.1']) {
      const change = await bench.listeners.prepare([{ name: 'web', address: `${host}:${port}` }])
      if (count % 3 === 0) await change.revert()
      else change.commit()
    }
  }
  await until(() => countDescriptors() <= before, 'all are closed')
  await assertContinues(bench, viewer, 0)
})

test('an old address that another program has taken meanwhile is bound again', { timeout: 60_000 }, async (t) => {
  const bench = await open(t, { name: 'web', address: ANY })
  const { address, boundSocket } = bench.listeners.http('web')
  const port = portOf(address)
  const thief = createServer()
  t.after(() => thief.close())
  const release = boundSocket.releaseAddress.bind(boundSocket)
  boundSocket.releaseAddress = () => {
    release()
    // Without a host it listens when this returns.
    thief.listen(port)
  }
  await assert.rejects(bench.listeners.prepare([{ name: 'web', address: `0.0.0.0:${port}` }]), hasCode('LISTEN_IN_USE'))
  assert.match(bench.listeners.unbound().get('web') ?? '', /it is in use/)
  thief.close()
  while ((await answers(address)) !== 404) await new Promise((resolve) => setTimeout(resolve, 20))
  await until(() => bench.listeners.unbound().size === 0, 'it is bound')
  const change = await bench.listeners.prepare([{ name: 'web', address: ANY }])
  change.commit()
  assert.equal(await answers(bench.listeners.http('web').address), 404)
})
