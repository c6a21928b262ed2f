// The Prometheus metrics of a running engine: the format, what changes with traffic, and what a damaged stream counts.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { breakCrc, breakSyncByte, buildTs, dropPackets, junkBetween, scramble, setTei } from '@millrace/engine/testing'
import { HttpReader } from '../oracle/http-reader.js'
import { engineYaml } from './kit/engine-yaml.js'
import { scrape, scrapeText } from './kit/metrics-page.js'
import type { MetricsPage } from './kit/metrics-page.js'
import { startEngine } from './kit/start-engine.js'
import type { EngineProcess } from './kit/start-engine.js'
import { until } from './kit/until.js'

const built = buildTs({ durationS: 3 })
const VIDEO_PID = 0x100
const AUDIO_PID = 0x101

test('a scrape is well-formed, with HELP and TYPE for each family and every series only once', async () => {
  const yaml = engineYaml({
    one: { input: 'path: a.ts, loop: true', through: 'both', outputs: { out: '', more: 'start: now' } },
    two: { input: 'path: missing.ts' },
  })
  await using engine = await startEngine({ yaml, files: { 'a.ts': built.bytes } })
  await using viewer = new HttpReader(await engine.url())
  await viewer.until(({ bodyBytes }) => bodyBytes > 100_000)
  const page = await scrape(engine.api)
  assert.deepEqual(page.faults, [])
  assert.ok(page.samples.length > 50)
  for (const { name } of page.samples) assert.match(name, /^(?:millrace|process|nodejs)_/)
  for (const [name, type] of page.types)
    assert.equal(name.endsWith('_total'), type === 'counter', `${name} is a ${type}`)
  for (const { labels, name } of page.samples) {
    assert.equal('node' in labels, 'pipeline' in labels, `${name} names a node or a pipeline alone`)
  }
  assert.equal(page.value('millrace_node_up', { pipeline: 'two', node: 'main' }), 0)
  assert.equal(page.value('millrace_input_connected', { pipeline: 'two', node: 'main' }), 0)
  assert.equal(page.value('millrace_config_in_sync'), 1)
  await viewer[Symbol.asyncDispose]()
  await engine.stop()
})

test('promtool finds no fault in a scrape of a running engine', async () => {
  const yaml = engineYaml({
    one: { input: 'path: a.ts, loop: true', through: 'both' },
    two: { input: 'path: damaged.ts, loop: true', through: 'ts-validate' },
  })
  const damaged = dropPackets(built.bytes, { pid: AUDIO_PID, every: 9 }).bytes
  await using engine = await startEngine({ yaml, files: { 'a.ts': built.bytes, 'damaged.ts': damaged } })
  await using viewer = new HttpReader(await engine.url())
  await viewer.until(({ bodyBytes }) => bodyBytes > 100_000)
  const text = await scrapeText(engine.api)
  const { status, stdout, stderr, error } = spawnSync('promtool', ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  })
  assert.deepEqual({ error, status, stdout, stderr }, { error: undefined, status: 0, stdout: '', stderr: '' })
  for (const name of ['millrace_output_clients', 'process_open_fds', 'nodejs_heap_size_used_bytes']) {
    assert.match(text, new RegExp(`^${name}[ {]`, 'm'))
  }
  await viewer[Symbol.asyncDispose]()
  await engine.stop()
})

test('counters increase with traffic and never decrease, and viewers are counted while connected', async () => {
  const outputs = { out: 'clients: { max: 2 }' }
  const yaml = engineYaml({ one: { input: 'path: a.ts, loop: true', through: 'both', outputs } })
  await using engine = await startEngine({ yaml, files: { 'a.ts': built.bytes } })
  await engine.ready()
  const url = await engine.url()
  const first = await scrape(engine.api)
  assert.equal(clientsIn(first), 0)
  assert.equal(first.value('millrace_output_clients_limit', { limit: 'max' }), 2)
  await using a = new HttpReader(url)
  await using b = new HttpReader(url)
  for (const reader of [a, b]) await reader.until(({ bodyBytes }) => bodyBytes > 200_000)
  await using refused = new HttpReader(url)
  assert.equal((await refused.done()).status, 503)
  const second = await scrape(engine.api)
  assert.equal(clientsIn(second), 2)
  assertOnlyUp(first, second)
  const moved = (name: string, node: string): number =>
    (second.value(name, { node }) ?? 0) - (first.value(name, { node }) ?? 0)
  for (const node of ['main', 'check', 'gops', 'out']) {
    assert.ok(moved('millrace_node_received_bytes_total', node) > 100_000, `${node} received`)
    assert.ok(moved('millrace_node_sent_bytes_total', node) > 100_000, `${node} sent`)
  }
  assert.ok(moved('millrace_node_sent_bytes_total', 'out') >= 400_000, 'both viewers are counted')
  assert.equal(moved('millrace_output_client_connects_total', 'out'), 2)
  assert.equal(second.value('millrace_drops_total', { node: 'out', reason: 'refused' }), 1)
  assert.ok((second.value('millrace_output_start_delay_seconds_count', { node: 'out' }) ?? 0) >= 2)
  assert.ok((second.value('millrace_output_latency_seconds_sum', { node: 'out' }) ?? 0) > 0)
  assert.equal(second.value('millrace_gop_duration_seconds', { node: 'gops' }), 1)
  assert.ok((second.value('millrace_keyframe_age_seconds', { node: 'gops' }) ?? 99) < 3)
  await a[Symbol.asyncDispose]()
  await b[Symbol.asyncDispose]()
  await until(async () => clientsIn(await scrape(engine.api)) === 0, 'the viewers are gone')
  assertOnlyUp(second, await scrape(engine.api))
  await engine.stop()
})

test('ts-validate counts every fault of a damaged stream, by PID if there is one', async () => {
  const { bytes } = built
  const damages = {
    lost: dropPackets(bytes, { pid: AUDIO_PID, every: 9 }),
    tei: setTei(bytes, { every: 60 }),
    scrambled: scramble(bytes, { pid: VIDEO_PID, every: 30 }),
    crc: breakCrc(bytes),
    sync: breakSyncByte(bytes, { every: 80 }),
    junk: junkBetween(bytes, { every: 80 }),
    clean: { bytes, count: 0 },
  }
  const names = Object.keys(damages)
  const yaml = engineYaml(
    Object.fromEntries(names.map((name) => [name, { input: `path: ${name}.ts`, through: 'ts-validate' as const }])),
  )
  const files = Object.fromEntries(Object.entries(damages).map(([name, damaged]) => [`${name}.ts`, damaged.bytes]))
  // A channel that continues keeps the engine running when the others have ended.
  const more = `  on:\n    inputs: { main: { type: file, path: clean.ts, loop: true } }\n    outputs: { out: { type: http-ts, from: main, listener: web, path: /on.ts } }\n`
  await using engine = await startEngine({ yaml: yaml + more, files })
  for (const name of names)
    await until(async () => (await engine.node(`${name}/main`)).state === 'ended', `${name} ends`)
  const page = await scrape(engine.api)
  assert.deepEqual(page.faults, [])
  const count = (pipeline: string, metric: string, pid?: number): number =>
    page.value(`millrace_ts_${metric}_total`, { pipeline, ...(pid === undefined ? {} : { pid: String(pid) }) }) ?? 0
  assert.equal(count('lost', 'continuity_errors', AUDIO_PID), damages.lost.count)
  assert.equal(count('lost', 'continuity_errors', VIDEO_PID), 0)
  assert.equal(count('tei', 'transport_errors'), damages.tei.count)
  assert.equal(count('scrambled', 'scrambled_packets', VIDEO_PID), damages.scrambled.count)
  assert.equal(count('crc', 'crc_errors', 0), damages.crc.count)
  assert.equal(count('sync', 'sync_byte_errors'), damages.sync.count)
  assert.equal(count('junk', 'sync_losses'), damages.junk.count)
  for (const metric of ['sync_losses', 'sync_byte_errors', 'continuity_errors', 'transport_errors', 'crc_errors']) {
    assert.equal(count('clean', metric), 0, metric)
  }
  assert.ok(
    Object.values(damages)
      .slice(0, -1)
      .every((damaged) => damaged.count > 0),
  )
  await assertDamageIsLogged(engine)
  await engine.stop()
})

async function assertDamageIsLogged(engine: EngineProcess): Promise<void> {
  const [line = ''] = await engine.child.untilStderr(/^\{.*"node":"lost\/check".*\}$/m)
  assert.equal((JSON.parse(line) as { level: string }).level, 'warn')
}

function clientsIn(page: MetricsPage): number | undefined {
  return page.value('millrace_output_clients', { node: 'out' })
}

function assertOnlyUp(before: MetricsPage, after: MetricsPage): void {
  for (const { name, labels, value } of before.samples) {
    if (before.types.get(name) !== 'counter') continue
    const now = after.value(name, labels)
    assert.ok(now !== undefined && now >= value, `${name} ${JSON.stringify(labels)} was ${value}, is ${now}`)
  }
}
