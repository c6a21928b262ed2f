import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { StreamConnection } from '../plugin/listener.js'
import { token } from '../plugin/tokens.js'
import { FakeClock } from '../testing/fake-clock.js'
import { KeptLog, RawClient, REAL_CLOCK, until } from './loopback.test.kit.js'
import { listenAt } from './bind-error.js'
import { DescriptorGuard } from './descriptor-guard.js'
import type { ListenerSettings } from './listener-options.js'
import type { ListenerServer } from './plugin-listener.js'
import { StreamListener } from './stream-listener.js'
import { CertificateFolder, tlsClient } from './tls.test.kit.js'
import type { Clock } from '../plugin/tokens.js'

const PROTOCOL = {
  protocol: 'echo',
  transport: 'tcp',
  provides: token('test'),
  refusals: ['header', 'busy', 'incomplete'],
} as const

interface Bench {
  readonly listener: StreamListener
  readonly got: StreamConnection[]
  readonly server: ListenerServer
  client(): RawClient
  refused(reason: string): number
  /** Reasons in the log. */
  told(): readonly unknown[]
}

async function open(
  t: TestContext,
  settings: ListenerSettings = {},
  { isServed = true, clock = REAL_CLOCK, limit = Infinity }: { isServed?: boolean; clock?: Clock; limit?: number } = {},
): Promise<Bench> {
  const { log, lines } = new KeptLog()
  const descriptors = new DescriptorGuard({ clock, log, limit })
  const listener = new StreamListener({
    name: 'pubs',
    address: '127.0.0.1:0',
    protocol: PROTOCOL,
    settings,
    clock,
    log,
    descriptors,
  })
  const got: StreamConnection[] = []
  const server: ListenerServer = { onConnection: (connection) => void got.push(connection) }
  const clients: RawClient[] = []
  t.after(async () => {
    for (const client of clients) client.close()
    await listener.close(0)
  })
  await listener.readCertificate()
  await listenAt('pubs', listener.boundSocket)
  if (isServed) listener.serveBy(server)
  return {
    listener,
    got,
    server,
    client: () => {
      const client = new RawClient(listener.address)
      clients.push(client)
      return client
    },
    told: () => lines.flatMap(({ data, text }) => (text === 'refused a connection' ? [data] : [])),
    refused: (reason) => listener.counters.refused.get(reason) ?? 0,
  }
}

async function arrived({ got }: Bench, count: number): Promise<StreamConnection> {
  await until(() => got.length >= count, `${count} connections`)
  return got[count - 1]!
}

/** What the connection receives. */
function read({ socket }: StreamConnection): { text: string } {
  const kept = { text: '' }
  socket.on('data', (bytes: Buffer) => (kept.text += bytes.toString('latin1')))
  socket.resume()
  return kept
}

test('a connection reaches the node with who it is, and with everything that it has sent', async (t) => {
  const bench = await open(t)
  bench.client().send('hello')
  const connection = await arrived(bench, 1)
  assert.deepEqual(
    { ...connection.who, client: connection.who.client.replace(/\d+$/, 'port') },
    {
      protocol: 'echo',
      listener: 'pubs',
      client: '127.0.0.1:port',
      address: '127.0.0.1',
      user: undefined,
      agent: '',
      place: '',
    },
  )
  const kept = read(connection)
  await until(() => kept.text === 'hello', 'the text')
  assert.deepEqual(bench.listener.origins, [`echo://${bench.listener.address}`])
})

test('a refused client can be told why, whatever it goes on sending, and has a second to close', async (t) => {
  const clock = new FakeClock()
  const bench = await open(t, {}, { clock })
  const [polite, flooding] = [bench.client(), bench.client()]
  const [first, second] = [await arrived(bench, 1), await arrived(bench, 2)]
  flooding.send(Buffer.alloc(2_000_000))
  polite.send('hello')
  for (const connection of [first, second]) connection.refuse('header', 'ERR header\n')
  await Promise.all([polite.ended(), flooding.ended()])
  assert.deepEqual([polite.text, flooding.text, bench.refused('header')], ['ERR header\n', 'ERR header\n', 2])
  polite.close()
  await until(() => bench.listener.openConnections === 1, 'one has closed')
  clock.advance(1000)
  await until(() => bench.listener.openConnections === 0, 'the other has been closed')
})

test('the log says why connections are refused, once in ten seconds, unless an input says it', async (t) => {
  const clock = new FakeClock()
  const bench = await open(t, {}, { clock })
  const refuse = async (reason: string): Promise<string> => {
    const count = bench.got.length + 1
    bench.client()
    const connection = await arrived(bench, count)
    connection.refuse(reason)
    return connection.who.client
  }
  for (const reason of ['busy', 'incomplete']) await refuse(reason)
  assert.deepEqual(bench.told(), [])
  const [first] = [await refuse('header'), await refuse('header')]
  clock.advance(10_000)
  const last = await refuse('header')
  const line = { listener: 'pubs', protocol: 'echo', reason: 'header' }
  assert.deepEqual(bench.told(), [
    { ...line, client: first },
    { ...line, client: last, leftOut: 1 },
  ])
})

test('a PROXY header names the client, and the bytes behind it are not lost', async (t) => {
  const bench = await open(t, { proxyProtocol: 'v1' })
  bench.client().send('PROXY TCP4 192.0.2.7 10.0.0.1 5555 7000\r\nhello')
  const connection = await arrived(bench, 1)
  assert.deepEqual([connection.who.address, connection.who.client], ['192.0.2.7', '192.0.2.7:5555'])
  const kept = read(connection)
  await until(() => kept.text === 'hello', 'the text')
  await bench.client().send('hello').ended()
  assert.equal(bench.refused('proxy-header'), 1)
})

test('with TLS the node gets what is inside, and a client without it is counted', async (t) => {
  using certificate = new CertificateFolder()
  const bench = await open(t, { tls: certificate.files })
  const client = tlsClient(bench.listener.address).send('hello')
  const kept = read(await arrived(bench, 1))
  await until(() => kept.text === 'hello', 'the text')
  assert.deepEqual(bench.listener.origins, [`echo+tls://${bench.listener.address}`])
  assert.ok((bench.listener.certificate?.expiresAtMs ?? 0) > Date.now())
  await bench.client().send('GET / HTTP/1.1\r\n\r\n').ended()
  assert.equal(bench.refused('plain-http'), 1)
  client.close()
})

test('one address has at most its share of connections, and gets a place back when one closes', async (t) => {
  const bench = await open(t, { maxPerAddress: 2 })
  const first = bench.client()
  bench.client()
  await arrived(bench, 2)
  await bench.client().ended()
  assert.equal(bench.refused('max-per-address'), 1)
  first.close()
  bench.got[0]?.socket.resume()
  await until(() => bench.listener.openConnections === 1, 'one connection is left')
  bench.client()
  await arrived(bench, 3)
})

test('a crowd from one address is bounded, and the process still accepts others', async (t) => {
  const bench = await open(t, { maxPerAddress: 10, maxConnections: 50 })
  for (let wave = 0; wave < 20; wave++) {
    const clients = Array.from({ length: 500 }, () => bench.client())
    await Promise.all(clients.slice(wave === 0 ? 10 : 0).map((client) => client.ended()))
  }
  assert.equal(bench.listener.openConnections, 10)
  assert.equal(bench.got.length, 10)
  assert.equal(bench.listener.counters.connections, 10_000)
  assert.equal(bench.refused('max-per-address'), 9990)
})

test('the oldest connection that has not said who it is makes room; one that has stays', async (t) => {
  const bench = await open(t, { maxConnections: 2 })
  const known = bench.client()
  ;(await arrived(bench, 1)).identified()
  const silent = bench.client()
  await arrived(bench, 2)
  bench.client()
  await arrived(bench, 3)
  await silent.ended()
  assert.equal(bench.refused('unread'), 1)
  bench.got[2]?.identified()
  await bench.client().ended()
  assert.equal(bench.refused('max-connections'), 1)
  assert.equal(known.isClosed, false)
})

test('without descriptors a connection is refused', async (t) => {
  const bench = await open(t, {}, { limit: 4 })
  for (let count = 0; count < 3; count++) bench.client()
  // Those that have not said who they are would make room.
  await arrived(bench, 3)
  for (const connection of bench.got) connection.identified()
  await bench.client().ended()
  assert.equal(bench.refused('descriptors'), 1)
})

test('connections wait for the node, at most 5 s, and those that leave meanwhile are forgotten', async (t) => {
  const clock = new FakeClock()
  const bench = await open(t, {}, { isServed: false, clock })
  const [early, gone] = [bench.client().send('early'), bench.client()]
  await until(() => bench.listener.openConnections === 2 && clock.pending === 2, 'two connections wait')
  gone.socket.resetAndDestroy()
  await until(() => clock.pending === 1, 'one has left')
  clock.advance(4999)
  bench.listener.serveBy(bench.server)
  assert.equal(clock.pending, 0)
  const kept = read(await arrived(bench, 1))
  await until(() => kept.text === 'early', 'what it has sent')
  bench.listener.leave(bench.server)
  await early.ended()
  const late = bench.client()
  await until(() => clock.pending === 1, 'another one waits')
  clock.advance(5000)
  await late.ended()
  assert.equal(bench.refused('unserved'), 1)
})

test('a node that leaves takes the connections with it that it has not identified', async (t) => {
  const bench = await open(t)
  const [known, unknown] = [bench.client(), bench.client()]
  await arrived(bench, 2)
  bench.got.find(({ who }) => who.client.endsWith(`:${known.socket.localPort}`))?.identified()
  const next: StreamConnection[] = []
  bench.listener.serveBy({ onConnection: (connection) => void next.push(connection) })
  bench.listener.provided.set('next')
  bench.listener.leave(bench.server)
  await unknown.ended()
  assert.equal(bench.listener.provided.value, 'next')
  bench.client()
  await until(() => next.length === 1, 'the next node has a connection')
  assert.equal(known.isClosed, false)
  assert.equal(bench.listener.openConnections, 2)
})

test('refusals are counted once, under declared reasons only', async (t) => {
  const bench = await open(t)
  const clients = [bench.client(), bench.client()]
  await arrived(bench, 2)
  bench.got[0]?.refuse('header')
  bench.got[0]?.refuse('header')
  bench.got[1]?.refuse('a reason with a client in it')
  for (const client of clients) await client.ended()
  assert.deepEqual(
    [...bench.listener.counters.refused],
    [
      ['header', 1],
      ['other', 1],
    ],
  )
})

test('a move to another address keeps the connections, and new ones come at the new address', async (t) => {
  const bench = await open(t)
  const before = bench.client().send('before')
  const kept = read(await arrived(bench, 1))
  bench.got[0]?.identified()
  const old = bench.listener.address
  const update = await bench.listener.prepareUpdate('127.0.0.2:0', {})
  await listenAt('pubs', update.boundSocket!)
  update.commit()
  assert.notEqual(bench.listener.address, old)
  before.send(' and after')
  await until(() => kept.text === 'before and after', 'the connection goes on')
  const refused = new RawClient(old)
  await refused.ended()
})

test('a reset in every state of a connection concerns nobody else', async (t) => {
  using certificate = new CertificateFolder()
  const tls = await open(t, { tls: certificate.files, proxyProtocol: 'v1' })
  const plain = await open(t)
  const parts = [
    '',
    'PRO',
    'PROXY TCP4 192.0.2.7 10.0.0.1 5555 7000\r\n',
    'PROXY TCP4 192.0.2.7 10.0.0.1 5555 7000\r\n\x16\x03',
  ]
  for (const bench of [tls, plain]) {
    for (const part of parts) {
      const client = bench.client()
      await new Promise((resolve) => client.socket.once('connect', resolve))
      if (part !== '') await new Promise<void>((resolve) => client.socket.write(part, 'latin1', () => resolve()))
      await until(() => bench.listener.openConnections === 1, 'it is connected')
      client.socket.resetAndDestroy()
      for (const { socket } of bench.got) socket.resume()
      await until(() => bench.listener.openConnections === 0, 'it is gone')
    }
  }
})
