// The output `hls` in an engine, over real sockets: what requests receive, who is counted, and what a reload costs.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import { RawClient } from '../e2e/kit/raw-client.js'
import { until } from '../e2e/kit/until.js'
import { applyYaml, ask } from './hls-requests.js'
import { TestEngine } from './test-engine.js'

/** GOPs of half a second. */
const clip = buildTs({ durationS: 6, video: { gopFrames: 12, fps: 24, bitrate: 300_000 } })
const HLS = 'hls: { type: hls, from: gops, listener: web, path: /live/index.m3u8, segment: 500ms, window: 6s'

interface Parts {
  readonly hls?: string
  readonly outputs?: readonly string[]
  readonly gops?: string
  readonly more?: string
}

function yaml({ hls = '', outputs = [], gops = '', more = '' }: Parts = {}): string {
  return `
version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 2s }
listeners: { web: { address: "127.0.0.1:0" } }
auth: { viewers: { type: basic, users: { anna: secret } } }
services: { metrics: { type: prometheus, listener: api, path: /metrics } }
pipelines:
  one:
    inputs: { main: { type: file, path: main.ts, loop: true } }
    transforms:
      gops: { type: gop, from: main${gops} }
    outputs:
${(outputs.length > 0 ? outputs : [`${HLS}${hls} }`]).map((line) => `      ${line}\n`).join('')}${more}`
}

async function running(parts?: Parts): Promise<TestEngine> {
  const live = await TestEngine.create()
  await live.folder.write('main.ts', clip.bytes)
  await live.start(yaml(parts))
  return live
}

function reload(live: TestEngine, parts: Parts): Promise<Record<string, string>> {
  return applyYaml(live, yaml(parts))
}

function urisOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
}

/** The path of the media playlist, and its text. */
async function media(live: TestEngine, folder = '/live/'): Promise<{ path: string; text: string }> {
  const { body, status } = await ask(live, `${folder}index.m3u8`)
  assert.equal(status, 200, body.toString())
  const [uri = ''] = urisOf(body.toString())
  const path = folder + uri
  return { path, text: (await ask(live, path)).body.toString() }
}

async function newestSegment(live: TestEngine): Promise<string> {
  return `/live/${urisOf((await media(live)).text).at(-1)}`
}

function numberOf(text: string): number {
  return Number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1])
}

describe('requests', () => {
  let live: TestEngine
  before(async () => {
    live = await running({ hls: ', cors: ["https://tv.example", "https://two.example"]' })
  })
  after(() => live[Symbol.asyncDispose]())

  test('before the first segment wait for it', async () => {
    const { status, body, headers } = await ask(live, '/live/index.m3u8')
    assert.equal(status, 200)
    assert.equal(headers.get('content-type'), 'application/vnd.apple.mpegurl')
    assert.equal(headers.get('content-length'), String(body.length))
    assert.match(
      body.toString(),
      /#EXT-X-STREAM-INF:BANDWIDTH=\d+,AVERAGE-BANDWIDTH=\d+,CODECS="avc1\.[0-9a-f]{6},mp4a\.40\.2"/,
    )
  })

  test('for segments are answered from memory: whole, in ranges, by tag, and HEAD as GET', async () => {
    const path = await newestSegment(live)
    const whole = await ask(live, path)
    assert.equal(whole.status, 200)
    assert.equal(whole.headers.get('content-type'), 'video/mp2t')
    assert.match(whole.headers.get('cache-control') ?? '', /^public, max-age=\d+, immutable$/)
    assert.deepEqual([whole.body.length % 188, whole.body[0], whole.body.readUInt16BE(1) & 0x1fff], [0, 0x47, 0])
    const { length } = whole.body
    const ranges: readonly [string, number, number, number][] = [
      ['bytes=0-0', 206, 0, 1],
      ['bytes=100-', 206, 100, length],
      ['bytes=-188', 206, length - 188, length],
      [`bytes=0-${length * 2}`, 206, 0, length],
      ['bytes=5-4', 200, 0, length],
      ['bytes=0-1,4-5', 200, 0, length],
      ['lines=0-1', 200, 0, length],
    ]
    for (const [range, status, from, to] of ranges) {
      const part = await ask(live, path, { headers: { range } })
      assert.equal(part.status, status, range)
      assert.deepEqual(part.body, whole.body.subarray(from, to), range)
      assert.equal(part.headers.get('content-length'), String(to - from))
      const expected = status === 206 ? `bytes ${from}-${to - 1}/${length}` : null
      assert.equal(part.headers.get('content-range'), expected)
    }
    for (const range of [`bytes=${length}-`, 'bytes=-0']) {
      const beyond = await ask(live, path, { headers: { range } })
      assert.deepEqual([beyond.status, beyond.headers.get('content-range')], [416, `bytes */${length}`])
    }
    const tag = whole.headers.get('etag') ?? ''
    assert.equal((await ask(live, path, { headers: { 'if-none-match': `W/"x", ${tag}` } })).status, 304)
    const old = await ask(live, path, { headers: { range: 'bytes=0-1', 'if-range': '"other"' } })
    assert.deepEqual([old.status, old.body.length], [200, length])
    const head = await ask(live, path, { method: 'HEAD' })
    assert.deepEqual([head.status, head.headers.get('content-length'), head.body.length], [200, String(length), 0])
  })

  test('for playlists are zipped where that is wanted, and 304 if nothing has changed', async () => {
    const { path } = await media(live)
    const zipped = async (encoding: string): Promise<string | null> => {
      const { port, hostname } = new URL(`http://${live.address('web')}`)
      await using raw = new RawClient(`http://${hostname}:${port}`)
      raw.socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept-Encoding: ${encoding}\r\n\r\n`)
      await raw.ended
      assert.match(raw.text, /\r\nVary: [^\r]*Accept-Encoding/i)
      return /content-encoding: (\w+)/i.exec(raw.text)?.[1] ?? null
    }
    assert.equal(await zipped('gzip, deflate, br'), 'gzip')
    assert.equal(await zipped('identity;q=1, *;q=0'), null)
    assert.equal(await zipped('gzip;q=0'), null)
    assert.equal(await zipped('*'), 'gzip')
    const { headers, body } = await ask(live, '/live/index.m3u8')
    assert.equal(headers.get('cache-control'), 'no-cache')
    const same = await ask(live, '/live/index.m3u8', { headers: { 'if-none-match': headers.get('etag') ?? '' } })
    assert.ok(same.status === 304 || !same.body.equals(body))
  })

  test('of other origins are admitted by name, preflights and refusals too', async () => {
    const { path } = await media(live)
    const origin = 'https://two.example'
    for (const [asked, status] of [
      [path, 200],
      [await newestSegment(live), 200],
      ['/live/no.ts', 404],
    ] as const) {
      const { headers, ...answer } = await ask(live, asked, { headers: { origin } })
      assert.equal(answer.status, status)
      assert.deepEqual(
        ['access-control-allow-origin', 'access-control-allow-credentials'].map((name) => headers.get(name)),
        [origin, 'true'],
      )
      assert.match(headers.get('vary') ?? '', /Origin/)
    }
    const preflight = await ask(live, path, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'range' },
    })
    assert.equal(preflight.status, 204)
    assert.equal(preflight.headers.get('access-control-allow-headers'), 'range')
    const foreign = await ask(live, path, { headers: { origin: 'https://evil.example' } })
    assert.equal(foreign.headers.get('access-control-allow-origin'), null)
    assert.equal(
      (await ask(live, path, { method: 'OPTIONS', headers: { origin: 'https://evil.example' } })).status,
      405,
    )
    assert.equal((await ask(live, path, { method: 'POST' })).status, 405)
  })

  test('that lead out of the folder, or to what is not there, are 404 at once', async () => {
    for (const path of ['/live/../live.ts', '/live/%2e%2e/x', '/live/..%2fstate', '/live/a\\b', '/live//x', '/live/']) {
      await using raw = new RawClient(`http://${live.address('web')}`)
      raw.socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
      await raw.ended
      assert.ok([400, 404].includes(raw.status), `${path}: ${raw.status}`)
    }
    for (const name of ['main-0.m3u8', 'main-2-1.ts', 'x'.repeat(2000), '__proto__', 'constructor.m3u8']) {
      const { status, headers } = await ask(live, `/live/${name}`)
      assert.deepEqual([status, headers.get('cache-control')], [404, 'no-store'], name)
    }
  })

  test('of clients that never read take no memory, and do not hold up others', async () => {
    const path = await newestSegment(live)
    const clients = Array.from({ length: 50 }, () => {
      const { port, hostname } = new URL(`http://${live.address('web')}`)
      const socket = connect({ port: Number(port), host: hostname })
      socket.on('error', () => undefined)
      socket.pause()
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(20))
      return socket
    })
    const newest = await newestSegment(live)
    await until(async () => (await newestSegment(live)) !== newest, 'the playlist goes on')
    for (const socket of clients) socket.destroy()
  })

  test('are counted: a viewer is an address and an agent, and ends after three target durations', async () => {
    const { path } = await media(live)
    await ask(live, path, { headers: { 'user-agent': 'second' } })
    await ask(live, path, { headers: { 'user-agent': 'second' } })
    const agents = live.engine.clients('one/hls').map(({ userAgent }) => userAgent)
    assert.ok(agents.includes('player') && agents.includes('second'))
    const status = live.node('one/hls')
    assert.ok((status.sentBytes ?? 0) > 0)
    assert.deepEqual(status.urls, [`http://${live.address('web')}/live/index.m3u8`])
    const details = status.details as { targetDuration: number; renditions: { codecs: string }[] }
    assert.equal(details.targetDuration, 1)
    assert.match(details.renditions[0]?.codecs ?? '', /^avc1/)
    await until(() => !live.engine.clients('one/hls').some(({ userAgent }) => userAgent === 'second'), 'it has ended')
  })
})

describe('limits and access', () => {
  test('a viewer over the limit gets no playlist; one that counts gets its segments', async () => {
    await using live = await running({ hls: ', clients: { max: 1 }' })
    const segment = await newestSegment(live)
    const { path } = await media(live)
    const other = { headers: { 'user-agent': 'other' } }
    assert.equal((await ask(live, path, other)).status, 503)
    assert.equal((await ask(live, segment)).status, 200)
  })

  test('without a password nothing is served, and what is served is private; preflights need none', async () => {
    await using live = await running({ hls: ', auth: viewers, cors: "*"' })
    const anna = { authorization: `Basic ${Buffer.from('anna:secret').toString('base64')}` }
    const list = await ask(live, '/live/index.m3u8', { headers: anna })
    assert.equal(list.status, 200)
    const [uri] = urisOf(list.body.toString())
    const text = (await ask(live, `/live/${uri}`, { headers: anna })).body.toString()
    const segment = `/live/${urisOf(text).at(-1)}`
    assert.match((await ask(live, segment, { headers: anna })).headers.get('cache-control') ?? '', /^private/)
    for (const path of ['/live/index.m3u8', segment, '/live/none.ts']) {
      const { status, headers } = await ask(live, path, { headers: { origin: 'https://tv.example' } })
      assert.deepEqual([status, headers.get('access-control-allow-origin')], [401, '*'])
      assert.equal(
        (await ask(live, path, { method: 'OPTIONS', headers: { origin: 'https://tv.example' } })).status,
        204,
      )
    }
  })

  test('without a source a viewer is refused with the reason, after the time that it may wait', async () => {
    await using live = await TestEngine.create()
    const silent = 'main: { type: http, url: "http://127.0.0.1:9/none.ts" }'
    const text = yaml({ hls: ', offline: { waitFor: 100ms }' })
    await live.start(text.replace('main: { type: file, path: main.ts, loop: true }', silent))
    const { status, headers, body } = await ask(live, '/live/index.m3u8')
    assert.deepEqual([status, headers.get('retry-after')], [503, '2'])
    assert.match(body.toString(), /^no data so far: the source is not connected\n$/)
  })
})

describe('a reload', () => {
  /** What a player sees between two states of the engine. */
  async function goesOn(live: TestEngine, change: () => Promise<unknown>): Promise<string> {
    const { path, text } = await media(live)
    await until(async () => urisOf((await media(live)).text).length >= 4, 'there are some segments')
    const listed = urisOf((await media(live)).text)
    await change()
    const now = await ask(live, path)
    assert.equal(now.status, 200, 'the playlist is served at once')
    for (const uri of listed.slice(-2)) assert.equal((await ask(live, `/live/${uri}`)).status, 200, uri)
    const newest = Number(/-(\d+)\.ts$/.exec(listed.at(-1) ?? '')?.[1])
    const later = await until(async () => {
      const next = (await ask(live, path)).body.toString()
      return numberOf(next) + urisOf(next).length > newest + 2 ? next : undefined
    }, 'segments follow')
    assert.ok(numberOf(later) >= numberOf(text))
    return later
  }

  test('of another node costs nothing: no discontinuity, no gap', async () => {
    await using live = await running()
    const later = await goesOn(live, async () => {
      const { 'services/metrics': _, ...verbs } = await reload(live, { gops: ', maxDuration: 9s' })
      assert.deepEqual(verbs, { 'one/main': 'keep', 'one/gops': 'live', 'one/hls': 'keep' })
    })
    assert.ok((later.match(/#EXT-X-DISCONTINUITY\n/g) ?? []).length <= 1)
    assert.doesNotMatch(later, /GAP/)
  })

  test('that replaces the node keeps numbers, playlists, segments and viewers', async () => {
    await using live = await running({ hls: ', targetDuration: 1s' })
    await media(live)
    await media(live)
    const [viewer] = live.engine.clients('one/hls')
    const later = await goesOn(live, async () => {
      assert.equal((await reload(live, {}))['one/hls'], 'swap')
    })
    assert.doesNotMatch(later, /GAP|ENDLIST/)
    assert.equal(live.engine.clients('one/hls')[0]?.id, viewer?.id)
    const metrics = await (await fetch(`http://${live.address('api')}/metrics`)).text()
    assert.match(metrics, /^millrace_hls_lost_total\{[^}]+\} 0$/m)
  })

  test('that replaces the node lets requests wait on', async () => {
    await using live = await TestEngine.create()
    await live.start(yaml({ hls: ', targetDuration: 1s' }))
    const asked = ask(live, '/live/index.m3u8')
    await until(() => live.engine.clients('one/hls').length === 1, 'it waits')
    assert.equal((await reload(live, {}))['one/hls'], 'swap')
    await live.folder.write('main.ts', clip.bytes)
    assert.equal((await asked).status, 200)
  })

  test('that is given up, since another node cannot open, changes nothing', async () => {
    await using live = await running()
    await live.folder.write('poster.png', Buffer.alloc(2 * 1024 * 1024 + 1))
    const broken = 'other: { type: hls, from: gops, listener: web, path: /o/index.m3u8, page: { poster: poster.png } }'
    const { path } = await media(live)
    const later = await goesOn(live, async () => {
      const outputs = [`${HLS}, targetDuration: 9s }`, broken]
      await assert.rejects(reload(live, { outputs }), { code: 'HLS_PAGE_IMAGE' })
    })
    assert.doesNotMatch(later, /GAP|ENDLIST/)
    assert.equal((await media(live)).path, path)
    assert.equal(live.node('one/hls').state, 'ready')
  })

  test('that removes the output ends its playlists, and viewers see that', async () => {
    await using live = await running()
    const { path } = await media(live)
    const removed = reload(live, { outputs: ['ts: { type: http-ts, listener: web, from: gops, path: /one.ts }'] })
    const ended = await until(async () => {
      const { status, body } = await ask(live, path)
      return status === 200 && body.toString().endsWith('#EXT-X-ENDLIST\n') && body.toString()
    }, 'the end is in the playlist')
    assert.equal((await ask(live, `/live/${urisOf(ended).at(-1)}`)).status, 200)
    assert.equal((await removed)['one/hls'], 'remove')
    await until(async () => (await ask(live, path)).status === 404, 'nobody asks any more')
  })

  test('exchanges the paths of two outputs in one edit', async () => {
    const output = (name: string, path: string): string =>
      `${name}: { type: hls, from: gops, listener: web, path: /${path}/index.m3u8, segment: 500ms, window: ${name === 'a' ? 6 : 7}s }`
    await using live = await running({ outputs: [output('a', 'live'), output('b', 'other')] })
    const first = urisOf((await media(live)).text)
    const second = urisOf((await media(live, '/other/')).text)
    // Caches keep segments for ever.
    assert.deepEqual(
      first.filter((uri) => second.includes(uri)),
      [],
    )
    await reload(live, { outputs: [output('a', 'other'), output('b', 'live')] })
    assert.deepEqual(live.node('one/a').urls, [`http://${live.address('web')}/other/index.m3u8`])
    assert.equal(live.node('one/a').state, 'ready')
    await media(live)
    await media(live, '/other/')
  })
})

test('a file in place of its folder costs an output that disk alone', async () => {
  await using live = await TestEngine.create()
  await live.folder.write('main.ts', clip.bytes)
  const path = await live.folder.write('file', Buffer.of(0))
  await live.start(yaml({ hls: `, store: { path: "${path}" }, archive: { path: "${path}" }` }))
  await media(live)
  assert.equal((await ask(live, await newestSegment(live))).status, 200)
  const node = await until(() => (live.node('one/hls').state === 'degraded' ? live.node('one/hls') : undefined), 'told')
  assert.match(JSON.stringify(node), /segments cannot be written to store: [^"]*file/)
})

test('in a pattern pipeline each published stream has its playlists; requests wait for a publisher', async () => {
  await using live = await TestEngine.create()
  await live.start(`
version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 2s }
listeners: { web: { address: "127.0.0.1:0" }, pubs: { protocol: tcp, address: "127.0.0.1:0" } }
pipelines:
  all:
    inputs: { pub: { type: tcp, listener: pubs, streams: '*' } }
    transforms: { gops: { type: gop, from: pub } }
    outputs: { hls: { type: hls, from: gops, listener: web, path: '/\${stream}/index.m3u8', segment: 500ms } }
`)
  const waiting = ask(live, '/first/index.m3u8')
  const { port, hostname } = new URL(`http://${live.address('pubs')}`)
  const socket = connect({ port: Number(port), host: hostname })
  socket.on('error', () => undefined)
  socket.write('first\n')
  socket.write(clip.bytes)
  const { status, body } = await waiting
  assert.equal(status, 200, body.toString())
  const { text } = await media(live, '/first/')
  assert.equal((await ask(live, `/first/${urisOf(text).at(-1)}`)).status, 200)
  assert.equal((await ask(live, '/first/none.ts')).status, 404)
  socket.destroy()
})
