// A ladder that FFmpeg encodes, on the player page in the real Chromium: levels and languages are switched, and the encoder
// is killed meanwhile.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import process from 'node:process'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { type EngineProcess, startEngine } from '../e2e/kit/start-engine.js'
import { TempFolder } from '../e2e/kit/temp-folder.js'
import { until } from '../e2e/kit/until.js'
import { openBrowser } from './kit/browser.js'
import { makeClip } from './kit/clip.js'
import { LiveSource } from './kit/live-source.js'
import { listOf } from './kit/media-list.js'
import { PlayerPage } from './kit/player-page.js'
import { watchStarvation } from './kit/starvation-watch.js'

const DURATION_S = 120
const SEGMENT_S = 1
const HEIGHTS = ['54', '108'] as const
const YAML = `version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 2s }
listeners: { web: { address: "127.0.0.1:0" } }
pipelines:
  one:
    inputs: { main: { type: unix, path: main.sock } }
    transforms:
      enc: { type: transcode, from: main, renditions: { low: { height: 54, video: 60kb/s, audio: 32kb/s, preset: ultrafast }, native: {} } }
    outputs:
      hls: { type: hls, from: [enc.low, enc.native], listener: web, path: /one/index.m3u8, segment: ${SEGMENT_S}s, window: 30s, page: true }
`

let clips: TempFolder
let engine: EngineProcess
let browser: Browser
let source: LiveSource

before(async () => {
  clips = await TempFolder.make()
  const clip = join(clips.path, 'one.ts')
  await makeClip(clip, { durationS: DURATION_S, keyFrames: 1, languages: ['deu', 'eng'] })
  engine = await startEngine({ yaml: YAML })
  browser = await openBrowser()
  source = await LiveSource.start(clip, join(engine.folder.path, 'main.sock'))
})
after(async () => {
  await browser?.close()
  await source?.[Symbol.asyncDispose]()
  await engine?.[Symbol.asyncDispose]()
  await clips?.[Symbol.asyncDispose]()
})

test('a browser switches levels and languages without a stall, and plays on when the encoder is killed', async () => {
  const url = await engine.url('one/hls')
  const site = new URL('.', url).href
  // It joins a list of one segment or two.
  const early = await PlayerPage.open(browser, site)
  await early.playsOn(1)
  await early.page.close()
  // Who joins a young list has as little in its buffer as that list has; a player stays three target durations behind.
  await until(async () => {
    const { segments, target } = await listOf(url)
    return segments * SEGMENT_S > 3 * target
  }, 'as much is listed as players keep')
  const player = await PlayerPage.open(browser, site, { viewport: { width: 320, height: 240 } })
  await player.playsOn(2)
  const { page } = player
  await page.keyboard.press('s')
  const watch = await watchStarvation(page)
  const lateBefore = source.lateS
  const show = async (height: string): Promise<void> => {
    await page.evaluate((wanted) => {
      const select = document.querySelector<HTMLSelectElement>('#quality')!
      const option = [...select.options].find(({ text }) => text.startsWith(wanted))
      if (option === undefined) throw new Error(`no ${wanted} in ${[...select.options].map(({ text }) => text).join()}`)
      select.value = option.value
      select.dispatchEvent(new Event('change'))
    }, height)
    await player.until((wanted) => String(document.querySelector('video')!.videoHeight) === wanted, height)
    await player.playsOn(0.5)
  }
  for (const height of [...HEIGHTS, ...HEIGHTS]) await show(height)
  const languages = await page.locator('#audio option').allTextContents()
  assert.deepEqual(languages, ['German', 'English'])
  await page.locator('#audio').selectOption({ label: 'English' }, { force: true })
  await player.playsOn(1)
  const { starved, late } = await watch()
  const lostS = 2 * (late + source.lateS - lateBefore)
  assert.ok(starved <= 0.3 + lostS, `nothing to play for ${starved} s; timers were ${late} s late`)

  const pid = await encoder()
  process.kill(pid, 'SIGKILL')
  await until(async () => (await encoder()) !== pid, 'another encoder runs')
  await player.playsOn(5)
  await show(HEIGHTS[0])
  assert.deepEqual(player.faults, [])
})

async function encoder(): Promise<number> {
  const { pid } = (await engine.node('one/enc')).details as { readonly pid: number | null }
  return pid ?? 0
}
