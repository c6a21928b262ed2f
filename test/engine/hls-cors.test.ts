// What browsers of other origins, and players that ask for ranges, receive for every kind of resource of an output `hls`.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import { until } from '../e2e/kit/until.js'
import { TestEngine } from './test-engine.js'

const LISTED = 'https://two.example'
const FOREIGN = 'https://evil.example'
const ANNA = { authorization: `Basic ${Buffer.from('anna:secret').toString('base64')}` }
const YAML = `
version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 2s }
listeners: { web: { address: "127.0.0.1:0" } }
auth: { viewers: { type: basic, users: { anna: secret } } }
pipelines:
  one:
    inputs: { main: { type: file, path: main.ts, loop: true } }
    transforms: { gops: { type: gop, from: main } }
    outputs:
      hls: { type: hls, from: gops, listener: web, path: /live/index.m3u8, segment: 500ms, window: 10s, encryption: {},
             auth: viewers, cors: ["https://tv.example", "${LISTED}"] }
`

interface Row {
  readonly name: string
  readonly status: number
  readonly path: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

let live: TestEngine
/** The folder of the viewer's session. */
let folder = ''
let playlist = ''
const files = { iframes: '', segment: '', key: '', init: '' }

before(async () => {
  live = await TestEngine.create()
  await live.folder.write(
    'main.ts',
    buildTs({ durationS: 6, video: { gopFrames: 12, fps: 24, bitrate: 200_000 } }).bytes,
  )
  await live.start(YAML)
  const first = await ask({ name: '', status: 302, path: '/live/index.m3u8', headers: ANNA })
  folder = new URL(first.headers.get('location') ?? '', 'http://x/live/').pathname.replace(/[^/]+$/, '')
  const text = await until(async () => {
    const { body } = await ask({ name: '', status: 200, path: `${folder}index.m3u8` })
    return body.includes('I-FRAME') && body.toString()
  }, 'the multivariant playlist')
  playlist = `${folder}${/^[^#\n]+$/m.exec(text)?.[0]}`
  files.iframes = `${folder}${/I-FRAME.*URI="([^"]+)"/.exec(text)?.[1]}`
  const [media, iframes] = await Promise.all(
    [playlist, files.iframes].map(async (path) => (await ask({ name: '', status: 200, path })).body.toString()),
  )
  files.segment = `${folder}${/^[^#\n]+$/m.exec(media!)?.[0]}`
  files.key = `${folder}${/URI="([^"]+)"/.exec(media!)?.[1]}`
  files.init = `${folder}${/MAP:URI="([^"]+)"/.exec(iframes!)?.[1]}`
})
after(() => live[Symbol.asyncDispose]())

async function ask({ path, method = 'GET', headers = {} }: Row, origin?: string) {
  const all = { 'accept-encoding': 'identity', 'user-agent': 'player', ...headers, ...(origin && { origin }) }
  const response = await fetch(`http://${live.address('web')}${path}`, { method, headers: all, redirect: 'manual' })
  return { status: response.status, headers: response.headers, body: Buffer.from(await response.arrayBuffer()) }
}

/** Read when the tests run: paths are known only then. */
function rows(): readonly Row[] {
  const { iframes, segment, key, init } = files
  const path = '/live/index.m3u8'
  return [
    { name: 'the redirect to a session', status: 302, path, headers: ANNA },
    { name: 'the path without a password', status: 401, path },
    { name: 'the multivariant playlist', status: 200, path: `${folder}index.m3u8` },
    { name: 'a media playlist', status: 200, path: playlist },
    { name: 'an I-frame playlist', status: 200, path: iframes },
    { name: 'a segment', status: 200, path: segment },
    { name: 'a segment, HEAD', status: 200, path: segment, method: 'HEAD' },
    { name: 'a range', status: 206, path: segment, headers: { range: 'bytes=16-31' } },
    { name: 'a range beyond the end', status: 416, path: segment, headers: { range: 'bytes=99999999-' } },
    { name: 'a segment that has not changed', status: 304, path: segment, headers: { 'if-none-match': '*' } },
    { name: 'a playlist that has not changed', status: 304, path: iframes, headers: { 'if-none-match': '*' } },
    { name: 'a key', status: 200, path: key },
    { name: 'a key, HEAD', status: 200, path: key, method: 'HEAD' },
    { name: 'a key that is not there', status: 404, path: `${folder}${'0'.repeat(16)}.key` },
    { name: 'an initialisation section', status: 200, path: init },
    { name: 'a segment that is not there', status: 404, path: `${folder}none.ts` },
    { name: 'a playlist that is not there', status: 404, path: `${folder}none.m3u8` },
    { name: 'a key without a session', status: 401, path: key.replace(folder, '/live/') },
  ]
}

const corsOf = (headers: Headers) =>
  ['access-control-allow-origin', 'access-control-allow-credentials'].map((name) => headers.get(name))

describe('every kind of resource', () => {
  test('names the one origin that asks, if it is listed, and lets it send credentials', async () => {
    for (const row of rows()) {
      const { status, headers } = await ask(row, LISTED)
      assert.equal(status, row.status, row.name)
      assert.deepEqual(corsOf(headers), [LISTED, 'true'], row.name)
    }
  })

  test('is not for other origins, nor for all', async () => {
    for (const row of rows()) {
      for (const origin of [FOREIGN, 'null', undefined]) {
        const { headers } = await ask(row, origin)
        assert.deepEqual(corsOf(headers), [null, null], `${row.name}, ${origin}`)
      }
    }
  })

  test('tells caches that answers differ by origin, also those without one', async () => {
    for (const row of rows()) {
      for (const origin of [LISTED, FOREIGN, undefined]) {
        const { headers } = await ask(row, origin)
        assert.match(headers.get('vary') ?? '', /(^|[ ,])Origin($|,)/, `${row.name}, ${origin}`)
      }
    }
  })

  test('has a preflight that needs no credentials, and allows Range and Authorization', async () => {
    for (const row of rows()) {
      const asked = { 'access-control-request-method': 'GET', 'access-control-request-headers': 'range, authorization' }
      const { status, headers } = await ask({ ...row, method: 'OPTIONS', headers: asked }, LISTED)
      assert.equal(status, 204, row.name)
      assert.deepEqual(corsOf(headers), [LISTED, 'true'])
      assert.match(headers.get('access-control-allow-headers') ?? '', /range/i)
      assert.match(headers.get('access-control-allow-headers') ?? '', /authorization/i)
      assert.match(headers.get('access-control-allow-methods') ?? '', /GET/)
    }
  })

  test('has a length that is that of its body; HEAD has that of GET, without a body', async () => {
    for (const row of rows()) {
      const { status, headers, body } = await ask(row)
      if (row.method === 'HEAD') {
        const whole = await ask({ ...row, method: 'GET' })
        assert.deepEqual([headers.get('content-length'), body.length], [String(whole.body.length), 0], row.name)
      } else if (status !== 304) assert.equal(headers.get('content-length'), String(body.length), row.name)
      assert.equal(headers.get('transfer-encoding'), null, row.name)
    }
  })
})
