// The player page in the real Chromium: it plays, can be used without a mouse, and goes on after whatever happens to the
// engine and its source.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { httpRequest } from '../e2e/kit/http-request.js'
import { Lateness } from '../e2e/kit/lateness.js'
import { EngineProcess, runCommandLine, startEngine } from '../e2e/kit/start-engine.js'
import { TempFolder } from '../e2e/kit/temp-folder.js'
import { until } from '../e2e/kit/until.js'
import { openBrowser } from './kit/browser.js'
import { makeClip } from './kit/clip.js'
import { LiveSource } from './kit/live-source.js'
import { checkAccessibility } from './kit/accessibility.js'
import { PlayerPage } from './kit/player-page.js'
import { hasPreview, hover, isPreviewed, watchPreview } from './kit/preview-watch.js'
import { openShaka } from './kit/shaka-page.js'
import { openSite } from './kit/site.js'
import { VlcReader } from './kit/vlc-reader.js'

const DURATION_S = 180
const GUARDED_WINDOW_S = 3
/** Whoever goes back that far is seen to be behind. */
const SEEN_PAST_S = 10
const TOKEN = 'sesame-open-the-door'
/** Segments of a second: VLC stays 15 s behind, and there is a list between the one of the test and its own. */
const NEAR_EDGE = 20

interface Parts {
  readonly port?: number
  readonly page?: string
  readonly more?: string
}

function yaml({ port = 0, page = 'true', more = '' }: Parts = {}): string {
  return `version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 2s }
listeners: { web: { address: "127.0.0.1:${port}" } }
auth: { viewers: { type: token, tokens: [${TOKEN}] } }
pipelines:
  one:
    description: the first <channel>
    inputs: { main: { type: unix, path: main.sock } }
    transforms: { gops: { type: gop, from: main } }
    outputs:
      hls: { type: hls, from: gops, listener: web, path: /one/index.m3u8, segment: 1s, window: 30s, page: ${page} }
      guarded: { type: hls, from: gops, listener: web, path: /two/index.m3u8, segment: 1s, targetDuration: 1s, window: ${GUARDED_WINDOW_S}s, dvr: 5m, auth: viewers, page: true }
      ts: { type: http-ts, from: gops, listener: web, path: /one.ts }
${more}  radio:
    inputs: { main: { type: unix, path: radio.sock } }
    outputs: { hls: { type: hls, from: main, listener: web, path: /radio/index.m3u8, segment: 1s, page: true } }
`
}

describe('the player page', () => {
  let clips: TempFolder
  let engine: EngineProcess
  let browser: Browser
  let source: LiveSource
  let radio: LiveSource
  let origin: string

  before(async () => {
    clips = await TempFolder.make()
    const [clip, sound] = [join(clips.path, 'one.ts'), join(clips.path, 'radio.ts')]
    const options = { durationS: DURATION_S, keyFrames: 1 }
    await Promise.all([makeClip(clip, options), makeClip(sound, { ...options, hasVideo: false })])
    engine = await startEngine({ yaml: yaml() })
    browser = await openBrowser()
    const { folder } = engine
    source = await LiveSource.start(clip, join(folder.path, 'main.sock'))
    radio = await LiveSource.start(sound, join(folder.path, 'radio.sock'))
    origin = new URL(await engine.url('one/ts')).origin
  })
  after(async () => {
    await browser?.close()
    await source?.[Symbol.asyncDispose]()
    await radio?.[Symbol.asyncDispose]()
    await engine?.[Symbol.asyncDispose]()
    await clips?.[Symbol.asyncDispose]()
  })

  test('plays with hls.js beside a plain video element, without an error or a refusal of its policy', async () => {
    const player = await PlayerPage.open(browser, `${origin}/one/`)
    await player.playsOn(3)
    const native = await browser.newPage()
    await native.goto(`${origin}/nothing`)
    await native.evaluate((src) => {
      const video = document.createElement('video')
      Object.assign(video, { src, muted: true })
      document.body.append(video)
      video.play().catch(() => undefined)
    }, `${origin}/one/index.m3u8`)
    await native.waitForFunction(() => document.querySelector('video')!.currentTime > 1, undefined, { timeout: 60_000 })
    assert.equal(await player.page.evaluate(() => document.documentElement.dataset['engine']), 'hls.js')
    await player.untilBadge('Live')
    const readings = await player.page.locator('.readings dd').allTextContents()
    assert.match(readings.join(' | '), /^[\d.]+ s \| [\d.]+ s \| 192 × 108 \| \d+ kb\/s$/)
    assert.deepEqual(await player.page.locator('#links a').allTextContents(), ['HLS', 'MPEG-TS', 'Open in VLC'])
    assert.equal(await player.page.locator('#links a').nth(1).getAttribute('href'), `${origin}/one.ts`)
    assert.deepEqual(player.faults, [])
    await until(
      async () => /"bufferMs"|"buffer/i.test((await httpRequest(`${engine.api}/api/v1/clients`)).text),
      'the engine knows how much the player has buffered',
    )
    await native.close()
    await player.page.close()
  })

  test('is used without a mouse: every control has a name, a visible focus and enough contrast', async () => {
    for (const options of [
      { colorScheme: 'dark', viewport: { width: 1280, height: 800 } },
      { colorScheme: 'light', viewport: { width: 390, height: 844 } },
    ] as const) {
      const player = await PlayerPage.open(browser, `${origin}/one/`, options)
      await player.playsOn(0.5)
      assert.deepEqual(await checkAccessibility(player.page), [])
      await player.page.close()
    }
    const player = await PlayerPage.open(browser, `${origin}/one/`)
    await player.playsOn(0.5)
    const { keyboard } = player.page
    await keyboard.press('k')
    await player.until(() => document.querySelector('video')!.paused, undefined)
    await player.untilBadge('Paused')
    await keyboard.press('k')
    await player.playsOn(0.5)
    await keyboard.press('m')
    const isMuted = await player.page.evaluate(() => document.querySelector('video')!.muted)
    await keyboard.press('m')
    assert.equal(await player.page.evaluate(() => document.querySelector('video')!.muted), !isMuted)
    await player.until(hasPast, SEEN_PAST_S)
    await keyboard.press('Home')
    await player.untilBadge('Behind live')
    await player.playsOn(0.5)
    await keyboard.press('End')
    await player.untilBadge('Live')
    assert.deepEqual(player.faults, [])
    await player.page.close()
  })

  test('scrubs: a click on the line plays from there, the button leads back to live', async () => {
    const player = await PlayerPage.open(browser, `${origin}/one/`)
    await player.playsOn(1)
    await player.until(hasPast, SEEN_PAST_S)
    const box = (await player.page.locator('#seek').boundingBox())!
    await hover(player.page, 0.2, hasPreview)
    assert.match((await player.page.locator('#preview-time').textContent()) ?? '', /^−0:\d\d · /)
    const before = (await player.state()).time
    await player.page.mouse.click(box.x + box.width * 0.2, box.y + box.height / 2)
    await player.untilBadge('Behind live')
    assert.ok((await player.state()).time < before)
    await player.playsOn(0.5)
    await watchPreview(player.page)
    // Forwards and back, each further than a picture may be off.
    for (const share of [0.9, 0.2, 0.6]) await hover(player.page, share, isPreviewed)
    await player.page.locator('#live').click()
    await player.untilBadge('Live')
    await player.playsOn(0.5)
    assert.deepEqual(player.faults, [])
    await player.page.close()
  })

  test('of radio shows a still, and no spinner', async () => {
    const player = await PlayerPage.open(browser, `${origin}/radio/`)
    // A jump to the live edge is not playing.
    await player.playsOn(0.5)
    await player.untilBadge('Live')
    assert.equal(await player.page.locator('#still').isVisible(), true)
    assert.equal(await player.page.locator('#notice').isVisible(), false)
    await player.page.close()
  })

  test('of a guarded channel opens with the token of its address, begins live, and goes back as far as `dvr`', async () => {
    const without = await httpRequest(`${origin}/two/`)
    assert.equal(without.status, 403)
    const player = await PlayerPage.open(browser, `${origin}/two/?token=${TOKEN}`)
    await player.playsOn(1)
    await player.untilBadge('Live')
    await player.until(hasPast, 2 * GUARDED_WINDOW_S)
    assert.deepEqual(player.faults, [])
    await player.page.close()
  })

  test('is shown in a frame of the sites that may embed it, and of no others', async () => {
    await using site = await openSite(`<iframe id="frame" src="${origin}/one/" width="640" height="360"></iframe>`)
    const refused = await browser.newPage()
    await refused.goto(site.url)
    assert.equal(await hasPlayer(refused), false)
    await engine.folder.write(
      'pipeline.yaml',
      yaml({ page: `{ embed: ["${site.url.slice(0, -1)}"] }`, port: portOf(origin) }),
    )
    await until(async () => {
      const { headers } = await httpRequest(`${origin}/one/`)
      return String(headers['content-security-policy']).includes(site.url.slice(0, -1))
    }, 'the page may be embedded')
    const page = await browser.newPage()
    await page.goto(site.url)
    assert.equal(await hasPlayer(page), true)
    await page.close()
    await refused.close()
  })

  test('goes on when the source reconnects, and when reloads change another node and this one', async () => {
    const player = await PlayerPage.open(browser, `${origin}/one/`)
    await player.playsOn(1)
    source.disconnect()
    await source.connect()
    await player.playsOn(4)
    const port = portOf(origin)
    const more = `      other: { type: http-ts, from: gops, listener: web, path: /other.ts }\n`
    await engine.folder.write('pipeline.yaml', yaml({ port, more }))
    await until(async () => (await engine.node('one/other')).state === 'ready', 'the new node runs')
    await engine.folder.write('pipeline.yaml', yaml({ port, more, page: '{ title: Channel One }' }))
    await until(
      async () => (await httpRequest(`${origin}/one/`)).text.includes('Channel One'),
      'the page has a new title',
    )
    await player.playsOn(2)
    assert.equal((await player.state()).notice, '')
    assert.deepEqual(player.faults, [])
    await player.page.close()
  })

  test('beside it, VLC begins the long playlist near its end', async () => {
    const url = `${origin}/two/dvr.m3u8?token=${TOKEN}`
    const listed = await until(async () => {
      const names = segmentsOf(await mediaOf(url)).map(({ name }) => name)
      return names.length > NEAR_EDGE + 8 && names
    }, 'the list is long')
    await using vlc = new VlcReader(url, engine.folder.path)
    const at = listed.indexOf(await vlc.firstSegment())
    // -1: it has come since.
    assert.ok(at < 0 || at > listed.length - NEAR_EDGE, `it begins with number ${at + 1} of ${listed.length}`)
    await vlc.plays()
  })

  test('beside it, shaka begins in a list with gaps, and in one that they have just left: they are never first', async () => {
    const url = `${origin}/two/index.m3u8?token=${TOKEN}`
    const listed = async (): Promise<readonly Listed[]> => {
      const segments = segmentsOf(await mediaOf(url))
      assert.equal(segments[0]?.isGap, false)
      return segments
    }
    const gaps = async (): Promise<number> => (await listed()).filter(({ isGap }) => isGap).length
    source.disconnect()
    await until(async () => (await gaps()) >= 2, 'there are gaps')
    await source.connect()
    await until(async () => (await listed()).at(-1)?.isGap === false, 'the source is back')
    const across = await openShaka(browser, `${origin}/nothing`, url)
    await until(async () => (await gaps()) === 0, 'the gaps have left the list')
    const behind = await openShaka(browser, `${origin}/nothing`, url)
    await Promise.all([across.playsOn(1), behind.playsOn(1)])
    await Promise.all([across.page.close(), behind.page.close()])
  })

  test('goes on within three target durations after the engine was killed and started again', async () => {
    const port = portOf(origin)
    await engine.folder.write('pipeline.yaml', yaml({ port }))
    const player = await PlayerPage.open(browser, `${origin}/one/`)
    await player.playsOn(1)
    await player.page.evaluate(() => (document.body.dataset['kept'] = 'yes'))
    source.disconnect()
    engine.child.signal('SIGKILL')
    await engine.child.exited
    await player.untilBadge('Interrupted')
    const child = runCommandLine(['run', 'pipeline.yaml'], engine.folder.path)
    const [, api = ''] = await child.untilStderr(/"(http:[^"]+)\/api\/v1\/status"/)
    engine = new EngineProcess(engine.folder, child, api)
    await source.connect()
    // The first segment is complete: from here on the player has three target durations.
    const target = await until(async () => {
      const { text } = await httpRequest(`${origin}/one/index.m3u8`)
      const uri = text.split('\n').find((line) => line.endsWith('.m3u8'))
      const media = await httpRequest(new URL(uri ?? '', `${origin}/one/`).href)
      return Number(/TARGETDURATION:(\d+)/.exec(media.text)?.[1]) || undefined
    }, 'the playlist is back')
    using lateness = new Lateness()
    const fromMs = performance.now()
    await player.playsOn(0.5)
    const tookS = (performance.now() - fromMs) / 1000
    const [mostS, lateS] = [3 * target + 5, lateness.ms(fromMs) / 1000]
    // The engine has just started, and more follows that takes the processor.
    const isInTime = tookS < mostS + Math.min(2 * lateS, mostS)
    assert.ok(isInTime, `the player took ${tookS} s at a target duration of ${target} s; timers were ${lateS} s late`)
    await player.untilBadge('Live')
    assert.equal(await player.page.evaluate(() => document.body.dataset['kept']), 'yes')
    await player.page.close()
  })
})

test('the index names what everybody may open, and nothing else', async () => {
  await using engine = await startEngine({ yaml: yaml() })
  const origin = new URL(await engine.url('one/ts')).origin
  await using browser = await openBrowser()
  const page = await browser.newPage({ viewport: { width: 390, height: 844 } })
  await page.goto(`${origin}/`)
  const links = await page.locator('nav a').evaluateAll((all) => all.map((link) => link.getAttribute('href')))
  assert.deepEqual(links, ['./one/', './one/index.m3u8', './one.ts', './radio/', './radio/index.m3u8'])
  assert.match((await page.locator('main').textContent()) ?? '', /the first <channel>/)
  assert.deepEqual(await checkAccessibility(page), [])
  const { headers } = await httpRequest(`${origin}/`)
  const again = await fetch(`${origin}/`, { headers: { 'if-none-match': String(headers['etag']) } })
  assert.equal(again.status, 304)
  const head = await fetch(`${origin}/`, { method: 'HEAD' })
  assert.deepEqual([head.status, head.headers.get('content-length')], [200, headers['content-length']])
})

/** The first media playlist of a multivariant one. */
async function mediaOf(url: string): Promise<string> {
  const response = await fetch(url)
  const uri = (await response.text()).split('\n').find((line) => line.endsWith('.m3u8')) ?? ''
  return (await fetch(new URL(uri, response.url))).text()
}

interface Listed {
  readonly name: string
  readonly isGap: boolean
}

function segmentsOf(media: string): readonly Listed[] {
  const found = [...media.matchAll(/(#EXT-X-GAP\n)?#EXTINF:[^\n]+\n(?:#[^\n]+\n)*([^#\n]+)\n/g)]
  return found.map(([, gap, name = '']) => ({ name, isGap: gap !== undefined }))
}

/** Runs in the page: viewers can go back that far. */
function hasPast(seconds: number): boolean {
  return Number(document.querySelector<HTMLInputElement>('#seek')!.max) > seconds
}

function portOf(origin: string): number {
  return Number(new URL(origin).port)
}

/** A web site on another origin. */
/** Whether the frame shows the player. */
async function hasPlayer(page: Page): Promise<boolean> {
  const frame = await (await page.waitForSelector('#frame')).contentFrame()
  await frame?.waitForLoadState('load')
  return (await frame?.locator('#player').count()) === 1
}
