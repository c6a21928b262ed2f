// Over HTTP/1 and HTTP/2, with sockets of their own; access and routes are the engine's, and are tested there.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import {
  connect,
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { TestAudiences } from '@millrace/engine/testing'
import { paced, PresentationBench } from '../presentation.test.kit.js'
import { RequestHandler } from './request-handler.js'
import { Grants } from '../viewers/grants.js'
import { KnownViewers } from '../viewers/known-viewers.js'
import { locate } from '../viewers/granted-paths.js'
import { Viewers } from '../viewers/viewers.js'
import { ViewersBench } from '../viewers/viewers.test.kit.js'
import { WaitingViewers } from './waiting-viewers.js'

const NO_LIMITS = { max: 0, soft: 0, perAddress: 0, overLimitStatus: 503 }
const WHO = {
  ...{ protocol: 'http', listener: 'web', client: '10.0.0.1:1', address: '10.0.0.1', user: undefined, place: '/x' },
  agent: 'player',
}

function handlerBench(bench = new PresentationBench()) {
  const audience = new TestAudiences('test/node', bench.clock).open({ limits: NO_LIMITS })
  const waiting = new WaitingViewers(bench.clock)
  const node = waiting.open(() => false)
  const known = new KnownViewers(new Grants({ clock: bench.clock, key: randomBytes(32) }))
  const settings = { waitForMs: 10_000, offlineStatus: 503, hasAuth: false, isCdn: false, redirects: true }
  const handler = new RequestHandler({
    ...{ presentation: bench.presentation, grants: known.grants, waiting, settings },
    viewers: new Viewers({
      ...{ audience, known, nowMs: () => bench.clock.nowMs() },
      histograms: { observeBuffer: () => undefined, observeThroughput: () => undefined },
      countSent: () => undefined,
    }),
    page: undefined,
    whyOffline: () => 'no key frame so far',
  })
  const respond = (request: IncomingMessage, response: ServerResponse): void => {
    const path = request.url ?? ''
    const visit = { client: '', address: WHO.address, user: undefined, path, query: '', who: WHO }
    void handler.answer({ request, response, visit }, locate(path, '/index.m3u8'))
  }
  return { bench, waiting, node, settings, respond }
}

test('playlists and segments are served over HTTP/2 too', async () => {
  const { bench, respond } = handlerBench()
  bench.play([paced({ durationS: 9, video: { gopFrames: 50 } })])
  const server = createHttp2Server((request: Http2ServerRequest, response: Http2ServerResponse) =>
    respond(request as unknown as IncomingMessage, response as unknown as ServerResponse),
  ).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  try {
    const ask = async (path: string, headers = {}): Promise<{ status: number; body: Buffer }> => {
      const stream = session.request({ ':path': path, ...headers })
      const parts: Buffer[] = []
      stream.on('data', (part: Buffer) => parts.push(part))
      const [[head]] = await Promise.all([once(stream, 'response'), once(stream, 'end')])
      return { status: Number((head as Record<string, unknown>)[':status']), body: Buffer.concat(parts) }
    }
    const list = await ask('/index.m3u8')
    assert.equal(list.status, 200)
    const { uri } = bench.playlist().segments.at(-1)!
    const whole = await ask(`/${uri}`)
    assert.deepEqual([whole.status, whole.body.length % 188], [200, 0])
    const part = await ask(`/${uri}`, { range: 'bytes=188-375' })
    assert.deepEqual([part.status, part.body], [206, whole.body.subarray(188, 376)])
    assert.equal((await ask(`/${uri}`, { ':method': 'HEAD' })).body.length, 0)
    assert.equal((await ask('/none.ts')).status, 404)
  } finally {
    session.close()
    server.close()
  }
})

test('requests before the first segment wait, at most so many and so long; clients that leave make room', async () => {
  const parts = handlerBench()
  const { bench, waiting, respond } = parts
  const server = createServer(respond).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const ask = (signal?: AbortSignal) => fetch(`${url}/index.m3u8`, signal === undefined ? {} : { signal })
  const waits = async (count: number): Promise<void> => {
    while (waiting.size !== count) await new Promise((resolve) => setImmediate(resolve))
  }
  try {
    const leaving = new AbortController()
    const gone = ask(leaving.signal).catch(() => 'gone')
    await waits(1)
    leaving.abort()
    assert.equal(await gone, 'gone')
    await waits(0)

    const late = ask()
    await waits(1)
    bench.clock.advance(10_000)
    const refused = await late
    assert.deepEqual([refused.status, await refused.text()], [503, 'no key frame so far\n'])

    const served = ask()
    await waits(1)
    bench.play([paced({ durationS: 5, video: { gopFrames: 50 } }, { fromMs: bench.clock.nowMs() })])
    waiting.wakeReady()
    assert.equal((await served).status, 200)
  } finally {
    server.close()
    server.closeAllConnections()
  }
})

test('a request for a rendition that has a gap in the first segment waits on', async () => {
  const names = ['high', 'low']
  const play = (bench: PresentationBench): PresentationBench =>
    bench.play([paced({ durationS: 9, video: { gopFrames: 50 } }), []])
  const { life } = play(new PresentationBench({}, names)).presentation
  const { bench, waiting, settings, respond } = handlerBench(new PresentationBench({}, names))
  settings.waitForMs = 30_000
  bench.onPublished = () => waiting.wakeReady()
  const server = createServer(respond).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const { port } = server.address() as AddressInfo
    const asked = fetch(`http://127.0.0.1:${port}/low-${life!.id}.m3u8`)
    while (waiting.size === 0) await new Promise((resolve) => setImmediate(resolve))
    play(bench)
    assert.deepEqual([bench.presentation.life?.id, waiting.size], [life!.id, 1])
    const later = paced({ durationS: 9, startPts90k: 1_710_000, video: { gopFrames: 50 } }, { fromMs: 9000 })
    bench.play([later, later], 20_000)
    assert.equal(waiting.size, 0)
    assert.equal((await asked).status, 200)
  } finally {
    server.close()
    server.closeAllConnections()
  }
})

test('a request that may not wait is refused at once', async () => {
  const { settings, respond } = handlerBench()
  settings.waitForMs = 0
  const server = createServer(respond).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/index.m3u8`)
    assert.deepEqual([answer.status, await answer.text()], [503, 'no key frame so far\n'])
  } finally {
    server.close()
    server.closeAllConnections()
  }
})

test('no more than a thousand requests wait, of one network two hundred', () => {
  const { waiting, node } = handlerBench()
  let refused = 0
  const park = (count: number, addressOf: (index: number) => string): void => {
    for (let index = 0; index < count; index++) {
      waiting.wait(10_000, { address: addressOf(index), isReady: () => true, go: () => void refused++ })
    }
  }
  park(300, (index) => `2001:db8::${index}`)
  assert.deepEqual([waiting.size, refused], [200, 100])
  park(1000, (index) => `10.0.${index >> 8}.${index & 255}`)
  assert.deepEqual([waiting.size, refused], [1000, 300])
  node[Symbol.dispose]()
  assert.deepEqual([waiting.size, refused], [0, 1300])
})

test('where nobody may wait, and for one too many, the answer is the reason at once', async () => {
  await using parts = new ViewersBench({}, { isPlayed: false })
  const { status, text } = await parts.ask('index.m3u8')
  assert.deepEqual([status, text], [503, 'no data so far\n'])
})
