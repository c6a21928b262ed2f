// Viewers that stop reading: memory stays within the window and the catch-up limit of each, and a viewer that resumes
// in time has lost nothing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import { HttpReader } from '../oracle/http-reader.js'
import { assertClean, assertJoin } from './kit/assert-clean.js'
import { engineYaml } from './kit/engine-yaml.js'
import { scrape } from './kit/metrics-page.js'
import { startEngine } from './kit/start-engine.js'
import { until } from './kit/until.js'

const MIB = 1024 * 1024
const STALLED = 20
const WINDOW_BYTES = 8 * MIB
const CATCH_UP_BYTES = 256 * 1024
/** Other growth: what is on its way through the engine, and what a reader on a busy machine has not read yet. */
const ALLOWANCE_BYTES = 32 * MIB
/** What passes while they are stalled: if it were kept, it would exceed the allowance. */
const PASSING_BYTES = 100 * MIB
const RATE = 120_000_000

test('20 viewers that stop reading use no more memory than the window and the catch-up limit of each', async (t) => {
  const clip = buildTs({ durationS: 2, muxRate: RATE }).bytes
  const output = `window: { duration: 60s, size: ${WINDOW_BYTES / MIB}MiB }, catchUp: 256KiB`
  const yaml = engineYaml({ one: { input: 'path: a.ts, loop: true', through: 'ts', outputs: { out: output } } })
  await using engine = await startEngine({ yaml, files: { 'a.ts': clip }, hasMemoryProbe: true })
  await engine.ready()
  const url = await engine.url()
  await using fast = new HttpReader(url, { check: false })
  await fast.until(({ bodyBytes }) => bodyBytes > 2 * WINDOW_BYTES)
  const before = await engine.usedBytes()
  const stalled = Array.from({ length: STALLED }, () => new HttpReader(url, { check: false }))
  for (const viewer of stalled) {
    await viewer.until(({ bodyBytes }) => bodyBytes > 0)
    viewer.pause()
  }
  const { bodyBytes: passed } = fast.report()
  let most = 0
  for (let share = 1; share <= 5; share++) {
    await fast.until(({ bodyBytes }) => bodyBytes > passed + (share / 5) * PASSING_BYTES)
    most = Math.max(most, await engine.usedBytes())
  }
  const page = await scrape(engine.api)
  const windowBytes = page.value('millrace_output_window_bytes') ?? Infinity
  assert.ok(windowBytes <= WINDOW_BYTES + CATCH_UP_BYTES, `the window holds ${windowBytes} bytes`)
  assert.equal((await engine.node('one/out')).clients, STALLED + 1)
  const bound = STALLED * CATCH_UP_BYTES + ALLOWANCE_BYTES
  const growth = most - before
  t.diagnostic(`grew by ${(growth / MIB).toFixed(1)} MiB of ${(bound / MIB).toFixed(1)} MiB`)
  assert.ok(growth < bound, `it grew by ${(growth / MIB).toFixed(1)} MiB of ${(bound / MIB).toFixed(1)}`)
  for (const viewer of stalled) await viewer[Symbol.asyncDispose]()
  await until(async () => (await engine.node('one/out')).clients === 1, 'the stalled viewers are gone')
  await fast[Symbol.asyncDispose]()
  await engine.stop()
})

test('a viewer that resumes while the window still holds its position has lost nothing', async () => {
  const clip = buildTs({ durationS: 3, muxRate: 16_000_000 }).bytes
  const output = 'window: { duration: 60s, size: 64MiB }'
  const yaml = engineYaml({ one: { input: 'path: a.ts, loop: true', through: 'ts', outputs: { out: output } } })
  await using engine = await startEngine({ yaml, files: { 'a.ts': clip } })
  await engine.ready()
  const url = await engine.url()
  await using fast = new HttpReader(url, { check: false })
  await using slow = new HttpReader(url)
  await slow.until(({ bodyBytes }) => bodyBytes > 0)
  slow.pause()
  const { bodyBytes: start } = fast.report()
  // More than the kernel buffers for it, so that its position is in the window.
  await fast.until(({ bodyBytes }) => bodyBytes > start + 14 * MIB)
  slow.resume()
  await slow.until(({ bodyBytes }) => bodyBytes > 20 * MIB)
  assertJoin('slow viewer', assertClean('slow viewer', slow.report().ts))
  assert.equal((await scrape(engine.api)).value('millrace_drops_total', { node: 'out', reason: 'skip' }), 0)
  await slow[Symbol.asyncDispose]()
  await fast[Symbol.asyncDispose]()
  await engine.stop()
})

test('a viewer that reads not a single byte is closed after stallTimeout', async () => {
  const clip = buildTs({ durationS: 2, muxRate: 60_000_000 }).bytes
  const yaml = engineYaml({
    one: { input: 'path: a.ts, loop: true', through: 'ts', outputs: { out: 'stallTimeout: 2s' } },
  })
  await using engine = await startEngine({ yaml, files: { 'a.ts': clip } })
  await engine.ready()
  await using stalled = new HttpReader(await engine.url(), { check: false })
  await stalled.until(({ bodyBytes }) => bodyBytes > 0)
  stalled.pause()
  await engine.child.untilStderr(/"reason":"stalled"/)
  await until(async () => (await engine.node('one/out')).clients === 0, 'it is gone')
  await stalled[Symbol.asyncDispose]()
  await engine.stop()
})
