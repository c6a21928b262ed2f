// A relay of a real ffmpeg, pipelines/http-relay.yaml: the upstream is killed and restarted ten times, and no viewer
// loses more than the time of the outages.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { readWithFfmpeg } from '../oracle/ffmpeg-reader.js'
import { HttpReader } from '../oracle/http-reader.js'
import { assertClean, assertJoin } from './kit/assert-clean.js'
import { Child } from './kit/child.js'
import { scrape } from './kit/metrics-page.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { EngineProcess, runCommandLine } from './kit/start-engine.js'
import { TempFolder } from './kit/temp-folder.js'
import { until } from './kit/until.js'

const KILLS = 10
const READERS = 5
/** How long the upstream streams before it is killed: longer than the engine takes to consider it healthy. */
const LIFE_MS = 5500
/** The shortest outage. */
const OUTAGES_MS = [100, 400, 900, 1500]
/**
 * Tolerance between a step in the stream and the silence on the connection around it: batches, and the pictures before
 * the first key frame.
 */
const STEP_TOLERANCE_MS = 1500
/**
 * Tolerance over the whole stream, per outage: ffmpeg sends the beginning of a stream ahead of time, each time it
 * starts.
 */
const DRIFT_MS = 400
const SILENCE_MS = 200
const VIDEO_PID = 0x100
/** Until the engine reconnects after its back-off. */
const RECOVERY_MS = 60_000

test('ten kills of the upstream cost viewers the time of the outages and nothing else', async () => {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}/x.ts`
  await using engine = await startRelay({ UPSTREAM_A: url, UPSTREAM_B: `http://127.0.0.1:${await freePort()}/x.ts` })
  let upstream = serve(url)
  try {
    await engine.ready()
    const viewers = Array.from({ length: READERS }, () => new Viewer())
    const relayed = await engine.url('relay/ts')
    for (const viewer of viewers) viewer.open(relayed)
    const [lead] = viewers
    assert.ok(lead !== undefined)
    await lead.flows()
    const leave = new AbortController()
    const watching = readWithFfmpeg(relayed, { signal: leave.signal })
    for (let kill = 0; kill < KILLS; kill++) {
      await pause(LIFE_MS)
      await upstream[Symbol.asyncDispose]()
      await pause(OUTAGES_MS[kill % OUTAGES_MS.length])
      upstream = serve(url)
      await lead.flows()
    }
    await pause(LIFE_MS)
    assert.equal(
      (await engine.node('relay/ts')).clients,
      READERS + 1,
      'all viewers are still connected, including ffmpeg',
    )
    leave.abort()
    const { warnings, lines, exitCode, outTimeMs } = await watching
    const page = await scrape(engine.api)
    for (const [index, viewer] of viewers.entries()) await viewer.check(`reader ${index}`)

    assert.equal(exitCode, 0)
    assert.deepEqual([warnings.continuity, warnings.dts], [undefined, undefined], lines.join('\n'))
    assert.ok(outTimeMs > KILLS * LIFE_MS, `ffmpeg got only ${outTimeMs} ms`)
    const labels = { node: 'main' }
    assert.ok((page.value('millrace_http_stream_ends_total', { ...labels, reason: 'broken' }) ?? 0) >= KILLS)
    assert.equal(page.value('millrace_http_attempts_total', { ...labels, result: 'accepted' }), KILLS + 1)
    assert.ok((page.value('millrace_http_attempts_total', { ...labels, result: 'connect' }) ?? 0) >= KILLS)
  } finally {
    await upstream[Symbol.asyncDispose]()
  }
  await engine.stop()
})

/** A reader that records when no data arrived. */
class Viewer {
  #reader: HttpReader | undefined
  #firstMs = 0
  #lastMs = 0
  readonly #silencesMs: number[] = []

  open(url: string): void {
    this.#reader = new HttpReader(url, {
      onBody: () => {
        const nowMs = performance.now()
        if (this.#firstMs === 0) this.#firstMs = nowMs
        else if (nowMs - this.#lastMs > SILENCE_MS) this.#silencesMs.push(nowMs - this.#lastMs)
        this.#lastMs = nowMs
      },
    })
  }

  /** Resolves when more has arrived than was already in flight. */
  async flows(): Promise<void> {
    const before = this.#bodyBytes
    await until(() => this.#bodyBytes > before + 50_000, 'the stream flows', RECOVERY_MS)
  }

  async check(name: string): Promise<void> {
    const report = this.#reader?.report()
    assert.equal(report?.ended, 'open', `${name}: ${report?.error}`)
    const ts = assertClean(name, report.ts, { announced: true })
    assertJoin(name, ts)
    const video = ts.units[VIDEO_PID]
    assert.ok(video !== undefined, `${name} has no video`)
    const longestMs = Math.max(...this.#silencesMs)
    const stepMs = Math.max(video.maxDtsStepMs, video.maxSplicedDtsStepMs)
    assert.ok(this.#silencesMs.length >= KILLS, `${name} noticed only ${this.#silencesMs.length} outages`)
    assertNear(
      `${name}: the longest step in the stream, and the longest silence`,
      [stepMs, longestMs],
      STEP_TOLERANCE_MS,
    )
    const streamedMs = (video.lastDts90k - (video.firstDts90k ?? 0)) / 90
    assertNear(
      `${name}: the stream, and the time it took`,
      [streamedMs, this.#lastMs - this.#firstMs],
      KILLS * DRIFT_MS,
    )
    await this.#reader?.[Symbol.asyncDispose]()
  }

  get #bodyBytes(): number {
    return this.#reader?.report().bodyBytes ?? 0
  }
}

function assertNear(what: string, [actualMs, expectedMs]: readonly [number, number], withinMs: number): void {
  const isNear = Math.abs(actualMs - expectedMs) < withinMs
  assert.ok(isNear, `${what}: ${Math.round(actualMs)} ms and ${Math.round(expectedMs)} ms`)
}

/** ffmpeg as a server for a single client, in real time. */
function serve(url: string): Child {
  const clip = join(REPOSITORY_ROOT, 'pipelines/media/testcard.ts')
  const source = ['-re', '-stream_loop', '-1', '-i', clip]
  const output = ['-c', 'copy', '-f', 'mpegts', '-listen', '1', url]
  return new Child('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-nostdin', ...source, ...output], {
    cwd: REPOSITORY_ROOT,
  })
}

/** The shipped pipeline, on other ports. */
async function startRelay(env: Readonly<Record<string, string>>): Promise<EngineProcess> {
  const folder = await TempFolder.make()
  try {
    const shipped = await readFile(join(REPOSITORY_ROOT, 'pipelines/http-relay.yaml'), 'utf8')
    await folder.write('relay.yaml', `${shipped}\nengine: { api: { address: "127.0.0.1:0" }, stateDir: state }\n`)
    const child = runCommandLine(['run', 'relay.yaml'], folder.path, { RELAY_ADDRESS: '127.0.0.1:0', ...env })
    const [, api = ''] = await child.untilStderr(/(http:\S+)\/api\/v1\/status\n/)
    return new EngineProcess(folder, child, api)
  } catch (error) {
    await folder[Symbol.asyncDispose]()
    throw error
  }
}

/** A port on which no one listens; ffmpeg cannot choose one and report it. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
