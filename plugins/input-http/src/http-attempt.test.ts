import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '@millrace/engine/testing'
import { HttpAttempt } from './http-attempt.js'
import type { RedirectPolicy } from './redirect.js'
import { UpstreamServer } from './upstream-server.test.kit.js'
import { readUpstreams } from './upstream.js'

const PUBLIC = '127.0.0.2'

/** Makes one attempt; resolves with its error. Of the loopback addresses, only 127.0.0.2 counts as public. */
async function attempt(url: string, redirects: RedirectPolicy): Promise<string> {
  const [upstream] = readUpstreams({ urls: [url], headers: {}, auth: undefined })
  assert.ok(upstream !== undefined)
  return new Promise((resolve) => {
    const given = new HttpAttempt({
      upstream,
      clock: new FakeClock(),
      guard: (run) => run,
      timeouts: () => ({ connect: 5000, firstByte: 5000, read: 5000 }),
      secureContext: undefined,
      insecure: false,
      lenient: true,
      redirects,
      isInternal: (address) => address !== PUBLIC,
      onResponse: () => undefined,
      onAccepted: () => undefined,
      onWarning: () => undefined,
      onBytes: () => undefined,
      onFailure: (code, detail) => void given.closed().then(() => resolve(`${code} ${detail}`)),
    })
    given.start()
  })
}

function redirecting(location: () => string, host?: string): Promise<UpstreamServer> {
  return UpstreamServer.http((_, response) => void response.writeHead(302, { location: location() }).end(), host)
}

test('a public server may not redirect to an internal address, by whatever name, and nothing is sent there', async () => {
  await using inner = await UpstreamServer.http((_, response) => void response.end('inner'))
  const names = ['127.0.0.1', 'localhost', '0x7f.1', '[::ffff:127.0.0.1]', '127.1']
  for (const name of names) {
    const to = `http://${name}:${inner.port}/x`
    await using outer = await redirecting(() => to, PUBLIC)
    await using near = await redirecting(() => to)
    const before = inner.requestCount
    const url = outer.url('/one.ts', PUBLIC)
    const error = await attempt(url, 'public')
    assert.match(
      error,
      /^HTTP_REDIRECTS .*: a redirect from a public address to the internal address [\d.:a-f]+, which/,
      name,
    )
    assert.equal(inner.requestCount, before, name)
    assert.match(await attempt(url, 'any'), /inner"$/, name)
    assert.match(await attempt(near.url(), 'public'), /inner"$/, name)
    assert.match(await attempt(near.url(), 'same-origin'), /HTTP_REDIRECTS .*another origin/, name)
  }
})

test('a redirect by way of an internal server does not make a public one trusted', async () => {
  await using inner = await UpstreamServer.http((_, response) => void response.end('inner'))
  await using outer = await redirecting(() => inner.url(), PUBLIC)
  await using first = await redirecting(() => outer.url('/x', PUBLIC))
  assert.match(await attempt(first.url(), 'public'), /^HTTP_REDIRECTS .*internal address 127\.0\.0\.1/)
  assert.equal(inner.requestCount, 0)
})

test('a public server may redirect to a public one', async () => {
  await using end = await UpstreamServer.http((_, response) => void response.end('the end'), PUBLIC)
  await using start = await redirecting(() => end.url('/x', PUBLIC), PUBLIC)
  assert.match(await attempt(start.url('/', PUBLIC), 'public'), /HTTP_NOT_TS .*"the end"$/)
})

test('a public server that resets its connection right after a redirect is still known as public', async () => {
  await using inner = await UpstreamServer.http((_, response) => void response.end('inner'))
  await using outer = await UpstreamServer.http(({ socket }) => {
    const head = `HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:${inner.port}/x\r\nContent-Length: 0\r\n\r\n`
    socket.write(head, () => socket.resetAndDestroy())
  }, PUBLIC)
  for (let count = 0; count < 10; count++) assert.match(await attempt(outer.url('/one.ts', PUBLIC), 'public'), /^HTTP_/)
  assert.equal(inner.requestCount, 0)
})
