import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { isEngineError } from '../errors.js'
import { HttpListener } from './http-listener.js'
import type { ListenerTimeouts } from './listener-options.js'
import {
  countDescriptors,
  HelloHandler,
  KeptLog,
  RawClient,
  REAL_CLOCK,
  settledDescriptors,
  until,
} from './loopback.test.kit.js'

function makeListener(timeouts: Partial<ListenerTimeouts> = {}): HttpListener {
  const { log } = new KeptLog()
  return new HttpListener({ name: 'web', address: '127.0.0.1:0', clock: REAL_CLOCK, log, timeouts })
}

async function bound(timeouts?: Partial<ListenerTimeouts>): Promise<HttpListener> {
  const listener = makeListener(timeouts)
  await listener.bind()
  return listener
}

describe('a listener', () => {
  let listener: HttpListener
  let handler: HelloHandler

  before(async () => {
    listener = await bound()
    handler = new HelloHandler()
    listener.claim({ path: '/live.ts', stream: handler })
    listener.claim({ path: '/hello', respond: (_, response) => response.end('hi') })
    listener.claim({ path: '/big', respond: (_, response) => response.end(Buffer.alloc(1_000_000, 0x61)) })
    listener.claim({
      path: '/broken',
      respond: () => {
        throw new Error('broken')
      },
    })
    listener.setFallback((incoming, response) => {
      if (incoming.url !== '/echo') {
        response.writeHead(404).end('nothing here')
        return
      }
      incoming.pipe(response)
    })
  })

  after(() => listener.close(0))

  /** Sends this, and returns what arrives until the server ends the connection. */
  async function exchange(...parts: (string | Uint8Array)[]): Promise<RawClient> {
    const client = new RawClient(listener.address)
    for (const part of parts) client.send(part)
    await client.ended()
    client.close()
    return client
  }

  test('passes an ordinary request to http.Server', async () => {
    const client = new RawClient(listener.address).get('/hello')
    await client.saw('\r\n\r\nhi')
    client.close()
    assert.equal(client.status, 200)
  })

  test('passes on a head that arrives byte by byte', async () => {
    const client = new RawClient(listener.address)
    client.socket.setNoDelay(true)
    for (const byte of 'GET /hello HTTP/1.1\r\nHost: here\r\n\r\n') {
      await new Promise<void>((resolve) => client.socket.write(byte, () => resolve()))
    }
    await client.saw('\r\n\r\nhi')
    client.close()
  })

  test('passes on a body that arrives with the head and after it, byte for byte', async () => {
    const body = Buffer.alloc(3_000_000, 0)
    for (let at = 0; at < body.length; at++) body[at] = (at * 7) & 0xff
    const client = await exchange(
      `POST /echo HTTP/1.0\r\nContent-Length: ${body.length}\r\n\r\n`,
      body.subarray(0, 10),
      body.subarray(10),
    )
    assert.ok(client.body.equals(body))
  })

  test('keeps a connection for many ordinary requests', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const before_ = listener.counters.connections
    for (let turn = 0; turn < 5; turn++) {
      const text = await new Promise<string>((resolve, reject) => {
        request(`${listener.origins[0]}/hello`, { agent }, (response) => {
          let collected = ''
          response.on('data', (chunk: Buffer) => (collected += chunk.toString()))
          response.on('end', () => resolve(collected))
        })
          .on('error', reject)
          .end()
      })
      assert.equal(text, 'hi')
    }
    agent.destroy()
    assert.equal(listener.counters.connections, before_ + 1)
  })

  test('answers two pipelined ordinary requests in order', async () => {
    const client = new RawClient(listener.address)
    client.get('/big').get('/hello')
    await client.saw('\r\n\r\nhi')
    client.close()
    assert.ok(client.length > 1_000_000)
  })

  test('passes the socket of a live GET to its handler, and discards what follows', async () => {
    const { live, discardedBytes, requests } = listener.counters
    const client = new RawClient(listener.address)
    client.get('/live.ts?x=1').get('/hello').send('half a head: GET /')
    await client.saw('hello')
    await until(() => listener.counters.discardedBytes > discardedBytes + 50, 'the rest is discarded')
    client.close()
    assert.equal(listener.counters.live, live + 1)
    assert.equal(listener.counters.requests, requests)
    assert.match(handler.visits.at(-1)?.client ?? '', /^127\.0\.0\.1:\d+$/)
  })

  test('keeps the socket of a client that closes its side after a live GET', async () => {
    const client = new RawClient(listener.address).get('/live.ts')
    client.socket.end()
    await client.saw('hello')
    const socket = handler.sockets.at(-1)
    await until(() => socket?.readableEnded === true, 'the FIN has arrived')
    socket?.write('more')
    await client.saw('more')
    client.close()
  })

  test('matches a live path after percent-decoding, in the absolute form, and for HTTP/1.0', async () => {
    for (const line of ['/liv%65.ts HTTP/1.1', 'http://here/live.ts HTTP/1.1', '/live.ts HTTP/1.0']) {
      const client = new RawClient(listener.address).send(`GET ${line}\r\nHost: here\r\n\r\n`)
      await client.saw('hello')
      client.close()
    }
  })

  test('serves a live GET that is the second request of its connection', async () => {
    const { live } = listener.counters
    const client = new RawClient(listener.address).get('/hello')
    await client.saw('\r\n\r\nhi')
    client.get('/live.ts')
    await client.saw('close\r\n\r\nhello')
    const socket = handler.sockets.at(-1)
    client.get('/hello').send('junk \0 and half a head')
    await until(() => listener.counters.discardedRequests > 0, 'the third request is discarded')
    socket?.write('again')
    await client.saw('again')
    socket?.end()
    await client.ended()
    assert.ok(client.text.endsWith('\r\n\r\nhelloagain'))
    assert.ok(!client.text.includes('chunked'))
    client.close()
    assert.equal(listener.counters.live, live + 1)
  })

  test('serves a live GET that is pipelined behind an ordinary one, after its answer', async () => {
    const client = new RawClient(listener.address).get('/big').get('/live.ts').get('/hello')
    await client.saw('close\r\n\r\nhello')
    assert.ok(client.length > 1_000_000)
    assert.ok(!client.text.includes('hi'))
    client.close()
  })

  test('closes a connection whose client keeps sending requests after a live GET', async () => {
    const client = new RawClient(listener.address).get('/hello')
    await client.saw('\r\n\r\nhi')
    client.get('/live.ts')
    await client.saw('close\r\n\r\nhello')
    for (let turn = 0; turn < 20; turn++) client.get('/hello')
    await until(() => client.isClosed || client.isEnded, 'the connection is closed')
    client.close()
  })

  test('answers HEAD of a live path with the headers, on a new and on a kept connection', async () => {
    const first = await exchange('HEAD /live.ts HTTP/1.1\r\nHost: here\r\n\r\n')
    assert.equal(first.status, 200)
    assert.match(first.text, /Content-Type: video\/mp2t\r\n/)
    assert.match(first.text, /Connection: close\r\n/)
    assert.equal(first.body.length, 0)
    const second = await exchange(
      'GET /hello HTTP/1.1\r\nHost: here\r\n\r\nHEAD /live.ts HTTP/1.1\r\nHost: here\r\n\r\n',
    )
    assert.match(second.text, /hi(.|\r\n)*video\/mp2t/)
  })

  test('refuses other methods of a known path with 405 and Allow', async () => {
    for (const path of ['/live.ts', '/hello']) {
      const client = await exchange(`POST ${path} HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\nab`)
      assert.equal(client.status, 405)
      assert.match(client.text, /Allow: GET, HEAD\r\n/)
    }
  })

  test('answers 500 when a handler throws, and keeps serving', async () => {
    const client = new RawClient(listener.address).get('/broken')
    await client.saw('Internal error')
    client.get('/hello')
    await client.saw('hi')
    client.close()
  })

  test('passes requests for unknown paths to the fallback', async () => {
    const client = new RawClient(listener.address).get('/nothing')
    await client.saw('nothing here')
    client.close()
    assert.equal(client.status, 404)
  })

  const bad: readonly { name: string; bytes: string; status: number }[] = [
    {
      name: 'an ordinary GET with a body',
      bytes: 'GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde',
      status: 400,
    },
    {
      name: 'a body behind lines that end with LF alone',
      bytes: 'POST /hello HTTP/1.1\nHost: a\nContent-Length: 5\n\nabcde',
      status: 400,
    },
    {
      name: 'two lengths of a live GET',
      bytes: 'GET /live.ts HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde',
      status: 400,
    },
    { name: 'both kinds of line ends', bytes: 'GET /live.ts HTTP/1.1\r\nHost: a\r\nX: b\nY: c\r\n\r\n', status: 400 },
    { name: 'a bare CR', bytes: 'GET /live.ts HTTP/1.1\r\nX: a\rb\r\nHost: a\r\n\r\n', status: 400 },
    { name: 'a NUL', bytes: 'GET /live.ts\0 HTTP/1.1\r\n', status: 400 },
    { name: 'a folded header', bytes: 'GET /live.ts HTTP/1.1\r\nHost: a\r\n b\r\n\r\n', status: 400 },
    { name: 'two Hosts', bytes: 'GET /live.ts HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n', status: 400 },
    { name: 'no Host', bytes: 'GET /live.ts HTTP/1.1\r\n\r\n', status: 400 },
    { name: 'a bad escape', bytes: 'GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n', status: 400 },
    { name: 'a TLS hello', bytes: '\x16\x03\x01\x02\x00\x01\x00', status: 400 },
    {
      name: 'ten empty lines first',
      bytes: `${'\r\n'.repeat(10)}GET /live.ts HTTP/1.1\r\nHost: a\r\n\r\n`,
      status: 400,
    },
    { name: 'HTTP/2 by prior knowledge', bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', status: 505 },
    { name: '1 MB of headers', bytes: `GET /live.ts HTTP/1.1\r\nX: ${'a'.repeat(1_000_000)}`, status: 431 },
  ]

  for (const { name, bytes, status } of bad) {
    test(`refuses ${name} with ${status} and closes`, async () => {
      const served = handler.visits.length
      const client = await exchange(Buffer.from(bytes, 'latin1'))
      assert.equal(client.status, status)
      assert.match(client.text, /Connection: close\r\n/)
      assert.equal(handler.visits.length, served)
    })
  }

  for (const [name, lines] of [
    ['with lines that end with LF alone', 'GET /hello HTTP/1.1\nHost: a\nConnection: close\n\n'],
    ['with an empty line in front', '\r\nGET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
  ] as const) {
    test(`answers an ordinary request ${name}`, async () => {
      const client = await exchange(lines)
      assert.equal(client.status, 200)
      assert.match(client.text, /\r\n\r\nhi/)
    })
  }

  test('refuses the same in a later request of a connection', async () => {
    const bytes = 'GET /hello HTTP/1.1\r\nHost: a\r\n\r\n'
    const second = 'GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde'
    for (const row of [
      second,
      'GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
      'GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n',
      'x\0',
    ]) {
      const client = await exchange(bytes, row)
      assert.match(client.text, /hi(.|\r\n)*HTTP\/1\.1 400 /)
    }
  })
})

test('closes a silent client, and one that stops in the middle of a head, in time', async () => {
  const listener = await bound({ headerMs: 60 })
  const silent = new RawClient(listener.address)
  const slow = new RawClient(listener.address).send('GET / HT')
  await Promise.all([silent.ended(), slow.ended()])
  assert.equal(slow.status, 408)
  assert.equal(listener.counters.badHeads.get('timeout'), 2)
  silent.close()
  slow.close()
  await listener.close(0)
})

test('closes a kept connection that stops in the middle of a later head, but not a live one', async () => {
  const listener = await bound({ headerMs: 1000, requestMs: 1000, keepAliveMs: 60_000 })
  const handler = new HelloHandler()
  listener.claim({ path: '/hello', respond: (_, response) => response.end('hi') })
  listener.claim({ path: '/live.ts', stream: handler })
  const slow = new RawClient(listener.address).get('/hello')
  await slow.saw('hi')
  slow.send('GET /he')
  const viewer = new RawClient(listener.address).get('/hello')
  await viewer.saw('hi')
  viewer.send('GET /live.ts HTTP/1.1\r\nHost: here\r\n\r\nGET /half')
  await viewer.saw('hello')
  await slow.ended()
  assert.match(slow.text, /HTTP\/1\.1 408 /)
  await until(() => listener.counters.discardedRequests > 0, 'the half head of the viewer has timed out')
  handler.sockets[0]?.write('still here')
  await viewer.saw('still here')
  slow.close()
  viewer.close()
  await listener.close(0)
})

test('survives clients that reset at any point, and leaves no descriptor open', async () => {
  const before_ = await settledDescriptors()
  const listener = await bound()
  listener.claim({ path: '/live.ts', stream: new HelloHandler() })
  listener.claim({ path: '/hello', respond: (_, response) => response.end('hi') })
  const starts = [
    '',
    'GET /live',
    'GET /live.ts HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /hello HTTP/1.1\r\nHost: a\r\n\r\n',
    '\n',
  ]
  const clients = Array.from({ length: 200 }, (_, index) => {
    const client = new RawClient(listener.address)
    client.socket.once('connect', () => {
      client.socket.write(starts[index % starts.length] ?? '', () => client.socket.resetAndDestroy())
      if (index % starts.length === 0) client.socket.resetAndDestroy()
    })
    return client
  })
  await until(() => clients.every((client) => client.isClosed), 'all clients have closed')
  await until(() => listener.openConnections === 0, 'all connections have closed')
  await listener.close(0)
  await until(() => countDescriptors() <= before_, 'no descriptor is left open')
})

test('closes idle and busy connections in bounded time, and refuses new ones at once', async () => {
  const listener = await bound()
  const handler = new HelloHandler()
  listener.claim({ path: '/live.ts', stream: handler })
  listener.claim({ path: '/hello', respond: (_, response) => response.end('hi') })
  listener.claim({ path: '/never', respond: () => {} })
  const idle = new RawClient(listener.address).get('/hello')
  const busy = new RawClient(listener.address).get('/never')
  const viewer = new RawClient(listener.address).get('/live.ts')
  const silent = new RawClient(listener.address)
  await Promise.all([idle.saw('hi'), viewer.saw('hello'), until(() => listener.counters.requests === 2, 'read')])
  await until(() => listener.openConnections === 4, 'all are connected')
  const { address } = listener
  listener.stopAccepting()
  const late = new RawClient(address)
  await until(() => late.isClosed, 'the late one is refused')
  assert.equal(viewer.isEnded, false)
  await listener.close(50)
  assert.equal(listener.openConnections, 0)
  await Promise.all(
    [idle, busy, viewer, silent].map((client) => until(() => client.isEnded || client.isClosed, 'gone')),
  )
  for (const client of [idle, busy, viewer, silent, late]) client.close()
  await listener.close()
})

test('refuses a path that is in use or does not start with a slash, and accepts it once it is free', async () => {
  const listener = makeListener()
  const first = listener.claim({ path: '/a', respond: () => {} })
  const codeOf = (run: () => unknown): string => {
    try {
      run()
    } catch (error) {
      if (isEngineError(error)) return error.code
    }
    return ''
  }
  assert.equal(
    codeOf(() => listener.claim({ path: '/a', respond: () => {} })),
    'LISTEN_PATH_TAKEN',
  )
  assert.equal(
    codeOf(() => listener.claim({ path: '/a', stream: new HelloHandler() })),
    'LISTEN_PATH_TAKEN',
  )
  assert.equal(
    codeOf(() => listener.claim({ path: 'a', respond: () => {} })),
    'LISTEN_BAD_PATH',
  )
  first[Symbol.dispose]()
  first[Symbol.dispose]()
  listener.claim({ path: '/a', stream: new HelloHandler() })
  await listener.close(0)
})
