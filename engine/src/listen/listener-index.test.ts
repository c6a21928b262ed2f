import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { indexOf } from './listener-index.js'
import { listedBeside, type ListedRoute } from './route-listing.js'

const STREAM = { kind: 'stream', auth: [] } as const

describe('the index of a listener', () => {
  let routes: ListedRoute[] = []
  let server: Server
  let origin: string
  before(async () => {
    const respond = indexOf(
      () => routes,
      (name) => (name === 'one' ? 'news & <weather>' : undefined),
    )
    server = createServer(respond)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  const hrefs = async (): Promise<readonly string[]> => {
    const text = await (await fetch(`${origin}/`)).text()
    const nav = [...text.matchAll(/<nav.*?<\/nav>/g)].join('')
    return [...nav.matchAll(/href="([^"]*)"/g)].map(([, href = '']) => href)
  }

  test('is not there while there is nothing to show, and on no other path', async () => {
    routes = []
    assert.equal((await fetch(`${origin}/`)).status, 404)
    routes = [{ ...STREAM, label: 'HLS', node: 'one/hls', path: '/one/index.m3u8' }]
    assert.equal((await fetch(`${origin}/other`)).status, 404)
    assert.equal((await fetch(`${origin}/?page=2`)).status, 200)
    assert.equal((await fetch(`${origin}/`, { method: 'POST' })).status, 405)
  })

  test('leads from a folder without its slash to its page, query included', async () => {
    routes = [{ ...STREAM, kind: 'page', label: 'Watch', node: 'one/hls', path: '/tv/a b/' }]
    const response = await fetch(`${origin}/tv/a%20b?token=x`, { redirect: 'manual' })
    const location = response.headers.get('location') ?? ''
    assert.deepEqual([response.status, new URL(location, response.url).pathname], [308, '/tv/a%20b/'])
    assert.equal(new URL(location, response.url).search, '?token=x')
    for (const path of ['/tv', '/tv/a%20b/c', '//tv/a%20b']) {
      assert.equal((await fetch(origin + path, { redirect: 'manual' })).status, 404, path)
    }
  })

  test('shows pages first, in an order that reloads do not change', async () => {
    const all: ListedRoute[] = [
      { ...STREAM, label: 'MPEG-TS', node: 'two/ts', path: '/two.ts' },
      { ...STREAM, label: 'MPEG-TS', node: 'one/ts', path: '/one.ts' },
      { ...STREAM, label: 'HLS', node: 'one/hls', path: '/one/index.m3u8' },
      { ...STREAM, kind: 'page', label: 'Watch', node: 'one/hls', path: '/one/' },
    ]
    routes = all
    const shown = await hrefs()
    assert.deepEqual(shown, ['./one/', './one/index.m3u8', './one.ts', './two.ts'])
    routes = all.toReversed()
    assert.deepEqual(await hrefs(), shown)
  })

  test('shows nothing that needs a provider, and no copy of a pattern pipeline', async () => {
    routes = [
      { ...STREAM, label: 'open', node: 'one/a', path: '/a' },
      { ...STREAM, label: 'guarded', node: 'one/b', path: '/b', auth: ['viewers'] },
      { ...STREAM, label: 'copy', node: 'one@secret-key/c', path: '/c' },
    ]
    assert.deepEqual(await hrefs(), ['./a'])
  })

  test('escapes what comes from the configuration', async () => {
    routes = [{ ...STREAM, label: '<b>', node: 'one/a', path: '/a"b?c#d ü' }]
    const text = await (await fetch(`${origin}/`)).text()
    assert.doesNotMatch(text, /<b>|<weather>/)
    assert.match(text, /news &#38; &#60;weather&#62;/)
    assert.deepEqual(await hrefs(), ['./a%22b%3Fc%23d%20%C3%BC'])
  })

  test('has a policy without scripts, and is not sent again to who has it', async () => {
    const response = await fetch(`${origin}/`)
    assert.match(response.headers.get('content-security-policy') ?? '', /^default-src 'none'; style-src 'sha256-/)
    const tag = response.headers.get('etag') ?? ''
    assert.equal((await fetch(`${origin}/`, { headers: { 'if-none-match': tag } })).status, 304)
    const head = await fetch(`${origin}/`, { method: 'HEAD' })
    assert.equal(head.headers.get('content-length'), response.headers.get('content-length'))
    assert.equal(await head.text(), '')
  })
})

test('a node learns what its own pipeline serves, and nothing of others', () => {
  const routes: ListedRoute[] = [
    { ...STREAM, label: 'mine', node: 'one/a', path: '/a' },
    { ...STREAM, label: 'of a pipeline whose name begins alike', node: 'one-more/a', path: '/b' },
    { ...STREAM, label: 'of a copy', node: 'one@key/a', path: '/c' },
  ]
  assert.deepEqual(
    listedBeside('one/hls', routes).map(({ path }) => path),
    ['/a'],
  )
})
