// Real readers of HLS: the checker (`engine probe`), hls-parser in strict mode, ffmpeg and hls.js in Chromium, all at
// once, and GStreamer (hlsdemux2). The GOPs are of all lengths, constant and not; sources reconnect, nodes are replaced,
// the 33-bit clock wraps, and the engine is killed. READERS_SECONDS sets how long they read before it is: 600 by hand.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import process from 'node:process'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import HLS from 'hls-parser'
import type { Browser } from 'playwright-core'
import type { Child } from '../e2e/kit/child.js'
import { httpRequest } from '../e2e/kit/http-request.js'
import { EngineProcess, runCommandLine, startEngine } from '../e2e/kit/start-engine.js'
import { TempFolder } from '../e2e/kit/temp-folder.js'
import { scrape } from '../e2e/kit/metrics-page.js'
import { until } from '../e2e/kit/until.js'
import { type FfmpegReport, readWithFfmpeg } from '../oracle/ffmpeg-reader.js'
import { openBrowser } from './kit/browser.js'
import { type ClipOptions, makeClip } from './kit/clip.js'
import { GstreamerReader } from './kit/gstreamer-reader.js'
import { LiveSource } from './kit/live-source.js'
import { listOf } from './kit/media-list.js'
import { PlayerPage } from './kit/player-page.js'
import { type Watched, watchStarvation } from './kit/starvation-watch.js'

const READ_S = Number(process.env['READERS_SECONDS'] ?? 20)
/** For starts, restarts, and a machine that does other things too. */
const MARGIN_S = 130
const WRAP_S = 2 ** 33 / 90_000
/** Players ask again after pauses of up to 8 s, and the machine is busy with all of them. */
const RESUME_S = 15

const STREAMS: readonly (readonly [name: string, options: Omit<ClipOptions, 'durationS'>])[] = [
  ['short', { keyFrames: 0.7 }],
  ['even', { keyFrames: 2 }],
  ['uneven', { keyFrames: unevenTimes(READ_S + MARGIN_S) }],
  ['wrapping', { keyFrames: 3.3, offsetS: WRAP_S - 30, bFrames: 3 }],
  ['long', { keyFrames: 6 }],
]
const LONG = 'long'
/** Of streams that end; and what a clip has in a second. */
const ENDED_S = 20
const FPS = 25
/** Five of them are drawn by the processor. */
const SMALL = { width: 320, height: 240 }

function yaml({ port = 0, title = 'one', hasTs = false } = {}): string {
  const pipelines = STREAMS.map(
    ([name]) => `  ${name}:
    inputs: { main: { type: unix, path: ${name}.sock } }
    transforms: { gops: { type: gop, from: main, maxDuration: 20s } }
    outputs:
      hls: { type: hls, from: gops, listener: web, path: /${name}/index.m3u8, page: { title: ${title} } }
${hasTs ? `      ts: { type: http-ts, from: gops, listener: web, path: /${name}.ts }\n` : ''}`,
  )
  return `version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 2s }
listeners: { web: { address: "127.0.0.1:${port}" } }
services: { metrics: { type: prometheus, listener: api, path: /metrics } }
pipelines:
${pipelines.join('')}`
}

/** One channel, and who reads it. */
interface Channel {
  readonly name: string
  readonly url: string
  readonly source: LiveSource
}

// Each child listens for the end of this process.
process.setMaxListeners(50)

describe('real readers of HLS', () => {
  let clips: TempFolder
  let engine: EngineProcess
  let browser: Browser
  let channels: readonly Channel[]
  let port: number

  before(async () => {
    clips = await TempFolder.make()
    const durationS = READ_S + MARGIN_S
    await Promise.all(STREAMS.map(([name, options]) => makeClip(join(clips.path, name), { ...options, durationS })))
    engine = await startEngine({ yaml: yaml() })
    const origin = new URL((await engine.url(`${LONG}/hls`)) ?? '').origin
    port = Number(new URL(origin).port)
    channels = await Promise.all(
      STREAMS.map(async ([name]) => ({
        name,
        url: `${origin}/${name}/index.m3u8`,
        source: await LiveSource.start(join(clips.path, name), join(engine.folder.path, `${name}.sock`)),
      })),
    )
    browser = await openBrowser()
    // Whoever joins a list of one segment waits for the next one.
    await Promise.all(
      channels.map(({ url }) => until(async () => (await listOf(url)).segments >= 2, `${url} has segments`)),
    )
  })
  after(async () => {
    await browser?.close()
    for (const { source } of channels ?? []) await source[Symbol.asyncDispose]()
    await engine?.[Symbol.asyncDispose]()
    await clips?.[Symbol.asyncDispose]()
  })

  test('read on over reconnects, reloads and a wrap of the clock; after a kill players go on', async () => {
    const pages = await Promise.all(
      channels.map(({ url }) => PlayerPage.open(browser, new URL('.', url).href, { viewport: SMALL })),
    )
    for (const page of pages) await page.playsOn(0.1)
    const leave = new AbortController()
    const probes = channels.map(({ url }) => probe(url, READ_S))
    const reading = new Set<string>()
    const ffmpegs = channels.map(({ url }) =>
      readWithFfmpeg(url, { signal: leave.signal, onProgress: () => reading.add(url) }),
    )
    // Ten processes start, which takes the processor from the players.
    await until(() => reading.size === channels.length, 'all ffmpegs read')
    const watches = await Promise.all(pages.map(({ page }) => watchStarvation(page)))
    const startedMs = performance.now()
    const lateBefore = channels.map(({ source }) => source.lateS)
    // With another node beside each output, and then with another look of the page, which replaces the output.
    await reload({ hasTs: true })
    await reload({ title: 'two' })
    await readUntil(startedMs + READ_S * 500)
    for (const { source } of channels) source.disconnect()
    for (const { source } of channels) await source.connect()
    await readUntil(startedMs + READ_S * 1000)
    const readS = (performance.now() - startedMs) / 1000
    leave.abort()
    const [watched, reports] = [await Promise.all(watches.map((watch) => watch())), await Promise.all(ffmpegs)]
    for (const [index, { name }] of channels.entries()) {
      checkFfmpeg(name, reports[index]!, readS)
      checkPlayer(name, watched[index]!, readS, channels[index]!.source.lateS - lateBefore[index]!)
      assert.deepEqual(pages[index]!.faults, [], name)
    }
    const page = await scrape(engine.api)
    const [lost, drops] = ['millrace_hls_lost_total', 'millrace_drops_total'].map((name) =>
      page.samples.filter((sample) => sample.name === name && sample.value > 0),
    )
    const { reload: reloads } = await engine.status()
    const known = (): string => `${JSON.stringify({ lost, drops, reloads })}\n${engine.child.stderr.slice(-6000)}`
    await Promise.all(probes.map((each) => checkProbe(each, known)))

    await killAndRestart()
    await Promise.all(
      pages.map(async (page, index) => {
        const { name, url } = channels[index]!
        const { target } = await until(async () => {
          const list = await listOf(url)
          return list.segments > 0 && list
        }, `${name} is back`)
        const fromMs = performance.now()
        await page.playsOn(0.5)
        const tookS = (performance.now() - fromMs) / 1000
        const mostS = 3 * target + RESUME_S
        assert.ok(tookS < mostS, `${name} took ${tookS} s at a target duration of ${target} s`)
      }),
    )
    await Promise.all(channels.filter(({ name }) => name !== LONG).map(({ url }) => checkProbe(probe(url, 3))))
  })

  /** Meanwhile hls-parser reads each version. */
  async function readUntil(endMs: number): Promise<void> {
    while (performance.now() < endMs) {
      for (const { url } of channels) await parseStrictly(url)
      await pause(500)
    }
  }

  async function reload(change: { readonly title?: string; readonly hasTs?: boolean }): Promise<void> {
    const before = (await engine.status()).reload?.last?.id
    await engine.folder.write('pipeline.yaml', yaml({ port, ...change }))
    await until(
      async () => {
        const { last, inSync } = (await engine.status()).reload ?? {}
        return inSync === true && last?.result === 'applied' && last.id !== before
      },
      () => `the reload is done\n${engine.child.stderr}`,
    )
  }

  async function killAndRestart(): Promise<void> {
    for (const { source } of channels) source.disconnect()
    engine.child.signal('SIGKILL')
    await engine.child.exited
    const child = runCommandLine(['run', 'pipeline.yaml'], engine.folder.path)
    const [, api = ''] = await child.untilStderr(/"(http:[^"]+)\/api\/v1\/status"/)
    engine = new EngineProcess(engine.folder, child, api)
    for (const { source } of channels) await source.connect()
  }

  function probe(url: string, forS: number): Child {
    return runCommandLine(['probe', url, '--json', '--for', `${forS}s`], clips.path)
  }
})

// Live ones it reads on too, also at their edge and over a discontinuity, but at the 404 of a gap its version 1.22 aborts:
// gst_adaptive_demux2_stream_on_manifest_update asserts that no retry of the download is pending (`pending_cb_id == 0`).
test('GStreamer reads all segments of playlists that have ended, without an error', async () => {
  await using clips = await TempFolder.make()
  const pipelines = STREAMS.map(
    ([name]) => `  ${name}:
    inputs: { main: { type: unix, path: ${name}.sock } }
    transforms: { gops: { type: gop, from: main, maxDuration: 20s } }
    outputs: { hls: { type: hls, from: gops, listener: web, path: /${name}/index.m3u8, offline: { gap: 1s, endAfter: 2s } } }
`,
  )
  await using engine = await startEngine({
    yaml: `version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 2s }
listeners: { web: { address: "127.0.0.1:0" } }
pipelines:
${pipelines.join('')}`,
  })
  const origin = new URL(await engine.url(`${LONG}/hls`)).origin
  const reads = STREAMS.map(async ([name, options]) => {
    const clip = join(clips.path, name)
    await makeClip(clip, { ...options, durationS: ENDED_S })
    await sendAll(clip, join(engine.folder.path, `${name}.sock`))
    // The multivariant playlist ends with the stream.
    const { url } = await listOf(`${origin}/${name}/index.m3u8`)
    await until(async () => (await httpRequest(url)).text.includes('#EXT-X-ENDLIST'), `${name} ends`)
    await using reader = new GstreamerReader(url, clips.path)
    const { code, pictures, errors } = await reader.ended()
    assert.deepEqual([code, errors], [0, []], name)
    // Its parser and decoder may keep some at the end. No segment but the last is as short as a second.
    assert.ok(pictures > (ENDED_S - 1) * FPS, `${name}: ${pictures} pictures`)
  })
  await Promise.all(reads)
})

/** At once: how fast a stream comes does not matter. */
async function sendAll(clip: string, socketPath: string): Promise<void> {
  const bytes = await readFile(clip)
  const socket = await until(async () => {
    const opened = connect(socketPath).on('error', () => undefined)
    await Promise.race([once(opened, 'connect'), once(opened, 'close').then(() => Promise.reject(new Error('gone')))])
    return opened
  }, `${socketPath} is there`)
  socket.end(bytes)
  await once(socket, 'close')
}

/** `known`: what may explain a fault. */
async function checkProbe(probe: Child, known = (): string => ''): Promise<void> {
  await using child = probe
  await child.exited
  assert.notEqual(child.stdout, '', child.stderr)
  const { findings } = JSON.parse(child.stdout) as { findings: readonly { class: string; rule: string }[] }
  // On a busy machine the source is late, and so is each list.
  const broken = findings.filter((finding) => finding.class === 'must' && finding.rule !== 'update-late')
  assert.equal(broken.length, 0, `${JSON.stringify(broken)}\n${known()}`)
}

function checkFfmpeg(name: string, { exitCode, warnings, lines, outTimeMs }: FfmpegReport, readS: number): void {
  assert.deepEqual([exitCode, { ...warnings, network: 0, other: 0 }], [0, { network: 0, other: 0 }], lines.join('\n'))
  assert.ok(outTimeMs > readS * 500, `ffmpeg got ${outTimeMs} ms of ${name}`)
}

/** A reconnect leaves a hole of what was not sent meanwhile. What the machine takes from all of them is not a fault. */
function checkPlayer(name: string, { played, starved, late }: Watched, readS: number, sourceLateS: number): void {
  const lostS = 2 + 2 * (late + sourceLateS)
  assert.ok(starved < lostS, `${name} had nothing to play for ${starved} s; timers were ${late} s late`)
  assert.ok(played > readS * 0.8 - lostS, `hls.js played ${played} s of ${name} in ${readS} s`)
}

async function parseStrictly(url: string): Promise<void> {
  const { text, status } = await httpRequest(url)
  assert.equal(status, 200, text)
  HLS.setOptions({ strictMode: true })
  HLS.parse(text)
  for (const uri of text.split('\n').filter((line) => line.endsWith('.m3u8'))) {
    const media = (await httpRequest(new URL(uri, url).href)).text
    // It wants version 8 for EXT-X-GAP, which section 8 of the draft does not ask for.
    HLS.parse(media.replace('#EXT-X-VERSION:7', '#EXT-X-VERSION:8'))
  }
}

/** Distances of 0.4 to 3.4 s, in no order, the same in each run. */
function unevenTimes(untilS: number): string {
  const times: string[] = []
  for (let [time, index] = [0, 0]; time < untilS; index++) {
    times.push(time.toFixed(2))
    time += 0.4 + ((index * 7) % 16) / 5
  }
  return times.join(',')
}
