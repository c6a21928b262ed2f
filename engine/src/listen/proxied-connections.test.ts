import assert from 'node:assert/strict'
import { connect as connectTcp, type Socket } from 'node:net'
import { Duplex, PassThrough } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { connect } from 'node:tls'
import { HttpListener } from './http-listener.js'
import type { HttpListenerOptions } from './listener-options.js'
import { HelloHandler, KeptLog, RawClient, REAL_CLOCK, until } from './loopback.test.kit.js'
import { CertificateFolder } from './tls.test.kit.js'

const V1 = 'PROXY TCP4 192.0.2.1 198.51.100.1 4711 443\r\n'
const V2 = Buffer.from('0d0a0d0a000d0a515549540a2111000ec0000201c6336401126701bb0400', 'hex')
const V2_LOCAL = Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex')

async function bound(more: Partial<HttpListenerOptions>): Promise<{ listener: HttpListener; handler: HelloHandler }> {
  const { log } = new KeptLog()
  const listener = new HttpListener({ name: 'web', address: '127.0.0.1:0', clock: REAL_CLOCK, log, ...more })
  const handler = new HelloHandler()
  listener.claim({ path: '/live.ts', stream: handler })
  listener.claim({
    path: '/who',
    respond: (request, response) => response.end(`for ${String(request.headers['x-forwarded-for'])}.`),
  })
  await listener.bind()
  return { listener, handler }
}

describe('a listener behind a balancer', () => {
  let listener: HttpListener
  let handler: HelloHandler

  before(async () => ({ listener, handler } = await bound({ proxyProtocol: 'v1' })))
  after(() => listener.close(0))

  test('takes the client from the PROXY header, for live paths', async () => {
    const client = await new RawClient(listener.address).send(V1).get('/live.ts').saw('hello')
    assert.deepEqual([handler.visits.at(-1)?.client, handler.visits.at(-1)?.address], ['192.0.2.1:4711', '192.0.2.1'])
    client.close()
  })

  test('also if everything arrives at once, byte by byte, or on a kept connection', async () => {
    const request = 'GET /who HTTP/1.1\r\nHost: here\r\n\r\n'
    const client = await new RawClient(listener.address).send(V1 + request).saw('for 192.0.2.1.')
    client.get('/live.ts')
    await client.saw('hello')
    assert.equal(handler.visits.at(-1)?.client, '192.0.2.1:4711')
    const slow = new RawClient(listener.address)
    slow.socket.setNoDelay(true)
    for (const byte of V1 + request) await new Promise<void>((resolve) => slow.socket.write(byte, () => resolve()))
    await slow.saw('for 192.0.2.1.')
    for (const each of [client, slow]) each.close()
  })

  test('shows handlers that a client unknown to the balancer is not local', async () => {
    const client = await new RawClient(listener.address).send('PROXY UNKNOWN\r\n').get('/who').saw('for 127.0.0.1.')
    client.close()
  })

  test('closes and counts connections without the header', async () => {
    const refused = listener.counters.refused.get('proxy-header') ?? 0
    const clients = ['GET /live.ts HTTP/1.1\r\n', V2, `${V1.slice(0, -2)}x\r\n`, 'x'].map((bytes) =>
      new RawClient(listener.address).send(bytes),
    )
    await Promise.all(clients.map((client) => client.ended()))
    await until(() => listener.counters.refused.get('proxy-header') === refused + 4, 'all are counted')
    for (const client of clients) {
      assert.equal(client.length, 0)
      client.close()
    }
  })
})

test('closes a silent balancer in time', async () => {
  const { listener } = await bound({ proxyProtocol: 'v2', timeouts: { headerMs: 50 } })
  const clients = [new RawClient(listener.address), new RawClient(listener.address).send(V2.subarray(0, 20))]
  await Promise.all(clients.map((client) => client.ended()))
  assert.equal(listener.counters.refused.get('proxy-header'), 2)
  for (const client of clients) client.close()
  await listener.close(0)
})

test('accepts version 2 with its TLVs, and LOCAL', async () => {
  const { listener, handler } = await bound({ proxyProtocol: 'v2' })
  const client = await new RawClient(listener.address).send(V2).get('/live.ts').saw('hello')
  assert.equal(handler.visits[0]?.client, '192.0.2.1:4711')
  const local = await new RawClient(listener.address).send(V2_LOCAL).get('/live.ts').saw('hello')
  assert.match(handler.visits[1]?.client ?? '', /^127\.0\.0\.1:\d+$/)
  for (const each of [client, local]) each.close()
  await listener.close(0)
})

test('accepts the header before TLS, in one piece with the handshake or in several', async () => {
  using certificates = new CertificateFolder()
  const { listener, handler } = await bound({ proxyProtocol: 'v2', tls: certificates.files })
  const port = Number(listener.address.split(':')[1])
  const clients = [0, 5, V2.length].map((split) => new RawClient(listener.address, () => openBehindHeader(port, split)))
  for (const client of clients) await client.get('/live.ts').saw('hello')
  assert.deepEqual(
    handler.visits.map(({ client }) => client),
    ['192.0.2.1:4711', '192.0.2.1:4711', '192.0.2.1:4711'],
  )
  const plain = await new RawClient(listener.address).get('/live.ts').ended()
  assert.equal(plain.length, 0)
  for (const client of [...clients, plain]) client.close()
  await listener.close(0)
})

test('lets only listed balancers name clients', async () => {
  const { listener } = await bound({ proxyProtocol: 'v1', trustedProxies: ['10.0.0.0/8'] })
  const client = await new RawClient(listener.address).send(V1).get('/live.ts').ended()
  assert.equal(client.length, 0)
  await until(() => listener.counters.refused.get('untrusted-proxy') === 1, 'it is counted')
  client.close()
  await listener.close(0)
})

test('takes the client from X-Forwarded-For of a listed proxy, request by request', async () => {
  const { listener, handler } = await bound({ trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'] })
  const first = new RawClient(listener.address).get('/live.ts', 'X-Forwarded-For: 6.6.6.6, 192.0.2.1, 10.0.0.2')
  await first.saw('hello')
  assert.deepEqual([handler.visits[0]?.client, handler.visits[0]?.address], ['192.0.2.1', '192.0.2.1'])
  const kept = await new RawClient(listener.address).get('/who', 'X-Forwarded-For: 192.0.2.8').saw('for')
  kept.get('/live.ts', 'x-forwarded-for: 2001:DB8::9')
  await kept.saw('hello')
  assert.equal(handler.visits[1]?.address, '2001:db8::9')
  listener.update({
    trustedProxies: [],
    forwardedHeader: 'x-forwarded-for',
    maxConnections: 10,
    maxPerAddress: 0,
    maxClients: 0,
  })
  const last = await new RawClient(listener.address).get('/live.ts', 'X-Forwarded-For: 192.0.2.1').saw('hello')
  assert.equal(handler.visits[2]?.address, '127.0.0.1')
  for (const client of [first, kept, last]) client.close()
  await listener.close(0)
})

test('takes the client from Forwarded if that is configured, and from no other header', async () => {
  const { listener, handler } = await bound({ trustedProxies: ['127.0.0.1'], forwardedHeader: 'forwarded' })
  const headers = ['X-Forwarded-For: 6.6.6.6', 'Forwarded: for="[2001:db8::1]:80";proto=https']
  const client = await new RawClient(listener.address).get('/live.ts', ...headers).saw('hello')
  assert.equal(handler.visits[0]?.address, '2001:db8::1')
  client.close()
  await listener.close(0)
})

test('combines both: the balancer names a proxy, and the proxy names its client', async () => {
  const { listener, handler } = await bound({ proxyProtocol: 'v1', trustedProxies: ['127.0.0.1', '192.0.2.0/24'] })
  const client = new RawClient(listener.address).send(V1).get('/live.ts', 'X-Forwarded-For: 203.0.113.5')
  await client.saw('hello')
  assert.equal(handler.visits[0]?.address, '203.0.113.5')
  client.close()
  await listener.close(0)
})

/**
 * TLS after a PROXY header, of which the first bytes are sent separately and the rest with the start of the handshake.
 */
function openBehindHeader(port: number, split: number): Socket {
  const tcp = connectTcp({ port, host: '127.0.0.1', noDelay: true })
  const front = new PassThrough()
  const tunnel = Duplex.from({ writable: front, readable: tcp })
  let isFirst = true
  front.on('data', (bytes: Buffer) => {
    tcp.write(isFirst ? Buffer.concat([V2.subarray(split), bytes]) : bytes)
    isFirst = false
  })
  tcp.on('error', () => tunnel.destroy())
  if (split > 0) tcp.write(V2.subarray(0, split))
  return connect({ socket: tunnel, rejectUnauthorized: false, servername: 'first.test' })
}
