// Misbehaving clients: each is closed in time and counted, and no other viewer is affected.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HttpReader } from '../oracle/http-reader.js'
import { assertClean, assertJoin } from './kit/assert-clean.js'
import { assertViewerUnaffected } from './kit/assert-viewer-unaffected.js'
import { scrape } from './kit/metrics-page.js'
import { RawClient } from './kit/raw-client.js'
import type { EngineProcess } from './kit/start-engine.js'
import { until } from './kit/until.js'

const LIVE = 'GET /one/out.ts HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'
/** The timeout for a request head is 5 s; the rest is what a busy machine may add. The next longer timeout is 30 s. */
const HEADER_TIMEOUT_MS = { least: 4500, most: 20_000 }
/** Less than the timeout for a head. */
const SOON_MS = HEADER_TIMEOUT_MS.least

const LATE_BYTES: readonly { readonly name: string; readonly bytes: string | Buffer }[] = [
  { name: 'a pipelined second request', bytes: LIVE },
  { name: 'a hundred pipelined requests', bytes: 'GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(100) },
  { name: 'junk', bytes: Buffer.alloc(100_000, 0x81) },
  { name: 'half a header', bytes: 'GET /one/out.ts HTTP/1.1\r\nHos' },
]

test('anything a viewer sends after its GET changes nothing for it or for others', async () => {
  await assertViewerUnaffected(async (engine, url) => {
    const connects = await connectsOf(engine)
    for (const { name, bytes } of LATE_BYTES) {
      await using viewer = new HttpReader(url)
      viewer.socket.write(bytes)
      await viewer.until(({ bodyBytes }) => bodyBytes > 100_000)
      viewer.socket.write(bytes)
      const { bodyBytes: sofar } = viewer.report()
      await viewer.until(({ bodyBytes }) => bodyBytes > sofar + 100_000)
      const { ts, ended, status } = viewer.report()
      assert.deepEqual({ ended, status }, { ended: 'open', status: 200 }, name)
      assertJoin(name, assertClean(name, ts))
    }
    assert.equal(await connectsOf(engine), connects + LATE_BYTES.length, 'each counts as one viewer')
  })
})

test('a GET of the stream on a connection that has served another request is a normal viewer', async () => {
  await assertViewerUnaffected(async (_engine, url) => {
    await using client = new RawClient(url)
    client.socket.write(`HEAD /one/out.ts HTTP/1.1\r\nHost: x\r\n\r\n`)
    await until(() => client.text.includes('\r\n\r\n'), 'a response to HEAD')
    assert.equal(client.status, 200)
    await using second = new RawClient(url)
    second.socket.write(`GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n${LIVE}${LIVE}junk junk`)
    await until(() => second.bytes > 200_000, 'the stream flows after a 404')
    assert.equal(second.status, 404)
    assert.match(second.text, /HTTP\/1\.1 200 OK\r\n[^]*video\/mp2t/)
  })
})

const BAD_HEADS: readonly { readonly name: string; readonly bytes: string | Buffer; readonly status: number }[] = [
  { name: '1 MB of one header', bytes: `GET /one/out.ts HTTP/1.1\r\nX: ${'a'.repeat(1 << 20)}`, status: 431 },
  { name: '1 MB of headers', bytes: `GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(180_000)}`, status: 431 },
  { name: 'garbage', bytes: Buffer.alloc(50_000, 0xfe), status: 400 },
  { name: 'TLS', bytes: Buffer.from('16030100c8010000c40303', 'hex'), status: 400 },
  { name: 'a NUL', bytes: 'GET /one/out.ts\0 HTTP/1.1\r\n\r\n', status: 400 },
  { name: 'two lengths', bytes: `${LIVE.slice(0, -2)}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`, status: 400 },
  { name: 'HTTP of the future', bytes: 'GET /one/out.ts HTTP/9.9\r\nHost: x\r\n\r\n', status: 505 },
  { name: 'another method', bytes: `DELETE${LIVE.slice(3)}`, status: 405 },
]

test('a malformed or oversized request is refused and closed at once', async () => {
  await assertViewerUnaffected(async (engine, url) => {
    const connects = await connectsOf(engine)
    for (const { name, bytes, status } of BAD_HEADS) {
      await using client = new RawClient(url)
      client.socket.write(bytes)
      await client.ended
      client.socket.end()
      const ms = await client.gone
      assert.equal(client.status, status, `${name}: ${client.text.slice(0, 200)}`)
      assert.ok(ms < SOON_MS, `${name} was closed after ${ms} ms`)
    }
    assert.equal(await connectsOf(engine), connects, 'none of them counts as a viewer')
  })
})

test('a client that sends nothing, or never finishes its request, is closed by the timeout for a head', async () => {
  await assertViewerUnaffected(async (_engine, url) => {
    await using silent = new RawClient(url)
    await using half = new RawClient(url)
    half.socket.write(LIVE.slice(0, 30))
    await using idle = new RawClient(url)
    idle.socket.write('GET /nothing HTTP/1.1\r\nHost: x\r\n\r\nGET /noth')
    const clients = { silent, half, idle }
    for (const [name, client] of Object.entries(clients)) {
      const ms = await client.gone
      assert.ok(ms > HEADER_TIMEOUT_MS.least && ms < HEADER_TIMEOUT_MS.most, `${name} was closed after ${ms} ms`)
    }
    assert.equal(silent.status, 408)
    assert.equal(half.status, 408)
    assert.equal(idle.status, 404)
  })
})

test('clients that half-close, reset or disconnect at any moment leave nothing behind', async () => {
  await assertViewerUnaffected(async (engine, url) => {
    const attacks: ((client: RawClient) => Promise<void>)[] = [
      // Before a request, during one, during the stream: half-closed, reset, or closed.
      async ({ socket }) => void socket.end(),
      async ({ socket }) => void socket.end(LIVE.slice(0, 20)),
      async ({ socket }) => void socket.resetAndDestroy(),
      async ({ socket }) => void socket.write(LIVE, () => socket.resetAndDestroy()),
      async ({ socket }) => void socket.write(LIVE, () => socket.destroy()),
      async (client) => {
        client.socket.write(LIVE)
        await until(() => client.bytes > 50_000, 'the stream flows')
        client.socket.resetAndDestroy()
      },
    ]
    const clients: RawClient[] = []
    for (let round = 0; round < 5; round++) {
      for (const attack of attacks) {
        const client = new RawClient(url)
        clients.push(client)
        await new Promise((resolve) => client.socket.once('connect', resolve))
        await attack(client)
      }
    }
    for (const client of clients) assert.ok((await client.gone) < HEADER_TIMEOUT_MS.most)
    await until(async () => (await engine.node('one/out')).clients === 1, 'only the first viewer is left')
  })
})

test('a client that has closed its sending side is still served until it closes the other', async () => {
  await assertViewerUnaffected(async (engine, url) => {
    await using client = new RawClient(url, { allowHalfOpen: true })
    client.socket.end(LIVE)
    await until(() => client.bytes > 200_000, 'the stream flows')
    assert.equal((await engine.node('one/out')).clients, 2)
  })
})

async function connectsOf(engine: EngineProcess): Promise<number> {
  return (await scrape(engine.api)).value('millrace_output_client_connects_total', { node: 'out' }) ?? NaN
}
