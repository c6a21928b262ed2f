import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import { makeCertificate, UpstreamServer } from './upstream-server.test.kit.js'
import { until, InputHarness } from './input-harness.test.kit.js'

const stream = buildTs({ durationS: 1 }).bytes
const folder = await mkdtemp(join(tmpdir(), 'millrace-http-'))
after(() => rm(folder, { recursive: true, force: true }))
const certificate = await makeCertificate()
const ca = join(folder, 'ca.pem')
await writeFile(ca, certificate.cert)

const serve = (): Promise<UpstreamServer> =>
  UpstreamServer.https(certificate, (_, response) => void response.end(stream))

test('a certificate signed by a trusted authority is accepted', async () => {
  await using server = await serve()
  await using input = await InputHarness.open({ url: server.url('/one.ts', 'localhost'), tls: { ca } })
  assert.equal((await input.failure()).code, 'HTTP_ENDED')
  assert.deepEqual(input.bytes, Buffer.from(stream))
})

test('a certificate is refused if it is untrusted, names another host, or has expired', async () => {
  await using server = await serve()
  const old = await makeCertificate(-1)
  await using oldServer = await UpstreamServer.https(old, (_, response) => void response.end(stream))
  const oldCa = join(folder, 'old.pem')
  await writeFile(oldCa, old.cert)
  const cases = [
    { url: server.url('/', 'localhost'), tls: {}, pattern: /: TLS failed: self-signed certificate(?:;|$)/ },
    { url: server.url('/', '127.0.0.1'), tls: { ca }, pattern: /: TLS failed: .*altnames/ },
    { url: oldServer.url('/', 'localhost'), tls: { ca: oldCa }, pattern: /: TLS failed: certificate has expired$/ },
  ]
  for (const { url, tls, pattern } of cases) {
    await using input = await InputHarness.open({ url, tls })
    const error = await input.failure()
    assert.equal(error.code, 'HTTP_TLS', error.message)
    assert.match(error.message, pattern)
    assert.equal(input.isReady, false)
    assert.equal((input.context.metric('http_attempts_total') as Record<string, number>)['tls'], 1)
  }
  assert.equal(server.requests.length + oldServer.requests.length, 0, 'no request was sent')
})

test('insecure accepts any certificate, and logs a warning', async () => {
  await using server = await serve()
  await using input = await InputHarness.open({ url: server.url(), tls: { insecure: true } })
  assert.equal((await input.failure()).code, 'HTTP_ENDED')
  assert.ok(input.context.lines.some(({ level }) => level === 'warn'))
})

test('a server without TLS, or one that hangs up, is HTTP_TLS; a silent one is HTTP_TIMEOUT', async () => {
  await using plain = await UpstreamServer.raw((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'), 'https')
  await using closing = await UpstreamServer.raw((socket) => socket.destroy(), 'https')
  await using mute = await UpstreamServer.raw(() => undefined, 'https')
  for (const server of [plain, closing]) {
    await using input = await InputHarness.open({ url: server.url() })
    assert.equal((await input.failure()).code, 'HTTP_TLS')
  }
  await using input = await InputHarness.open({ url: mute.url(), connectTimeout: '2s' })
  input.subscribe()
  await until(() => mute.connections === 1, 'the connection is open')
  input.clock.advance(2000)
  const error = await input.failed()
  assert.equal(error.code, 'HTTP_TIMEOUT')
  assert.match(error.message, /: no connection within 2 s$/)
  await until(() => mute.connections === 0, 'the connection is closed')
})

test('a redirect from https to http is followed without what is secret, and told; not under same-origin', async () => {
  await using plain = await UpstreamServer.http((_, response) => void response.end(stream))
  const location = plain.url('/two.ts?key=hidden')
  await using server = await UpstreamServer.https(certificate, (_, response) => {
    response.writeHead(302, { location }).end()
  })
  const auth = { type: 'bearer', token: 'secret' } as const
  const given = { url: server.url('/', 'localhost'), tls: { ca }, auth }
  await using input = await InputHarness.open(given)
  assert.equal((await input.failure()).code, 'HTTP_ENDED')
  assert.deepEqual(input.bytes, Buffer.from(stream))
  assert.deepEqual(
    [server, plain].map(({ requests }) => requests[0]?.headers.authorization),
    ['Bearer secret', undefined],
  )
  const told = input.context.lines.filter(({ level }) => level === 'warn').map(({ text }) => text)
  assert.deepEqual(told, [`a redirect leads from https to ${plain.url('/two.ts?...')}: the stream is not encrypted`])
  await using strict = await InputHarness.open({ ...given, redirects: 'same-origin' })
  assert.equal((await strict.failure()).code, 'HTTP_REDIRECTS')
})

test('a missing or invalid CA file is a configuration error: HTTP_CA', async () => {
  const junk = join(folder, 'junk.pem')
  await writeFile(junk, 'not PEM')
  const broken = join(folder, 'broken.pem')
  await writeFile(broken, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
  for (const file of [join(folder, 'none.pem'), folder, junk, broken]) {
    await assert.rejects(InputHarness.open({ url: 'https://up.example/', tls: { ca: file } }), (error: Error) => {
      assert.match(error.message, new RegExp(`^${file}: `))
      assert.equal('code' in error && error.code, 'HTTP_CA')
      return true
    })
  }
})

test('what an upstream gets wrong in HTTP is taken over TLS too', async () => {
  const serveRaw = (socket: Socket): void =>
    void socket.once('data', () => socket.end(Buffer.concat([Buffer.from('ICY 200 OK\n\n'), stream])))
  await using server = await UpstreamServer.raw(serveRaw, 'https', certificate)
  await using input = await InputHarness.open({ url: server.url('/one.ts', 'localhost'), tls: { ca } })
  assert.equal((await input.failure()).code, 'HTTP_ENDED')
  assert.deepEqual(input.bytes, Buffer.from(stream))
})

test('an http URL of a TLS server is named', async () => {
  await using server = await serve()
  await using input = await InputHarness.open({ url: server.url('/one.ts', 'localhost').replace('https', 'http') })
  const { code, message } = await input.failure()
  assert.ok(code === 'HTTP_BAD_ANSWER' ? /it speaks TLS: use https/.test(message) : code === 'HTTP_CONNECT', message)
})
