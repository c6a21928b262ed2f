import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { type ClientHttp2Session, constants } from 'node:http2'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { HttpListener } from './http-listener.js'
import type { HttpListenerOptions } from './listener-options.js'
import { countDescriptors, HelloHandler, KeptLog, REAL_CLOCK, settledDescriptors, until } from './loopback.test.kit.js'
import { ask, CertificateFolder, http2Client, tlsClient } from './tls.test.kit.js'

let certificates: CertificateFolder

before(() => {
  certificates = new CertificateFolder()
})
after(() => certificates[Symbol.dispose]())

async function bound(more: Partial<HttpListenerOptions> = {}): Promise<HttpListener> {
  const { log } = new KeptLog()
  const listener = { name: 'web', address: '127.0.0.1:0', clock: REAL_CLOCK, log, tls: certificates.files }
  const made = new HttpListener({ ...listener, ...more })
  await made.bind()
  return made
}

describe('HTTP/2', () => {
  let listener: HttpListener
  let session: ClientHttp2Session
  let handler: HelloHandler

  before(async () => {
    listener = await bound()
    handler = new HelloHandler()
    listener.claim({ path: '/live.ts', stream: handler })
    listener.claim({ path: '/hello', respond: (asked, response) => response.end(`hi ${asked.headers.host}`) })
    listener.claim({
      path: '/broken',
      respond: () => {
        throw new Error('broken')
      },
    })
    listener.setFallback((asked, response) => {
      if (asked.url === '/echo') asked.pipe(response)
      else response.writeHead(404).end('nothing here')
    })
    session = http2Client(listener.origins[0] ?? '')
  })

  after(async () => {
    session.destroy()
    await listener.close(0)
  })

  test('answers ordinary requests in parallel on one connection', async () => {
    const { connections } = listener.counters
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(session, { ':path': '/hello' })))
    for (const { status, text } of answers)
      assert.deepEqual([status, text], [200, `hi ${new URL(listener.origins[0] ?? '').host}`])
    assert.ok(listener.counters.connections <= connections + 1)
    assert.equal(listener.counters.http2, 1)
  })

  test('handles fallback, methods, errors and bodies like HTTP/1', async () => {
    assert.equal((await ask(session, { ':path': '/none' })).text, 'nothing here')
    assert.equal((await ask(session, { ':path': '/hello', ':method': 'POST' }, 'x')).status, 405)
    assert.equal((await ask(session, { ':path': '/live.ts', ':method': 'POST' }, 'x')).status, 405)
    assert.equal((await ask(session, { ':path': '/broken' })).status, 500)
    assert.equal((await ask(session, { ':path': '/%zz' })).status, 400)
    const body = 'body '.repeat(50_000)
    assert.equal((await ask(session, { ':path': '/echo', ':method': 'POST' }, body)).text, body)
  })

  test('passes each GET of a live path to its handler as a stream, and answers HEAD', async () => {
    const head = await ask(session, { ':path': '/live.ts', ':method': 'HEAD' })
    const { requests } = listener.counters
    assert.deepEqual([head.status, head.headers['content-type']], [200, 'video/mp2t'])
    const streams = [session.request({ ':path': '/live.ts?a=b' }), session.request({ ':path': '/live%2ets' })]
    const texts = streams.map((stream) => {
      const got = { text: '' }
      stream.setEncoding('utf8').on('data', (chunk: string) => (got.text += chunk))
      return got
    })
    await until(() => texts.every(({ text }) => text === 'hello'), 'both receive data')
    assert.equal(handler.visits[0]?.query, 'a=b')
    assert.match(handler.visits[0]?.client ?? '', /^127\.0\.0\.1:\d+$/)
    handler.sockets[0]?.end(' and bye')
    await until(() => texts[0]?.text === 'hello and bye' && streams[0]?.closed === true, 'the first one ends')
    handler.sockets[1]?.write(' again')
    await until(() => texts[1]?.text === 'hello again', 'the other one continues')
    streams[1]?.close()
    await until(() => handler.sockets[1]?.destroyed === true, 'the handler sees it close')
    // Each is counted once.
    assert.deepEqual([listener.counters.live, listener.counters.requests], [2, requests])
  })

  test('answers curl, which chooses HTTP/2 by itself', async () => {
    const run = promisify(execFile)
    const format = '%{http_version} %{http_code}'
    const { stdout } = await run('curl', ['--http2', '-ksS', '-w', format, `${listener.origins[0]}/hello`])
    assert.match(stdout, /^hi 127\.0\.0\.1:\d+2 200$/)
  })
})

test('closes a connection without requests in time, and keeps one with a live stream', async () => {
  const listener = await bound({ timeouts: { keepAliveMs: 1000 } })
  const handler = new HelloHandler()
  listener.claim({ path: '/live.ts', stream: handler })
  const idle = http2Client(listener.origins[0] ?? '')
  const viewer = http2Client(listener.origins[0] ?? '')
  const stream = viewer.request({ ':path': '/live.ts' }).resume()
  await until(() => handler.sockets.length === 1, 'the viewer is connected')
  await until(() => idle.destroyed, 'the idle one is closed')
  assert.equal(viewer.closed, false)
  stream.close()
  await until(() => viewer.destroyed, 'the other one too, when its stream has ended')
  await listener.close(0)
})

test('closes a request whose body does not end, and a client that never sends its preface', async () => {
  const listener = await bound({ timeouts: { headerMs: 1000, requestMs: 1000, keepAliveMs: 1000 } })
  listener.setFallback((asked) => void asked.resume())
  const session = http2Client(listener.origins[0] ?? '')
  const stream = session.request({ ':path': '/x', ':method': 'POST' })
  stream.on('error', () => {})
  stream.write('half')
  const mute = tlsClient(listener.address, { ALPNProtocols: ['h2'] })
  await until(() => stream.closed, 'the request is cancelled')
  await until(() => mute.isClosed || mute.isEnded, 'the silent one is closed')
  mute.close()
  session.destroy()
  await listener.close(0)
})

test('refuses and counts bytes that are not HTTP/2', async () => {
  const listener = await bound()
  const client = tlsClient(listener.address, { ALPNProtocols: ['h2'] }).get('/hello')
  await until(() => client.isClosed || client.isEnded, 'it is closed')
  await until(() => listener.counters.refused.get('http2') === 1, 'it is counted')
  client.close()
  await listener.close(0)
})

test('a client that opens and resets streams as fast as it can leaves nothing behind and disturbs no one', async () => {
  const listener = await bound()
  const handler = new HelloHandler()
  listener.claim({ path: '/live.ts', stream: handler })
  const viewer = await tlsClient(listener.address).get('/live.ts').saw('hello')
  const session = http2Client(listener.origins[0] ?? '')
  for (let turn = 0; turn < 20 && !session.destroyed; turn++) {
    const seen = handler.sockets.length
    const streams = Array.from({ length: 90 }, () => session.request({ ':path': '/live.ts' }).on('error', () => {}))
    await until(() => handler.sockets.length > seen || session.destroyed, 'some have arrived')
    for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL)
    await until(() => handler.sockets.slice(1).every(({ destroyed }) => destroyed), 'all have closed')
  }
  handler.sockets[0]?.write('still here')
  await viewer.saw('still here')
  session.destroy()
  viewer.close()
  await listener.close(0)
})

test('a client that resets streams in batches, each over a connection of its own, is refused HTTP/2 and nothing else', async () => {
  // Time stands still: however long it takes, the address gets no more resets.
  const listener = await bound({ clock: { ...REAL_CLOCK, nowMs: () => 0 } })
  const handler = new HelloHandler()
  listener.claim({ path: '/live.ts', stream: handler })
  const { counters } = listener
  for (let batch = 0; batch < 100 && !counters.refused.has('http2-resets'); batch++) {
    const session = http2Client(listener.origins[0] ?? '').on('error', () => {})
    const seen = handler.sockets.length
    const streams = Array.from({ length: 90 }, () => session.request({ ':path': '/live.ts' }).on('error', () => {}))
    await until(() => handler.sockets.length > seen || session.destroyed, 'some have arrived')
    for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL)
    await until(() => handler.sockets.every(({ destroyed }) => destroyed), 'all have closed')
    session.destroy()
  }
  assert.ok((counters.refused.get('http2-resets') ?? 0) > 0)
  assert.ok(handler.sockets.length < 3000, `${handler.sockets.length}`)
  const other = await tlsClient(listener.address).get('/live.ts').saw('hello')
  other.close()
  await listener.close(0)
})

test('viewers whose connections end have reset nothing', async () => {
  // Time stands still: however long it takes, the address gets no more resets.
  const listener = await bound({ clock: { ...REAL_CLOCK, nowMs: () => 0 } })
  const handler = new HelloHandler()
  listener.claim({ path: '/live.ts', stream: handler })
  for (let batch = 1; batch <= 15; batch++) {
    const session = http2Client(listener.origins[0] ?? '').on('error', () => {})
    for (let stream = 0; stream < 90; stream++) session.request({ ':path': '/live.ts' }).on('error', () => {})
    await until(() => handler.sockets.length === batch * 90, 'all have arrived')
    session.destroy()
    await until(() => handler.sockets.every(({ destroyed }) => destroyed), 'all have closed')
  }
  assert.equal(listener.counters.refused.has('http2-resets'), false)
  await listener.close(0)
})

test('viewers that the engine cuts have reset nothing', async () => {
  // Time stands still: however long it takes, the address gets no more resets.
  const listener = await bound({ clock: { ...REAL_CLOCK, nowMs: () => 0 } })
  const handler = new HelloHandler()
  listener.claim({ path: '/live.ts', stream: handler })
  const session = http2Client(listener.origins[0] ?? '').on('error', () => {})
  for (let batch = 1; batch <= 15; batch++) {
    const closed = Array.from({ length: 90 }, () => {
      const stream = session.request({ ':path': '/live.ts' }).on('error', () => {})
      return new Promise((resolve) => stream.resume().once('close', resolve))
    })
    await until(() => handler.sockets.length === batch * 90, 'all have arrived')
    for (const socket of handler.sockets) socket.destroy()
    await Promise.all(closed)
  }
  assert.equal(session.destroyed, false)
  assert.equal(listener.counters.refused.has('http2-resets'), false)
  session.destroy()
  await listener.close(0)
})

test('close() ends HTTP/2 connections, with streams and without, and leaves no descriptor open', async () => {
  const before_ = await settledDescriptors()
  const listener = await bound()
  const handler = new HelloHandler()
  listener.claim({ path: '/live.ts', stream: handler })
  const sessions = Array.from({ length: 10 }, () => http2Client(listener.origins[0] ?? ''))
  for (const session of sessions.slice(5))
    session
      .request({ ':path': '/live.ts' })
      .on('error', () => {})
      .resume()
  await until(() => handler.sockets.length === 5 && listener.counters.http2 === 10, 'all are connected')
  await listener.close(20)
  await until(() => sessions.every((session) => session.destroyed), 'all are closed')
  assert.equal(listener.openConnections, 0)
  await until(() => countDescriptors() <= before_, 'no descriptor is left open')
})
