import assert from 'node:assert/strict'
import { copyFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { isEngineError } from '../errors.js'
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
import { CertificateFolder, tlsClient } from './tls.test.kit.js'

let certificates: CertificateFolder

before(() => {
  certificates = new CertificateFolder()
})
after(() => certificates[Symbol.dispose]())

function makeListener(more: Partial<HttpListenerOptions> = {}): HttpListener {
  const { log } = new KeptLog()
  const listener = { name: 'web', address: '127.0.0.1:0', clock: REAL_CLOCK, log, tls: certificates.files }
  return new HttpListener({ ...listener, ...more })
}

async function bound(more?: Partial<HttpListenerOptions>): Promise<HttpListener> {
  const listener = makeListener(more)
  await listener.bind()
  return listener
}

function nameOf(client: RawClient): string {
  return String((client.socket as TLSSocket).getPeerCertificate().subject?.CN)
}

describe('a listener with TLS', () => {
  let listener: HttpListener
  let handler: HelloHandler

  before(async () => {
    listener = await bound()
    handler = new HelloHandler()
    listener.claim({ path: '/live.ts', stream: handler })
    listener.claim({ path: '/hello', respond: (_, response) => response.end('hi') })
  })

  after(() => listener.close(0))

  test('says https in its origins', () => {
    assert.match(listener.origins[0] ?? '', /^https:\/\/127\.0\.0\.1:\d+$/)
  })

  test('answers ordinary requests, several per connection', async () => {
    const client = tlsClient(listener.address).get('/hello')
    await client.saw('\r\n\r\nhi')
    client.get('/none')
    await client.saw('Nothing is served at this path; check the URL')
    client.close()
  })

  test('passes the GET of a live path to its handler, first on its connection or not', async () => {
    const { requests } = listener.counters
    const first = await tlsClient(listener.address).get('/live.ts').saw('hello')
    assert.equal(listener.counters.requests, requests)
    assert.match(handler.visits.at(-1)?.client ?? '', /^127\.0\.0\.1:\d+$/)
    const kept = await tlsClient(listener.address).get('/hello').saw('hi')
    kept.get('/live.ts')
    await kept.saw('hello')
    handler.sockets.at(-1)?.write('more')
    await kept.saw('more')
    for (const client of [first, kept]) client.close()
  })

  test('negotiates HTTP/1.1 with a client that offers only that', async () => {
    const client = tlsClient(listener.address, { ALPNProtocols: ['http/1.1'] }).get('/hello')
    await client.saw('hi')
    assert.equal((client.socket as TLSSocket).alpnProtocol, 'http/1.1')
    client.close()
  })

  test('refuses versions before 1.2', async () => {
    const failed = listener.counters.refused.get('tls-handshake') ?? 0
    // At security level 0 OpenSSL still offers the old versions.
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const
    const client = tlsClient(listener.address, old)
    await until(() => client.isClosed, 'the connection is closed')
    await until(() => listener.counters.refused.get('tls-handshake') === failed + 1, 'it is counted')
  })

  test('answers a bad head inside TLS with a refusal', async () => {
    const client = await tlsClient(listener.address).send('GET /live.ts HTTP/1.1\r\n\r\n').ended()
    assert.equal(client.status, 400)
    client.close()
  })

  test('answers, counts and closes plain HTTP', async () => {
    const client = new RawClient(listener.address).get('/hello')
    await until(() => client.isClosed || client.isEnded, 'the connection is closed')
    assert.equal(client.status, 400)
    assert.match(client.text, /This port speaks TLS: use https:/)
    client.close()
    await until(() => listener.counters.refused.get('plain-http') === 1, 'it is counted')
  })

  test('closes and counts connections that are not TLS at all', async () => {
    const failed = listener.counters.refused.get('tls-handshake') ?? 0
    const client = new RawClient(listener.address).send(Buffer.alloc(64, 0xff))
    await until(() => client.isClosed || client.isEnded, 'the connection is closed')
    client.close()
    await until(() => listener.counters.refused.get('tls-handshake') === failed + 1, 'it is counted')
  })
})

test('answers a client of node:https', async () => {
  const listener = await bound()
  listener.claim({ path: '/hello', respond: (_, response) => response.end('hi') })
  const text = await new Promise<string>((resolve, reject) => {
    request(`${listener.origins[0]}/hello`, { rejectUnauthorized: false, agent: false }, (response) => {
      response.setEncoding('utf8').on('data', resolve)
    })
      .on('error', reject)
      .end()
  })
  assert.equal(text, 'hi')
  await listener.close(0)
})

test('closes a handshake that does not finish in time, even if bytes keep arriving', async () => {
  const listener = await bound({ timeouts: { handshakeMs: 100 } })
  const silent = new RawClient(listener.address)
  const slow = new RawClient(listener.address)
  // The start of a long record, one byte at a time.
  const trickle = setInterval(() => slow.socket.write(Buffer.from([0x16])), 5)
  slow.send(Buffer.from([0x16, 0x03, 0x01, 0x20, 0x00]))
  await Promise.all([silent.ended(), slow.ended()])
  clearInterval(trickle)
  assert.equal(listener.counters.refused.get('tls-timeout'), 2)
  for (const client of [silent, slow]) client.close()
  await listener.close(0)
})

test('closes a client that is silent after its handshake in time', async () => {
  const listener = await bound({ timeouts: { headerMs: 60 } })
  const client = await tlsClient(listener.address).ended()
  assert.equal(client.status, 408)
  client.close()
  await listener.close(0)
})

test('loads a new certificate while viewers stay; keeps the old one if the new files are bad, and logs it', async () => {
  using own = new CertificateFolder('one.test')
  const kept = new KeptLog()
  const listener = await bound({ tls: own.files, certificatePollMs: 5, log: kept.log })
  const handler = new HelloHandler()
  listener.claim({ path: '/live.ts', stream: handler })
  const viewer = await tlsClient(listener.address).get('/live.ts').saw('hello')
  assert.equal(nameOf(viewer), 'one.test')

  writeFileSync(own.files.key, 'no key')
  await until(() => listener.certificate?.failedReloads === 1, 'the bad key is refused')
  assert.match(kept.lines.at(-1)?.text ?? '', /listener "web" can't use the certificate .* stays in use/)
  const second = await tlsClient(listener.address).get('/live.ts').saw('hello')
  assert.equal(nameOf(second), 'one.test')

  rmSync(own.files.cert)
  await until(() => listener.certificate?.failedReloads === 2, 'the missing file is refused')

  const next = { cert: join(own.folder, 'next-cert.pem'), key: join(own.folder, 'next-key.pem') }
  own.make('two.test', next)
  copyFileSync(next.key, own.files.key)
  copyFileSync(next.cert, own.files.cert)
  await until(() => listener.certificate?.reloads === 1, 'the new certificate is loaded')
  const third = await tlsClient(listener.address).get('/live.ts').saw('hello')
  assert.equal(nameOf(third), 'two.test')
  assert.ok((listener.certificate?.expiresAtMs ?? 0) > Date.now())
  handler.sockets[0]?.write('still here')
  await viewer.saw('still here')
  for (const client of [viewer, second, third]) client.close()
  await listener.close(0)
})

test('does not open with the key of another certificate or without files, and names them', async () => {
  using other = new CertificateFolder('other.test')
  for (const tls of [
    { cert: certificates.files.cert, key: other.files.key },
    { cert: '/nowhere/cert.pem', key: certificates.files.key },
    { cert: certificates.files.key, key: certificates.files.key },
  ]) {
    const listener = makeListener({ tls })
    await assert.rejects(listener.bind(), (error: Error) => {
      assert.ok(error.message.includes(tls.cert), error.message)
      return isEngineError(error) && error.code === 'LISTEN_BAD_CERTIFICATE'
    })
    await listener.close(0)
  }
})

test('survives clients that reset at any point of TLS, and leaves no descriptor open', async () => {
  const before_ = await settledDescriptors()
  const listener = await bound()
  const handler = new HelloHandler()
  listener.claim({ path: '/live.ts', stream: handler })
  const clients = Array.from({ length: 100 }, (_, index) => {
    const client = index % 2 === 0 ? tlsClient(listener.address) : new RawClient(listener.address)
    const cut = (): void => void client.socket.destroy()
    if (index % 4 === 0) client.socket.once('connect', cut)
    else if (index % 4 === 1) client.socket.once('connect', () => client.socket.write('\x16\x03', cut))
    else client.socket.once('secureConnect', () => client.socket.write('GET /live.ts HTTP/1.1\r\nHost: a\r\n\r\n', cut))
    if (index % 4 === 3) client.socket.once('connect', () => client.socket.resetAndDestroy())
    return client
  })
  await until(() => clients.every((client) => client.isClosed), 'all clients have closed')
  // Clients that sent a request may have closed only their side: a write shows that they have gone.
  await until(() => {
    for (const socket of handler.sockets) if (!socket.destroyed) socket.write('more')
    return listener.openConnections === 0
  }, 'all connections have closed')
  await until(() => listener.openConnections === 0, 'all connections have closed')
  await listener.close(0)
  await until(() => countDescriptors() <= before_, 'no descriptor is left open')
})
