// The page without a browser: what its text says, and how it and its files are sent.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Exchange } from '../exchange.js'
import { lookOf, pageOption } from './page-options.js'
import { PAGE_FOLDER, type PageContent, PlayerPage } from './player-page.js'

const CONTENT: PageContent = {
  path: '/one/index.m3u8',
  hasLong: false,
  auth: ['viewers'],
  tracks: [{ media: 'video', codec: 'h264' }],
  siblings: [
    { kind: 'page', label: 'Watch', path: '/one/', auth: ['viewers'] },
    { kind: 'stream', label: 'HLS', path: '/one/index.m3u8', auth: ['viewers'] },
    { kind: 'stream', label: 'MPEG-TS', path: '/tv/one ü.ts', auth: [] },
    { kind: 'stream', label: 'same viewers', path: '/same.ts', auth: ['viewers', 'office'] },
    { kind: 'stream', label: 'others', path: '/others.ts', auth: ['office'] },
  ],
}

describe('the player page', () => {
  let folder: string
  let server: Server
  let origin: string
  let page: PlayerPage
  let isInGrantFolder = false
  let content = CONTENT

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-page-'))
    const logo = join(folder, 'logo.SVG')
    await writeFile(logo, '<svg xmlns="http://www.w3.org/2000/svg"/>')
    const given = { title: '</script><b>"One"', logo: { image: logo }, embed: ['https://tv.example'] }
    const look = lookOf(pageOption().parse(given)) ?? assert.fail('there is a page')
    page = await PlayerPage.open(look, 'one')
    server = createServer((request, response) => {
      const toFolder = isInGrantFolder ? '../' : ''
      const exchange = { request, response, toFolder } as unknown as Exchange
      const name = (request.url ?? '').slice('/one/'.length)
      if (name === '') page.send(exchange, content)
      else void page.sendFile(exchange, name.slice(PAGE_FOLDER.length))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(async () => {
    server.closeAllConnections()
    server.close()
    await rm(folder, { recursive: true })
  })

  const settings = async (): Promise<Record<string, unknown>> => {
    const text = await (await fetch(`${origin}/one/`)).text()
    const [, json = ''] = /<script id="settings" type="application\/json">\s*(.*?)\s*<\/script>/s.exec(text) ?? []
    return JSON.parse(json) as Record<string, unknown>
  }

  test('says what the channel is, and which other formats its viewers may open', async () => {
    const { title, playlist, links, tracks } = await settings()
    assert.deepEqual([title, playlist], ['</script><b>"One"', 'index.m3u8'])
    assert.deepEqual(tracks, CONTENT.tracks)
    assert.deepEqual(links, [
      { label: 'MPEG-TS', href: '../tv/one%20%C3%BC.ts' },
      { label: 'same viewers', href: '../same.ts' },
    ])
  })

  test('shows the picture of a snapshot output that its viewers may see, relative to its files', async () => {
    const none = await settings()
    const picture = { kind: 'picture', label: 'Picture', path: '/one/poster é.jpg' } as const
    const hidden = { ...picture, path: '/no.jpg', auth: ['office'] }
    content = { ...CONTENT, siblings: [hidden, { ...picture, auth: ['viewers'] }] }
    const shown = await settings()
    content = { ...CONTENT, siblings: [hidden] }
    const secret = await settings()
    isInGrantFolder = true
    content = {
      ...CONTENT,
      siblings: [
        { ...picture, auth: ['viewers'] },
        { ...picture, path: '/open.jpg', auth: [] },
      ],
    }
    const granted = await settings()
    isInGrantFolder = false
    content = CONTENT
    assert.deepEqual(
      [none, shown, secret, granted].map(({ poster }) => poster),
      [null, '../../poster%20%C3%A9.jpg', null, '../../../../open.jpg'],
    )
  })

  test('plays the long playlists where there are some, and leads other players to the path of the output', async () => {
    const short = await settings()
    content = { ...CONTENT, hasLong: true }
    const long = await settings()
    content = CONTENT
    assert.deepEqual([short['source'], short['playlist']], ['index.m3u8', 'index.m3u8'])
    assert.deepEqual([long['source'], long['playlist']], ['dvr.m3u8', 'index.m3u8'])
  })

  test('in the folder of a grant leads to what is open to everybody alone', async () => {
    isInGrantFolder = true
    const { links } = await settings()
    isInGrantFolder = false
    assert.deepEqual(links, [{ label: 'MPEG-TS', href: '../../tv/one%20%C3%BC.ts' }])
  })

  test('escapes its title, has nothing inline, and names who may embed it', async () => {
    const response = await fetch(`${origin}/one/`)
    const text = await response.text()
    assert.match(text, /<title>&#60;\/script&#62;&#60;b&#62;&#34;One&#34;<\/title>/)
    assert.doesNotMatch(text, /\{\{|<style|style="|\son\w+=|<script(?! (id="settings"|type="module" src))/)
    const policy = response.headers.get('content-security-policy') ?? ''
    assert.match(policy, /^default-src 'none'; script-src 'self'; /)
    assert.match(policy, /frame-ancestors 'self' https:\/\/tv\.example$/)
    assert.doesNotMatch(policy, /unsafe|data:|\*/)
    assert.equal(response.headers.get('referrer-policy'), 'no-referrer')
    assert.equal(response.headers.get('cache-control'), 'no-cache')
    const tag = response.headers.get('etag') ?? ''
    assert.equal((await fetch(`${origin}/one/`, { headers: { 'if-none-match': tag } })).status, 304)
    const head = await fetch(`${origin}/one/`, { method: 'HEAD' })
    assert.equal(head.headers.get('content-length') !== null && head.status, 200)
  })

  test('loads files that caches keep for ever, zipped, hls.js too; another name has none', async () => {
    const text = await (await fetch(`${origin}/one/`)).text()
    const names = [...text.matchAll(/(?:href|src)="(page\/[^"]+)"/g)].map(([, name = '']) => name)
    const [, hash = ''] = /page\/(\w+)\//.exec(names[0] ?? '') ?? []
    const all = new Set([...names, `page/${hash}/hls.js`, `page/${hash}/hls-worker.js`, `page/${hash}/logo.svg`])
    assert.ok(all.size >= 7)
    for (const name of all) {
      const response = await fetch(`${origin}/one/${name}`, { headers: { 'accept-encoding': 'gzip' } })
      assert.equal(response.status, 200, name)
      assert.equal(response.headers.get('cache-control'), 'public, max-age=31536000, immutable')
      assert.equal(response.headers.get('content-encoding'), 'gzip')
      assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
      await response.arrayBuffer()
      const tag = response.headers.get('etag') ?? ''
      const again = await fetch(`${origin}/one/${name}`, {
        headers: { 'accept-encoding': 'gzip', 'if-none-match': tag },
      })
      assert.equal(again.status, 304)
    }
    const logo = await fetch(`${origin}/one/page/${hash}/logo.svg`)
    assert.match(logo.headers.get('content-security-policy') ?? '', /sandbox/)
    for (const name of [`${hash}/`, `${hash}/player.html`, `${hash}/../player.css`, 'old/player.js', '']) {
      assert.equal((await fetch(`${origin}/one/page/${name}`)).status, 404, name)
    }
  })

  test('imports only modules that are served', async () => {
    const text = await (await fetch(`${origin}/one/`)).text()
    const [, first = ''] = /src="(page\/\w+\/player\.js)"/.exec(text) ?? []
    const seen = new Set<string>()
    const load = async (url: string): Promise<void> => {
      if (seen.has(url)) return
      seen.add(url)
      const response = await fetch(url)
      assert.equal(response.status, 200, url)
      const source = await response.text()
      if (url.endsWith('/hls.js')) return
      const imported = [...source.matchAll(/from '(\.\/[^']+)'/g)].map(([, name = '']) => new URL(name, url).href)
      await Promise.all(imported.map(load))
    }
    await load(`${origin}/one/${first}`)
    assert.ok(seen.size > 10)
  })

  test('is not opened with an image that cannot be read', async () => {
    const look = lookOf(pageOption().parse({ poster: join(folder, 'nothing.png') })) ?? assert.fail()
    await assert.rejects(PlayerPage.open(look, 'one'), { code: 'HLS_PAGE_IMAGE' })
  })
})

test('options of the page that are wrong are refused', () => {
  for (const given of [
    { color: 'red' },
    { embed: ['https://tv.example/path'] },
    { logo: {} },
    { poster: 'a.txt' },
    'yes',
  ]) {
    assert.equal(pageOption().safeParse(given).success, false, JSON.stringify(given))
  }
  assert.equal(lookOf(false), undefined)
})
