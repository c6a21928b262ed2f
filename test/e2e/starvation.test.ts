// What one input receives costs nobody else: viewers of other pipelines see no gap, and an upstream that stops sending
// packets is left for the next one.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { buildTs } from '@millrace/engine/testing'
import { HostileFeed } from '../hostile/hostile-feed.js'
import { SilenceWatch } from '../hostile/silence-watch.js'
import { httpRequest } from './kit/http-request.js'
import { startEngine } from './kit/start-engine.js'
import { until } from './kit/until.js'

const MOST_SILENT_MS = 500
/** Each made a viewer of another pipeline wait for seconds. */
const COSTLY = ['key frame in every packet', 'a new PMT of 200 tracks, over and over', 'clocks at random']
const FOR_MS = 1200
/** Other processes of the machine may hold the engine up once; a feed that starves others does so every time. */
const ATTEMPTS = 3

test('a viewer is never silent for long, whatever the input of another pipeline receives', async (t) => {
  await using feed = await HostileFeed.start()
  const yaml = yamlOf({ victim: 'type: file, path: a.ts, loop: true', hostile: `type: http, url: "${feed.url}"` })
  await using engine = await startEngine({ yaml, files: { 'a.ts': buildTs({ durationS: 4 }).bytes } })
  feed.send({ shape: undefined, mbitPerS: 20 })
  await engine.ready()
  using watch = await SilenceWatch.start(await engine.url('victim/ts'), `${engine.api}/healthz`)
  using _viewer = await SilenceWatch.start(await engine.url('hostile/ts'), `${engine.api}/healthz`)
  for (const shape of COSTLY) {
    feed.send({ shape, mbitPerS: 100 })
    const silentMs = await leastSilence(watch)
    t.diagnostic(`${shape}: ${silentMs.toFixed(0)} ms`)
    assert.ok(silentMs <= MOST_SILENT_MS, `${shape}: nothing for ${silentMs.toFixed(0)} ms`)
  }
  await engine.stop()
})

async function leastSilence(watch: SilenceWatch): Promise<number> {
  let least = Infinity
  for (let attempt = 0; attempt < ATTEMPTS && least > MOST_SILENT_MS; attempt++) {
    watch.take()
    await pause(FOR_MS)
    const { silentMs, isClosed } = watch.take()
    assert.equal(isClosed, false)
    least = Math.min(least, silentMs)
  }
  return least
}

for (const [shape, why] of [
  ['random bytes', 'no MPEG-TS packets found'],
  ['null packets', 'null packets alone'],
] as const) {
  test(`an upstream that sends ${shape} in mid-stream is left for the next one after readTimeout`, async () => {
    await using first = await HostileFeed.start()
    await using second = await HostileFeed.start()
    const urls = JSON.stringify([first.url, second.url])
    const yaml = yamlOf({ one: `type: http, urls: ${urls}, readTimeout: 1s` })
    await using engine = await startEngine({ yaml })
    first.send({ shape: undefined, mbitPerS: 4 })
    await engine.ready()
    first.send({ shape, mbitPerS: 4 })
    await until(() => second.hasReader, 'the next URL is asked')
    assert.equal((await httpRequest(`${engine.api}/readyz`)).status, 503)
    await engine.child.untilStderr(new RegExp(`HTTP_NO_PACKETS.*${why}|${why}.*HTTP_NO_PACKETS`))
    second.send({ shape: undefined, mbitPerS: 4 })
    await engine.ready()
    await engine.stop()
  })
}

function yamlOf(inputs: Readonly<Record<string, string>>): string {
  return [
    'version: 1',
    'engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 1s }',
    'listeners: { web: { address: "127.0.0.1:0" } }',
    'pipelines:',
    ...Object.entries(inputs).flatMap(([name, input]) => [
      `  ${name}:`,
      `    inputs: { main: { ${input} } }`,
      '    transforms: { check: { type: ts-validate, from: main }, gops: { type: gop, from: check } }',
      `    outputs: { ts: { type: http-ts, from: gops, listener: web, path: /${name}.ts } }`,
    ]),
    '',
  ].join('\n')
}
