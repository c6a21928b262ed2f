// What pages of other origins may read of an output `hls`, for each kind of answer.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ask, type Asked, below, grantOf, output, running } from './hls-guarded.js'
import type { TestEngine } from './test-engine.js'

describe('pages of other origins', () => {
  const origin = 'https://tv.example'
  const authorization = `Basic ${Buffer.from('anna:secret').toString('base64')}`
  let live: TestEngine
  before(async () => {
    live = await running({
      outputs: {
        named: output(
          'named',
          `, auth: people, cors: ["${origin}", "https://b.example"], encryption: { keyRotation: 4 }`,
        ),
        any: output('any', ', cors: "*"'),
      },
    })
  })
  after(() => live[Symbol.asyncDispose]())

  interface Row {
    readonly path: string
    readonly status: number
    readonly headers?: Readonly<Record<string, string>>
  }

  /** Each kind of answer, of each kind of resource. */
  async function rows(path: string, asked?: Asked): Promise<readonly Row[]> {
    const { list, segment } = await below(live, path, asked)
    const { headers } = await ask(live, segment)
    const tag = String(headers['etag'])
    const { text } = await ask(live, list)
    const key = /URI="([^"]+\.key)"/.exec(text)?.[1]
    return [
      { path, status: 200 },
      { path: list, status: 200 },
      { path: segment, status: 200 },
      { path: segment, status: 206, headers: { range: 'bytes=0-187' } },
      { path: segment, status: 416, headers: { range: 'bytes=99999999-' } },
      { path: segment, status: 304, headers: { 'if-none-match': tag } },
      { path: segment.replace(/\.ts$/, 'x.ts'), status: 404 },
      ...(key === undefined ? [] : [{ path: new URL(key, `http://x${list}`).pathname, status: 200 }]),
      { path: `${path.slice(0, path.lastIndexOf('/') + 1)}none.key`, status: 404 },
    ]
  }

  test('that are named may read every answer, with credentials; others may not', async () => {
    const path = await grantOf(live, '/named/index.m3u8', { headers: { authorization } })
    const more: readonly Row[] = [
      { path: '/named/index.m3u8', status: 302, headers: { authorization } },
      { path: '/named/index.m3u8', status: 401 },
      { path: '/named/main-x.m3u8', status: 401 },
      { path: '/named/~forged/index.m3u8', status: 401 },
    ]
    for (const { path: each, status, headers = {} } of [...(await rows(path)), ...more]) {
      for (const [from, allowed] of [
        [origin, origin],
        ['https://b.example', 'https://b.example'],
        ['https://evil.example', undefined],
        ['null', undefined],
      ] as const) {
        const answer = await ask(live, each, { headers: { ...headers, origin: from } })
        const shown = `${status} ${each} from ${from}`
        assert.equal(answer.status, status, shown)
        assert.equal(answer.headers['access-control-allow-origin'], allowed, shown)
        const withCredentials = allowed === undefined ? undefined : 'true'
        assert.equal(answer.headers['access-control-allow-credentials'], withCredentials, shown)
        assert.match(String(answer.headers['vary']), /\bOrigin\b/, shown)
      }
    }
  })

  test('of any origin may read every answer, without credentials', async () => {
    for (const { path, status, headers = {} } of await rows('/any/index.m3u8')) {
      const answer = await ask(live, path, { headers: { ...headers, origin } })
      const { 'access-control-allow-origin': allowed, 'access-control-allow-credentials': credentials } = answer.headers
      assert.deepEqual([answer.status, allowed, credentials], [status, '*', undefined], path)
    }
  })

  test('may send Range and Authorization, and cannot read the length of a list that is zipped', async () => {
    const path = await grantOf(live, '/named/index.m3u8', { headers: { authorization } })
    const { list, segment } = await below(live, path)
    for (const each of ['/named/index.m3u8', path, list, segment, '/named/none.ts']) {
      const asked = { origin, 'access-control-request-method': 'GET' }
      const { status, headers } = await ask(live, each, { method: 'OPTIONS', headers: asked })
      assert.deepEqual([status, headers['access-control-allow-origin']], [204, origin], each)
      assert.match(String(headers['access-control-allow-headers']), /Authorization, Range/)
      assert.match(String(headers['vary']), /\bOrigin\b/)
    }
    for (const [encoding, zipped] of [
      ['gzip', 'gzip'],
      ['identity;q=1, *;q=0', undefined],
      ['gzip;q=0.5, identity;q=0.9', undefined],
    ] as const) {
      const { headers } = await ask(live, list, { headers: { origin, 'accept-encoding': encoding } })
      assert.equal(headers['content-encoding'], zipped, encoding)
      assert.match(String(headers['vary']), /\bAccept-Encoding\b/)
      assert.doesNotMatch(String(headers['access-control-expose-headers']), /content-length/i)
    }
  })
})
