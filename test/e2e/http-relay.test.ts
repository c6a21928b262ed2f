// A relay of a real ffmpeg, pipelines/http-relay.yaml: the upstream is killed and restarted five times, and no viewer
// loses more than the time of the outages.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { readWithFfmpeg } from '../oracle/ffmpeg-reader.js'
import { HttpReader } from '../oracle/http-reader.js'
import { assertClean, assertJoin } from './kit/assert-clean.js'
import { Child } from './kit/child.js'
import { freePort } from './kit/free-port.js'
import { Lateness } from './kit/lateness.js'
import { scrape } from './kit/metrics-page.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { EngineProcess, runCommandLine } from './kit/start-engine.js'
import { TempFolder } from './kit/temp-folder.js'
import { until } from './kit/until.js'

/** Each outage once, and the shortest again. */
const KILLS = 5
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
/** What is late this long before a silence, and after it, makes it shorter or longer. */
const AROUND_MS = 500
/** The machine may be too busy once for what is measured; a flaw is there every time. */
const ATTEMPTS = 3
const VIDEO_PID = 0x100
/** Until the engine reconnects after its back-off. */
const RECOVERY_MS = 60_000

test('five kills of the upstream cost viewers the time of the outages and nothing else', async (t) => {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}/x.ts`
  await using engine = await startRelay({ UPSTREAM_A: url, UPSTREAM_B: `http://127.0.0.1:${await freePort()}/x.ts` })
  using lateness = new Lateness()
  await using upstream = new Upstream(url)
  await engine.ready()
  const relayed = await engine.url('relay/ts')
  await using lead = new Viewer(relayed)
  await lead.flows()
  const leave = new AbortController()
  const watching = readWithFfmpeg(relayed, { signal: leave.signal })
  const say = (text: string): void => t.diagnostic(text)
  let kills = 0
  for (let isMeasured = false; !isMeasured;) {
    assert.ok(kills < ATTEMPTS * KILLS, 'the machine was too busy each time')
    const viewers = Array.from({ length: READERS }, () => new Viewer(relayed))
    await killOften(upstream, viewers)
    kills += KILLS
    assert.equal((await engine.node('relay/ts')).clients, READERS + 2, 'all are still connected, including ffmpeg')
    isMeasured = viewers.map((viewer, index) => viewer.check(`reader ${index}`, lateness, say)).every(Boolean)
    for (const viewer of viewers) await viewer[Symbol.asyncDispose]()
  }
  leave.abort()
  const { warnings, lines, exitCode, outTimeMs } = await watching
  const page = await scrape(engine.api)
  assert.equal(exitCode, 0)
  assert.deepEqual([warnings.continuity, warnings.dts], [undefined, undefined], lines.join('\n'))
  assert.ok(outTimeMs > kills * LIFE_MS, `ffmpeg got only ${outTimeMs} ms`)
  const labels = { node: 'main' }
  assert.ok((page.value('millrace_http_stream_ends_total', { ...labels, reason: 'broken' }) ?? 0) >= kills)
  assert.equal(page.value('millrace_http_attempts_total', { ...labels, result: 'accepted' }), kills + 1)
  assert.ok((page.value('millrace_http_attempts_total', { ...labels, result: 'connect' }) ?? 0) >= kills)
  await engine.stop()
})

/** Each time when all viewers have the stream. */
async function killOften(upstream: Upstream, viewers: readonly Viewer[]): Promise<void> {
  const allFlow = (): Promise<unknown> => Promise.all(viewers.map((viewer) => viewer.flows()))
  await allFlow()
  for (let kill = 0; kill < KILLS; kill++) {
    await pause(LIFE_MS)
    await upstream.outage(OUTAGES_MS[kill % OUTAGES_MS.length] ?? 0)
    await allFlow()
  }
  await pause(LIFE_MS)
}

/** A reader that records when no data arrived. */
class Viewer implements AsyncDisposable {
  readonly #reader: HttpReader
  #firstMs = 0
  #lastMs = 0
  readonly #silences: { readonly fromMs: number; readonly toMs: number }[] = []

  constructor(url: string) {
    this.#reader = new HttpReader(url, {
      onBody: () => {
        const nowMs = performance.now()
        if (this.#firstMs === 0) this.#firstMs = nowMs
        else if (nowMs - this.#lastMs > SILENCE_MS) this.#silences.push({ fromMs: this.#lastMs, toMs: nowMs })
        this.#lastMs = nowMs
      },
    })
  }

  /** Resolves when more has arrived than was already in flight. */
  async flows(): Promise<void> {
    const before = this.#reader.report().bodyBytes
    await until(() => this.#reader.report().bodyBytes > before + 50_000, 'the stream flows', RECOVERY_MS)
  }

  /** Returns false if the machine was too busy to measure times. */
  check(name: string, lateness: Lateness, say: (text: string) => void): boolean {
    const report = this.#reader.report()
    assert.equal(report.ended, 'open', `${name}: ${report.error}`)
    const ts = assertClean(name, report.ts, { announced: true })
    assertJoin(name, ts)
    const video = ts.units[VIDEO_PID]
    assert.ok(video !== undefined, `${name} has no video`)
    const silencesMs = this.#silences.map(({ fromMs, toMs }) => toMs - fromMs)
    assert.ok(silencesMs.length >= KILLS, `${name} noticed only ${silencesMs.length} outages`)
    const stepLateMs = this.#silences.map(({ fromMs, toMs }) => lateness.ms(fromMs - AROUND_MS, toMs + AROUND_MS))
    const step = {
      what: `${name}: the longest step in the stream, and the longest silence`,
      apartMs: [Math.max(video.maxDtsStepMs, video.maxSplicedDtsStepMs), Math.max(...silencesMs)],
      withinMs: STEP_TOLERANCE_MS,
      lateMs: Math.max(...stepLateMs),
    } as const
    const drift = {
      what: `${name}: the stream, and the time it took`,
      apartMs: [(video.lastDts90k - (video.firstDts90k ?? 0)) / 90, this.#lastMs - this.#firstMs],
      withinMs: KILLS * DRIFT_MS,
      lateMs: lateness.ms(this.#firstMs),
    } as const
    return [step, drift].every((times) => areNear(times, say))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#reader[Symbol.asyncDispose]()
  }
}

interface Times {
  readonly what: string
  readonly apartMs: readonly [number, number]
  readonly withinMs: number
  /** What a busy machine has taken from ffmpeg, which then sends late, and ahead of time. Counts once more `withinMs` at most. */
  readonly lateMs: number
}

/** Returns false if they are not, and the machine was later than counts. */
function areNear(
  { what, apartMs: [actualMs, expectedMs], withinMs, lateMs }: Times,
  say: (text: string) => void,
): boolean {
  const isNear = Math.abs(actualMs - expectedMs) < withinMs + Math.min(lateMs, withinMs)
  const told = `${what}: ${Math.round(actualMs)} ms and ${Math.round(expectedMs)} ms; ${Math.round(lateMs)} ms late`
  assert.ok(isNear || lateMs > withinMs, told)
  say(told)
  return isNear
}

/** ffmpeg as a server for a single client, in real time. */
class Upstream implements AsyncDisposable {
  readonly #url: string
  #child: Child

  constructor(url: string) {
    this.#url = url
    this.#child = this.#serve()
  }

  /** It is killed, and started again after this time. */
  async outage(ms: number): Promise<void> {
    await this.#child[Symbol.asyncDispose]()
    await pause(ms)
    this.#child = this.#serve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#child[Symbol.asyncDispose]()
  }

  #serve(): Child {
    const clip = join(REPOSITORY_ROOT, 'pipelines/media/testcard.ts')
    const source = ['-re', '-stream_loop', '-1', '-i', clip]
    const output = ['-c', 'copy', '-f', 'mpegts', '-listen', '1', this.#url]
    return new Child('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-nostdin', ...source, ...output], {
      cwd: REPOSITORY_ROOT,
    })
  }
}

/** The shipped pipeline, on other ports. */
async function startRelay(env: Readonly<Record<string, string>>): Promise<EngineProcess> {
  const folder = await TempFolder.make()
  try {
    const shipped = await readFile(join(REPOSITORY_ROOT, 'pipelines/http-relay.yaml'), 'utf8')
    await folder.write('relay.yaml', `${shipped}\nengine: { api: { address: "127.0.0.1:0" }, stateDir: state }\n`)
    const child = runCommandLine(['run', 'relay.yaml'], folder.path, { RELAY_ADDRESS: '127.0.0.1:0', ...env })
    const [, api = ''] = await child.untilStderr(/"(http:[^"]+)\/api\/v1\/status"/)
    return new EngineProcess(folder, child, api)
  } catch (error) {
    await folder[Symbol.asyncDispose]()
    throw error
  }
}
