// What an engine that stops leaves of HLS: the next process goes on with playlists, and events are over.
import assert from 'node:assert/strict'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import { until } from '../e2e/kit/until.js'
import { ask } from './hls-requests.js'
import { TestEngine } from './test-engine.js'

/** GOPs of half a second. */
const CLIP = buildTs({ durationS: 6, video: { gopFrames: 12, fps: 24, bitrate: 300_000 } }).bytes

const YAML = `
version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 2s }
listeners: { web: { address: "127.0.0.1:0" } }
pipelines:
  one:
    inputs: { main: { type: file, path: main.ts, loop: true } }
    transforms: { gops: { type: gop, from: main } }
    outputs:
      live: { type: hls, from: gops, listener: web, path: /live/index.m3u8, segment: 500ms, store: { path: hls } }
      event: { type: hls, from: gops, listener: web, path: /event/index.m3u8, segment: 500ms, store: { path: hls }, playlistType: event }
`

function urisOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
}

async function textOf(live: TestEngine, path: string): Promise<string> {
  const { status, body } = await ask(live, path)
  return status === 200 ? body.toString() : ''
}

/** The path of the media playlist. */
async function mediaOf(live: TestEngine, name: string): Promise<string> {
  const [uri] = await until(async () => {
    const uris = urisOf(await textOf(live, `/${name}/index.m3u8`))
    return uris.length > 0 && uris
  }, `${name} has a playlist`)
  return `/${name}/${uri}`
}

test('an engine that stops ends events and no other playlist: after a restart players go on under the same URIs', async () => {
  await using live = await TestEngine.create()
  const file = await live.folder.write('main.ts', CLIP)
  const first = await live.start(YAML)
  const paths = [await mediaOf(live, 'live'), await mediaOf(live, 'event')]
  for (const path of paths) {
    await until(async () => urisOf(await textOf(live, path)).length >= 3, `${path} has segments`)
  }
  const before = await Promise.all(paths.map((path) => textOf(live, path)))
  await first.stop('SIGTERM')
  // Nothing new comes: what is listed is what the first process has left.
  await rename(file, join(live.folder.path, 'later.ts'))
  await live.start(YAML)
  const [going, over] = await Promise.all(
    paths.map((path) =>
      until(async () => {
        const text = await textOf(live, path)
        return text !== '' && text
      }, `${path} is there again`),
    ),
  )
  assert.doesNotMatch(going!, /ENDLIST/)
  assert.match(over!, /#EXT-X-PLAYLIST-TYPE:EVENT\n[^]*#EXT-X-ENDLIST\n$/)
  for (const [index, text] of [going!, over!].entries()) {
    const listed = urisOf(text)
    assert.ok(listed.length >= urisOf(before[index]!).length)
    for (const uri of urisOf(before[index]!)) {
      assert.ok(listed.includes(uri), uri)
      assert.equal((await ask(live, join(paths[index]!, '..', uri))).status, 200, uri)
    }
  }
  await rename(join(live.folder.path, 'later.ts'), file)
  await until(async () => {
    const text = await textOf(live, paths[0]!)
    return urisOf(text).length > urisOf(going!).length && text.includes('#EXT-X-DISCONTINUITY\n')
  }, 'it goes on, behind a discontinuity')
})
