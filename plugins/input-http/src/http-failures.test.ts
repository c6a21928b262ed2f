// What of an upstream fails an attempt, with which code, and that another one follows.
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { buildTs } from '@millrace/engine/testing'
import { UpstreamServer } from './upstream-server.test.kit.js'
import { until, InputHarness } from './input-harness.test.kit.js'

const stream = buildTs({ durationS: 1 }).bytes
const FIRST_BYTE_MS = 20_000
const PAGE = '<html>'.repeat(20_000)

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
    pattern: /: no response within 20 s$/,
    serve: () => UpstreamServer.http(() => undefined),
    afterMs: FIRST_BYTE_MS,
    label: attempt('timeout'),
  },
  {
    name: 'never ends its head',
    code: 'HTTP_TIMEOUT',
    pattern: /: no response within 20 s$/,
    serve: says('HTTP/1.1 200 OK\r\nX: '),
    afterMs: FIRST_BYTE_MS,
    label: attempt('timeout'),
  },
  {
    name: 'sends only interim responses',
    code: 'HTTP_TIMEOUT',
    pattern: /: no response within 20 s$/,
    serve: says('HTTP/1.1 100 Continue\r\n\r\n'.repeat(1000)),
    afterMs: FIRST_BYTE_MS,
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
    pattern: /: responded with 101 Switching Protocols$/,
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
    pattern: /: no packets in the first 64 KiB: this is an HTML page: open the URL in a browser/,
    serve: answer((response) => void response.writeHead(200, { 'content-type': 'text/html' }).write(PAGE)),
    label: end('not_ts'),
  },
  {
    name: 'is a page without a Content-Type',
    code: 'HTTP_NOT_TS',
    pattern: /: no packets in the first 64 KiB: this is an HTML page: /,
    serve: answer((response) => void response.write(PAGE)),
    label: end('not_ts'),
  },
  {
    name: 'is a short page without a Content-Type',
    code: 'HTTP_NOT_TS',
    pattern: /: ended without a packet: this is text: "not here"$/,
    serve: answer((response) => void response.end('not here')),
    label: end('not_ts'),
  },
  {
    name: 'compresses',
    code: 'HTTP_ENCODED',
    pattern: /: responded with Content-Encoding "gzip"$/,
    serve: answer((response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).write(gzipSync(stream))),
    label: end('encoded'),
  },
  {
    name: 'compresses without a signature',
    code: 'HTTP_ENCODED',
    pattern: /: responded with Content-Encoding "br"$/,
    serve: answer((response) => {
      response.writeHead(200, { 'content-encoding': 'br' }).end(brotliCompressSync(stream))
    }),
    label: end('encoded'),
  },
  {
    name: 'compresses a page in its head only',
    code: 'HTTP_NOT_TS',
    pattern: /: ended without a packet: this is text: "not here"$/,
    serve: answer((response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end('not here')),
    label: end('not_ts'),
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
    pattern: /: no valid HTTP response: its head is larger than 16 KiB$/,
    serve: says(`HTTP/1.1 200 OK\r\n${'X: yyyyyyyyyyyyyy\r\n'.repeat(5000)}`),
    label: attempt('bad_answer'),
  },
  {
    name: 'is silent after its head',
    code: 'HTTP_SILENT',
    pattern: /: no byte for 20 s$/,
    serve: answer((response) => response.flushHeaders()),
    afterMs: FIRST_BYTE_MS,
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
  assert.match(error.message, /: no packets within 2 s: this is text: "x{80}…"$/)
})
