// Joins, loops, skips and reconnects on streams that ffmpeg never writes.
import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { buildTs, PTS_WRAP } from '@millrace/engine/testing'
import type { TsPlan } from '@millrace/engine/testing'
import type { TsReport } from '../oracle/check-ts.js'
import { HttpReader } from '../oracle/http-reader.js'
import type { HttpReaderReport } from '../oracle/http-reader.js'
import { assertClean, assertJoin } from './kit/assert-clean.js'
import { engineYaml } from './kit/engine-yaml.js'
import { startEngine } from './kit/start-engine.js'
import type { EngineProcess } from './kit/start-engine.js'
import { until } from './kit/until.js'

const DURATION_S = 3
/** A full pass, and the start of the next, have gone by when the last of three readers joins. */
const LOOPS = 2.5

const STREAMS: readonly { readonly name: string; readonly plan: TsPlan }[] = [
  { name: 'interleaved', plan: { video: { bFrames: 2 }, audio: [{ language: 'deu' }, { codec: 'mp2' }] } },
  { name: 'psi-away', plan: { psi: { beforeKeyframes: false, phaseMs: 37, intervalMs: 90 } } },
  { name: 'long-pmt', plan: { pmtPackets: 2, psi: { gapMs: 3 } } },
  { name: 'own-pcr', plan: { pcr: { pid: 0x1ff } } },
  {
    name: 'short-gops',
    plan: { video: { gopFrames: 5 }, psi: { beforeKeyframes: false, phaseMs: 110, intervalMs: 500 } },
  },
  { name: 'no-indicator', plan: { video: { randomAccessIndicator: false } } },
  { name: 'h265', plan: { video: { codec: 'h265', randomAccessIndicator: false } } },
  { name: 'recovery-point', plan: { video: { keyPicture: 'recoveryPoint' } } },
  { name: 'audio-only', plan: { video: false } },
  { name: 'wrap', plan: { startPts90k: PTS_WRAP - 1.5 * 90_000, video: { bFrames: 1 } } },
  {
    name: 'all-at-once',
    plan: {
      startPts90k: PTS_WRAP - 1.5 * 90_000,
      video: { codec: 'mpeg2', bFrames: 2, gopFrames: 7, randomAccessIndicator: false },
      audio: [{}, { codec: 'mp2' }],
      data: [{ kind: 'scte35' }],
      pcr: { pid: 0x1ff },
      pmtPackets: 3,
      psi: { beforeKeyframes: false, phaseMs: 57, intervalMs: 400, gapMs: 2, cat: true, sdt: true },
    },
  },
]

for (const through of ['gop', 'ts'] as const) {
  test(`every stream can be joined at any time and stays clean across loops, from ${through}`, async () => {
    const streams = STREAMS.map(({ name, plan }) => ({ name, built: buildTs({ durationS: DURATION_S, ...plan }) }))
    const yaml = engineYaml(
      Object.fromEntries(streams.map(({ name }) => [name, { input: `path: ${name}.ts, loop: true`, through }])),
    )
    const files = Object.fromEntries(streams.map(({ name, built }) => [`${name}.ts`, built.bytes]))
    await using engine = await startEngine({ yaml, files })
    await engine.ready()
    const problems = streams.map(({ name, built }) =>
      problemOf(name, async () => {
        const reports = await joinThreeTimes(await engine.url(`${name}/out`), built.bytes.length)
        for (const [index, report] of reports.entries()) assertViewer(`${name}, reader ${index}`, report)
      }),
    )
    assert.equal((await Promise.all(problems)).join(''), '')
    await engine.stop()
  })
}

/**
 * Three readers join half a file apart; all leave when the first has received LOOPS files, and the others, which a busy
 * machine may serve later, something.
 */
async function joinThreeTimes(url: string, fileBytes: number): Promise<HttpReaderReport[]> {
  await using first = new HttpReader(url)
  await first.until(({ bodyBytes }) => bodyBytes > fileBytes * 0.5)
  await using second = new HttpReader(url)
  await first.until(({ bodyBytes }) => bodyBytes > fileBytes)
  await using third = new HttpReader(url)
  await first.until(({ bodyBytes }) => bodyBytes > fileBytes * LOOPS)
  for (const reader of [second, third]) await reader.until(({ bodyBytes }) => bodyBytes > 0)
  return [first, second, third].map((reader) => reader.report())
}

function assertViewer(name: string, { ts, bodyBytes, ended }: HttpReaderReport): void {
  assert.equal(ended, 'open', `${name} has ended`)
  assert.ok(bodyBytes > 0, `${name} got nothing`)
  assertJoin(name, assertClean(name, ts))
}

/** Null packets pad the streams to this rate, so the kernel's buffers fill quickly. */
const MUX_RATE = 12_000_000
/** More than the kernel buffers for a client (4 MB on our side, 6 MB on its side) plus the window. */
const PASSED_BY_BYTES = 12_000_000

test('a viewer that the window has passed resumes at a key frame, with every jump announced', async () => {
  const streams = STREAMS.map(({ name, plan }) => ({
    name,
    built: buildTs({ durationS: DURATION_S, ...plan, muxRate: MUX_RATE }),
  }))
  const channel = (name: string) => ({
    input: `path: ${name}.ts, loop: true`,
    outputs: { out: 'window: { duration: 1s, size: 256KiB }' },
  })
  const yaml = engineYaml(Object.fromEntries(streams.map(({ name }) => [name, channel(name)])))
  const files = Object.fromEntries(streams.map(({ name, built }) => [`${name}.ts`, built.bytes]))
  await using engine = await startEngine({ yaml, files })
  await engine.ready()
  const problems = streams.map(({ name }) =>
    problemOf(name, async () => {
      const report = await stallAndResume(await engine.url(`${name}/out`))
      assertJoin(name, assertClean(name, report.ts, { announced: true }))
    }),
  )
  assert.equal((await Promise.all(problems)).join(''), '')
  await engine.stop()
})

/** Stops reading until far more than the window has passed, then reads until well past the jump. */
async function stallAndResume(url: string): Promise<HttpReaderReport> {
  await using slow = new HttpReader(url)
  await using fast = new HttpReader(url, { check: false })
  await slow.until(({ bodyBytes }) => bodyBytes > 500_000)
  slow.pause()
  const { bodyBytes: before } = fast.report()
  await fast.until(({ bodyBytes }) => bodyBytes > before + PASSED_BY_BYTES)
  slow.resume()
  await slow.until(({ ts }) => (ts?.spliceCount ?? 0) > 0)
  const { bodyBytes: landed } = slow.report()
  await slow.until(({ bodyBytes }) => bodyBytes > landed + 3_000_000)
  return slow.report()
}

for (const through of ['gop', 'ts'] as const) {
  test(`a source that disappears and returns is one continuous stream for connected viewers, from ${through}`, async () => {
    const streams = STREAMS.map(({ name, plan }) => ({ name, built: buildTs({ durationS: 1.5, ...plan }) }))
    const yaml = engineYaml(
      Object.fromEntries(streams.map(({ name }) => [name, { input: `path: ${name}.ts, loop: true`, through }])),
    )
    const files = Object.fromEntries(streams.map(({ name, built }) => [`${name}.ts`, built.bytes]))
    await using engine = await startEngine({ yaml, files })
    await engine.ready()
    const problems = streams.map(({ name, built }) =>
      problemOf(name, async () => {
        assertClean(name, await watchOutage(engine, name, built.bytes), { announced: true })
      }),
    )
    assert.equal((await Promise.all(problems)).join(''), '')
    await engine.stop()
  })
}

/** Removes the file until the engine notices, and puts it back; then reads a whole pass. */
async function watchOutage(engine: EngineProcess, name: string, file: Uint8Array): Promise<TsReport | undefined> {
  await using viewer = new HttpReader(await engine.url(`${name}/out`))
  await viewer.until(({ bodyBytes }) => bodyBytes > 0)
  await rm(join(engine.folder.path, `${name}.ts`))
  await until(async () => (await engine.node(`${name}/main`)).state === 'waiting', 'the file is noticed as missing')
  await engine.folder.write(`${name}.ts`, file)
  await until(async () => (await engine.node(`${name}/main`)).state === 'ready', 'the file is back')
  const { bodyBytes } = viewer.report()
  await viewer.until((report) => report.bodyBytes > bodyBytes + file.length)
  return viewer.report().ts
}

/** Returns the problem as text, so one run reports all streams. */
async function problemOf(name: string, check: () => Promise<void>): Promise<string> {
  try {
    await check()
    return ''
  } catch (error) {
    return `${name}: ${error instanceof Error ? error.message : String(error)}\n`
  }
}
