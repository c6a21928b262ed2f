import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import { UpstreamServer } from './upstream-server.test.kit.js'
import { until, InputHarness } from './input-harness.test.kit.js'

const stream = buildTs({ durationS: 1 }).bytes
const READ_MS = 5000
const PAGE = '<html>'.repeat(20_000)

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

interface Failing {
  readonly name: string
  readonly code: string
  readonly pattern: RegExp
  readonly serve: () => Promise<UpstreamServer>
  /** Advances the clock once the server has received the request. */
  readonly afterMs?: number
  readonly label: readonly [metric: string, value: string]
}

const attempt = (result: string): Failing['label'] => ['http_attempts_total', result]
const end = (reason: string): Failing['label'] => ['http_stream_ends_total', reason]
const answer = (respond: (response: ServerResponse) => void) => (): Promise<UpstreamServer> =>
  UpstreamServer.http((_, response) => respond(response))
const says = (text: string) => (): Promise<UpstreamServer> => UpstreamServer.says(text)

const FAILING: readonly Failing[] = [
  {
    name: 'hangs up',
    code: 'HTTP_CONNECT',
    pattern: /: no response: /,
    serve: () => UpstreamServer.raw((socket) => socket.once('data', () => socket.destroy())),
    label: attempt('connect'),
  },
  {
    name: 'hangs before it responds',
    code: 'HTTP_TIMEOUT',
    pattern: /: no response within 5 s$/,
    serve: () => UpstreamServer.http(() => undefined),
    afterMs: READ_MS,
    label: attempt('timeout'),
  },
  {
    name: 'never ends its head',
    code: 'HTTP_TIMEOUT',
    pattern: /: no response within 5 s$/,
    serve: says('HTTP/1.1 200 OK\r\nX: '),
    afterMs: READ_MS,
    label: attempt('timeout'),
  },
  {
    name: 'sends only interim responses',
    code: 'HTTP_TIMEOUT',
    pattern: /: no response within 5 s$/,
    serve: says('HTTP/1.1 100 Continue\r\n\r\n'.repeat(1000)),
    afterMs: READ_MS,
    label: attempt('timeout'),
  },
  {
    name: 'is 404',
    code: 'HTTP_STATUS',
    pattern: /: responded with 404 Not Found$/,
    serve: answer((response) => void response.writeHead(404).end(PAGE)),
    label: attempt('status'),
  },
  {
    name: 'switches protocols',
    code: 'HTTP_STATUS',
    pattern: /: responded with 101$/,
    serve: says('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
    label: attempt('status'),
  },
  {
    name: 'redirects in a loop',
    code: 'HTTP_REDIRECTS',
    pattern: /: a redirect loop at /,
    serve: answer((response) => void response.writeHead(302, { location: '/one.ts?' }).end()),
    label: attempt('redirects'),
  },
  {
    name: 'redirects forever',
    code: 'HTTP_REDIRECTS',
    pattern: / \(redirected to http.*\): more than 10 redirects/,
    serve: () =>
      UpstreamServer.http(({ url = '' }, response) => void response.writeHead(307, { location: `${url}x` }).end()),
    label: attempt('redirects'),
  },
  {
    name: 'is a page',
    code: 'HTTP_NOT_TS',
    pattern: /: responded with Content-Type "text\/html"$/,
    serve: answer((response) => void response.writeHead(200, { 'content-type': 'text/html' }).write(PAGE)),
    label: attempt('not_ts'),
  },
  {
    name: 'is a page without a Content-Type',
    code: 'HTTP_NOT_TS',
    pattern: /: no packets in the first 64 KiB$/,
    serve: answer((response) => void response.write(PAGE)),
    label: end('not_ts'),
  },
  {
    name: 'is a short page without a Content-Type',
    code: 'HTTP_NOT_TS',
    pattern: /: ended without a packet$/,
    serve: answer((response) => void response.end('not here')),
    label: end('not_ts'),
  },
  {
    name: 'compresses',
    code: 'HTTP_ENCODED',
    pattern: /: responded with Content-Encoding "gzip"$/,
    serve: answer((response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(stream)),
    label: attempt('encoded'),
  },
  {
    name: 'speaks another protocol',
    code: 'HTTP_BAD_ANSWER',
    pattern: /: no valid HTTP response: /,
    serve: says('SSH-2.0-OpenSSH_9.2\r\n'),
    label: attempt('bad_answer'),
  },
  {
    name: 'has an endless head',
    code: 'HTTP_BAD_ANSWER',
    pattern: /: no valid HTTP response: .*overflow/i,
    serve: says(`HTTP/1.1 200 OK\r\n${'X: yyyyyyyyyyyyyy\r\n'.repeat(5000)}`),
    label: attempt('bad_answer'),
  },
  {
    name: 'is silent after its head',
    code: 'HTTP_SILENT',
    pattern: /: no byte for 5 s$/,
    serve: answer((response) => response.flushHeaders()),
    afterMs: READ_MS,
    label: end('silent'),
  },
  {
    name: 'ends without a byte',
    code: 'HTTP_ENDED',
    pattern: /: ended without a byte$/,
    serve: answer((response) => void response.end()),
    label: end('ended'),
  },
  {
    name: 'drops the connection',
    code: 'HTTP_BROKEN',
    pattern: /: the stream was interrupted: /,
    serve: answer((response) => response.write(stream, () => response.destroy())),
    label: end('broken'),
  },
  {
    name: 'breaks the chunked coding',
    code: 'HTTP_BROKEN',
    pattern: /: the stream was interrupted: /,
    serve: says('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnothing of the kind\r\n'),
    label: end('broken'),
  },
]

for (const { name, code, pattern, serve, afterMs, label } of FAILING) {
  test(`an upstream that ${name} is retried: ${code}`, async () => {
    await using server = await serve()
    await using input = await InputHarness.open({ url: server.url() })
    const isBody = label[0] === 'http_stream_ends_total'
    input.subscribe()
    if (afterMs !== undefined) {
      // Once the server has the request, the connect timeout is over and the read timeout runs.
      await until(() => (isBody ? input.isReady : server.requestCount === 1), 'the server has the request')
      assert.equal(input.clock.pending, 1)
      input.clock.advance(afterMs)
    }
    const error = await input.failed()
    assert.equal(error.code, code, error.message)
    assert.match(error.message, pattern)
    assert.equal(error.target, server.url())
    assert.equal(error.row.reaction, 'retry')
    assert.equal(error.retryAfterMs, undefined)
    assert.equal(input.isReady, isBody)
    assert.equal((input.context.metric(label[0]) as Record<string, number>)[label[1]], 1)
    assert.equal(input.clock.pending, 0, 'no timer is left')
    await until(() => server.connections === 0, 'the connection is closed')
  })
}

test('an address where nothing listens is retried: HTTP_CONNECT', async () => {
  const server = await UpstreamServer.http(() => undefined)
  const url = server.url()
  await server[Symbol.asyncDispose]()
  await using input = await InputHarness.open({ url })
  const error = await input.failure()
  assert.equal(error.code, 'HTTP_CONNECT')
  assert.match(error.message, /: connect ECONNREFUSED /)
})

test('an attempt with a trickle of 3 bytes a second fails after twice the read timeout', async () => {
  await using server = await UpstreamServer.http(() => undefined)
  let trickle: ServerResponse | undefined
  await using slow = await UpstreamServer.http((_, response) => {
    response.flushHeaders()
    trickle = response
  })
  await using input = await InputHarness.open({ urls: [slow.url(), server.url()] })
  input.subscribe()
  await until(() => input.isReady, 'the head has arrived')
  for (let second = 0; second < 10; second++) {
    trickle?.write(stream.subarray(second * 3, second * 3 + 3))
    // Loopback delivers at once: the client has read it once the event loop has polled.
    for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => void setImmediate(resolve))
    input.clock.advance(1000)
  }
  const error = await input.failed()
  assert.equal(error.code, 'HTTP_SILENT')
  assert.match(error.message, /: only \d+ bytes in 10 s$/)
  assert.equal(error.retryAfterMs, 0)
  assert.equal(input.bytes.length, 0)
})

test('an attempt with slow junk fails once packets should have been found', async () => {
  await using server = await UpstreamServer.http((_, response) => void response.write(Buffer.alloc(1000, 'x')))
  await using input = await InputHarness.open({ url: server.url(), readTimeout: '60s' })
  input.subscribe()
  await until(() => input.isReady, 'the head has arrived')
  input.change({ url: server.url(), readTimeout: '1s' })
  input.clock.sleep(2000)
  const error = await input.failed()
  assert.equal(error.code, 'HTTP_NOT_TS')
  assert.match(error.message, /: no packets within 2 s$/)
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
    }
  }
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
