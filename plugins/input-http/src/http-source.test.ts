import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import { UpstreamServer } from './upstream-server.test.kit.js'
import { until, InputHarness } from './input-harness.test.kit.js'

const stream = buildTs({ durationS: 1 }).bytes

test('the body of a 2xx response passes byte for byte, with every framing', async () => {
  const length = `Content-Length: ${stream.length}\r\n`
  const chunk = `${stream.length.toString(16)};ext=1\r\n`
  const forms: readonly (readonly [name: string, head: string, tail: string])[] = [
    ['a length', `HTTP/1.1 200 OK\r\n${length}\r\n`, ''],
    ['chunks', `HTTP/1.1 206 Partial\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`, '\r\n0\r\n\r\n'],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nServer: old\r\n\r\n', ''],
  ]
  for (const [name, head, tail] of forms) {
    const body = Buffer.concat([Buffer.from(head), stream, Buffer.from(tail)])
    await using server = await UpstreamServer.raw((socket) => socket.once('data', () => socket.end(body)))
    await using input = await InputHarness.open({ url: server.url() })
    const error = await input.failure()
    assert.equal(error.code, 'HTTP_ENDED', name)
    assert.deepEqual(input.bytes, Buffer.from(stream), name)
    assert.deepEqual(input.context.reported, ['ready'], name)
  }
})

test('the request asks for an unencoded body, on a connection of its own', async () => {
  await using server = await UpstreamServer.http((_, response) => void response.end(stream))
  const { host } = new URL(server.url())
  const url = `http://anna:geheim@${host}/a%20b/one.ts?x=1`
  await using input = await InputHarness.open({ url, headers: { 'X-Key': 'k' } })
  await input.failure()
  const [request] = server.requests
  assert.equal(request?.url, '/a%20b/one.ts?x=1')
  const { accept, connection, authorization } = request.headers
  assert.deepEqual(
    { accept, connection, authorization, host: request.headers.host },
    { accept: '*/*', connection: 'close', authorization: 'Basic YW5uYTpnZWhlaW0=', host },
  )
  assert.equal(request.headers['accept-encoding'], 'identity')
  assert.equal(request.headers['x-key'], 'k')
  assert.equal(request.headers['user-agent'], 'Millrace')
})

test('redirects are followed, and credentials are not sent to another origin', async () => {
  await using other = await UpstreamServer.http((_, response) => void response.end(stream))
  await using server = await UpstreamServer.http(({ url }, response) => {
    const location = url === '/one.ts' ? '/two.ts' : other.url('/three.ts?token=t')
    response.writeHead(302, { location }).end('gone')
  })
  const headers = { Cookie: 'session=1', 'User-Agent': 'me' }
  const auth = { type: 'basic', username: 'anna', password: 'geheim' } as const
  await using input = await InputHarness.open({ url: server.url(), headers, auth })
  const error = await input.failure()
  assert.equal(error.code, 'HTTP_ENDED')
  assert.deepEqual(input.bytes, Buffer.from(stream))
  assert.deepEqual(
    server.requests.map(({ url }) => url),
    ['/one.ts', '/two.ts'],
  )
  for (const request of server.requests) assert.ok(request.headers.authorization?.startsWith('Basic '))
  const [request] = other.requests
  assert.deepEqual(
    [request?.headers.authorization, request?.headers.cookie, request?.headers['user-agent']],
    [undefined, undefined, 'me'],
  )
  assert.deepEqual(input.context.metric('http_responses_total'), { '2xx': 1, '3xx': 2, '4xx': 0, '5xx': 0, other: 0 })
  assert.ok(error.message.includes(`redirected to ${other.url('/three.ts')}?...`), error.message)
})

test('the next URL is tried at once; when all have failed, the back-off of the engine applies', async () => {
  await using server = await UpstreamServer.http(({ url }, response) => {
    if (url === '/good.ts') response.write(stream)
    else response.writeHead(503).end()
  })
  const urls = [server.url('/a.ts'), server.url('/b.ts'), server.url('/c.ts')]
  await using input = await InputHarness.open({ urls })
  for (let round = 0; round < 2; round++) {
    for (const [index, url] of urls.entries()) {
      const error = await input.failure()
      assert.deepEqual([error.target, error.retryAfterMs], [url, index < 2 ? 0 : undefined])
      assert.deepEqual(input.context.readDetails?.(), { target: url, connected: false })
    }
  }
})

test('once the engine has unsubscribed, it is connected no longer', async () => {
  await using server = await UpstreamServer.http((_, response) => response.write(stream))
  await using input = await InputHarness.open({ url: server.url('/a.ts') })
  input.subscribe()
  await until(() => input.bytes.length === stream.length, 'the stream flows')
  input.unsubscribe()
  assert.deepEqual(input.context.readDetails?.(), { target: server.url('/a.ts'), connected: false })
})

test('a URL that was good for a while begins a new round: the others are tried at once', async () => {
  let streaming: ServerResponse | undefined
  await using server = await UpstreamServer.http((_, response) => {
    streaming = response
    response.write(stream)
  })
  const urls = [server.url('/a.ts'), server.url('/b.ts')]
  await using input = await InputHarness.open({ urls })
  const play = async (ms: number): Promise<readonly [string | undefined, number | undefined]> => {
    input.subscribe()
    await until(() => input.bytes.length === stream.length, 'the stream flows')
    assert.match(JSON.stringify(input.context.readDetails?.()), /"connected":true/)
    input.clock.sleep(ms)
    streaming?.end()
    const { target, retryAfterMs } = await input.failed()
    return [target, retryAfterMs]
  }
  assert.deepEqual(await play(4000), [urls[0], 0])
  assert.deepEqual(await play(4000), [urls[1], undefined], 'both were tried, and neither was good')
  assert.deepEqual(await play(4000), [urls[0], 0])
  assert.deepEqual(await play(5000), [urls[1], 0], 'it was good')
  assert.deepEqual(await play(1000), [urls[0], undefined])
})

test('disposing closes a running stream at once and leaves no handle', async () => {
  await using server = await UpstreamServer.http((_, response) => void response.write(stream))
  const input = await InputHarness.open({ url: server.url() })
  input.subscribe()
  await until(() => input.bytes.length > 0, 'the stream flows')
  await input[Symbol.asyncDispose]()
  await input[Symbol.asyncDispose]()
  assert.equal(input.clock.pending, 0)
  await until(() => server.connections === 0, 'the connection is closed')
})

test('an attempt can be cancelled at any time', async () => {
  await using server = await UpstreamServer.http(() => undefined)
  const input = await InputHarness.open({ url: server.url() })
  input.subscribe()
  input.unsubscribe()
  input.subscribe()
  await until(() => server.requests.length > 0, 'the server has the request')
  await input[Symbol.asyncDispose]()
  assert.equal(input.clock.pending, 0)
  await until(() => server.connections === 0, 'the connection is closed')
})

test('errors and logs contain no configured secret', async () => {
  await using server = await UpstreamServer.http((_, response) => {
    response.writeHead(302, { location: '/x?secret1=secret2' }).end()
  })
  const { host } = new URL(server.url())
  const url = `http://secret3:secret4@${host}/one.ts?secret5=secret6#secret7`
  await using input = await InputHarness.open({ url, headers: { Cookie: 'secret8' } })
  const { message, target, cause, row } = await input.failure()
  assert.doesNotMatch(JSON.stringify([message, target, String(cause), row, input.context.lines]), /secret\d/)
})

for (const [where, respond] of Object.entries<(response: ServerResponse, token: string) => void>({
  'a reason phrase': (response, token) => void response.writeHead(403, `${'x'.repeat(190)} ${token}`).end(),
  'a header': (response, token) => void response.writeHead(403, { 'x-error': `${'x'.repeat(190)} ${token}` }).end(),
  'a page': (response, token) => void response.end(`<html><title>${'x'.repeat(70)} ${token}</title>`),
  'a text': (response, token) => void response.end(`${'x'.repeat(70)} ${token}`),
  'a Content-Type': (response, token) =>
    void response.writeHead(200, { 'content-type': `text/${'x'.repeat(48)} ${token}` }).end('<html>'),
})) {
  test(`no part of a secret is shown from ${where} that is cut`, async () => {
    const token = 'Hunter2-is-long'
    await using server = await UpstreamServer.http((_, response) => respond(response, token))
    await using input = await InputHarness.open({ url: server.url('/one.ts'), auth: { type: 'bearer', token } })
    const { message } = await input.failure()
    assert.doesNotMatch(JSON.stringify([message, input.context.lines]), /hunter|Hunt/i)
    assert.match(JSON.stringify([message, input.context.lines]), /\*\*\*/)
  })
}

test('a stream whose head names a compression that it does not have plays, with a warning', async () => {
  await using server = await UpstreamServer.http((_, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).write(stream)
  })
  await using input = await InputHarness.open({ url: server.url('/one.ts') })
  input.subscribe()
  await until(() => input.bytes.length === stream.length, 'the stream has arrived')
  assert.match(JSON.stringify(input.context.lines), /names a compression/)
})

test('the command next leaves a URL at once, for the next one or, if it is the only one, for itself', async () => {
  await using server = await UpstreamServer.http((_, response) => void response.write(stream))
  const urls = [server.url('/a.ts'), server.url('/b.ts')]
  for (const [given, order] of [
    [{ urls }, [0, 1, 0]],
    [{ url: urls[0]! }, [0, 0, 0]],
  ] as const) {
    await using input = await InputHarness.open(given)
    for (const [step, index] of order.slice(0, 2).entries()) {
      input.subscribe()
      await until(() => input.bytes.length === stream.length, 'the stream flows')
      assert.deepEqual(input.next(), { from: urls[index], to: urls[order[step + 1]!] })
      const { code, target, retryAfterMs } = await input.failed()
      assert.deepEqual([code, target, retryAfterMs], ['HTTP_NEXT', urls[index], 0])
      assert.throws(() => input.next(), { code: 'HTTP_NOT_CONNECTED' })
    }
    await until(() => server.connections === 0, 'the connections are closed')
  }
})

test('the command next ends an attempt that is still waiting for a response', async () => {
  await using silent = await UpstreamServer.http(() => undefined)
  await using server = await UpstreamServer.http((_, response) => void response.write(stream))
  await using input = await InputHarness.open({ urls: [silent.url(), server.url()] })
  input.subscribe()
  await until(() => silent.requestCount === 1, 'the server has the request')
  assert.deepEqual(input.next(), { from: silent.url(), to: server.url() })
  assert.equal((await input.failed()).code, 'HTTP_NEXT')
  input.subscribe()
  await until(() => input.bytes.length === stream.length, 'the stream flows')
})
