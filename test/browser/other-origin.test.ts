// A page of another origin that sends credentials, in the real Chromium: it plays what is guarded and encrypted, over the
// redirect to its grant, if its origin is listed.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { startEngine } from '../e2e/kit/start-engine.js'
import { TempFolder } from '../e2e/kit/temp-folder.js'
import { openBrowser } from './kit/browser.js'
import { makeClip } from './kit/clip.js'
import { LiveSource } from './kit/live-source.js'
import { PlayerPage } from './kit/player-page.js'
import { openShaka } from './kit/shaka-page.js'
import { openSite } from './kit/site.js'

const TOKEN = 'sesame-open-the-door'

function yaml(origin: string): string {
  return `version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 2s }
listeners: { web: { address: "127.0.0.1:0" } }
auth: { viewers: { type: token, tokens: [${TOKEN}] } }
pipelines:
  one:
    inputs: { main: { type: unix, path: main.sock } }
    transforms: { gops: { type: gop, from: main } }
    outputs:
      hls: { type: hls, from: gops, listener: web, path: /one/index.m3u8, segment: 1s, window: 30s, auth: viewers, encryption: { keyRotation: 2 }, cors: "${origin}" }
`
}

test('a page of an origin that is listed plays an encrypted stream with credentials; others can read nothing', async () => {
  await using clips = await TempFolder.make()
  const clip = join(clips.path, 'one.ts')
  await makeClip(clip, { durationS: 60, keyFrames: 1 })
  await using site = await openSite('')
  await using other = await openSite('')
  await using engine = await startEngine({ yaml: yaml(new URL(site.url).origin) })
  await using browser = await openBrowser()
  await using _source = await LiveSource.start(clip, join(engine.folder.path, 'main.sock'))
  const url = `${await engine.url('one/hls')}?token=${TOKEN}`

  const player = await openShaka(browser, site.url, url, { withCredentials: true })
  await player.playsOn(2)
  const loaded = await player.page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name))
  for (const kind of ['.m3u8', '.ts', '.key']) {
    assert.ok(
      loaded.some((name) => name.includes('/~') && name.endsWith(kind)),
      `no ${kind} of the grant`,
    )
  }
  assert.deepEqual(player.faults, [])

  const { page } = await PlayerPage.open(browser, other.url)
  const answer = await page.evaluate(async (asked) => {
    try {
      return `it reads ${(await fetch(asked, { credentials: 'include' })).status}`
    } catch (error) {
      return String(error)
    }
  }, url)
  assert.equal(answer, 'TypeError: Failed to fetch')
})
