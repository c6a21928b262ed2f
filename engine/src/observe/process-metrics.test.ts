import assert from 'node:assert/strict'
import { closeSync, openSync } from 'node:fs'
import process from 'node:process'
import { test } from 'node:test'
import { createClock } from './clock.js'
import { withDefaultMetrics } from './default-metrics.js'
import { EventLoopLag } from './event-loop-lag.js'
import { type ParsedFamily, parseExposition } from './exposition.test.kit.js'
import { MetricsRegistry } from './metrics-registry.js'
import { addProcessMetrics } from './process-metrics.js'

async function read(registry: MetricsRegistry): Promise<(name: string) => ParsedFamily['samples'][number] | undefined> {
  const families = parseExposition(await registry.render())
  return (name) => families.get(name)?.samples[0]
}

test('the process shows its version, CPU time, memory, start and descriptors', async () => {
  const registry = withDefaultMetrics(new MetricsRegistry())
  addProcessMetrics(registry)
  const first = await read(registry)
  assert.match(first('millrace_build_info')?.labels['version'] ?? '', /^\d+\.\d+\.\d+/)
  assert.ok((first('process_cpu_seconds_total')?.value ?? 0) > 0)
  assert.ok((first('process_resident_memory_bytes')?.value ?? 0) > 1e6)
  const startSeconds = first('process_start_time_seconds')?.value ?? 0
  // Rounded to whole seconds.
  assert.ok(startSeconds > 1e9 && startSeconds <= Date.now() / 1000 + 1)
  if (process.platform === 'linux') {
    assert.ok((first('process_open_fds')?.value ?? 0) >= 3)
    assert.ok((first('process_max_fds')?.value ?? 0) >= 3)
  }
})

test("Node's heap, event loop and garbage collector are shown, and no gauge has the name of a counter", async () => {
  const registry = withDefaultMetrics(new MetricsRegistry())
  const families = parseExposition(await registry.render())
  for (const name of ['nodejs_heap_size_used_bytes', 'nodejs_eventloop_lag_seconds', 'nodejs_version_info']) {
    assert.equal(families.get(name)?.type, 'gauge', name)
  }
  assert.ok((families.get('nodejs_heap_size_used_bytes')?.samples[0]?.value ?? 0) > 1e6)
  for (const [name, { type }] of families) assert.equal(name.endsWith('_total'), type === 'counter', name)
  while (!(await registry.render()).includes('nodejs_gc_duration_seconds_count')) {
    // Enough garbage for a collection.
    Array.from({ length: 100_000 }, (_, index) => ({ index }))
  }
})

test('descriptors are counted one by one', { skip: process.platform !== 'linux' }, async () => {
  const registry = new MetricsRegistry()
  addProcessMetrics(registry)
  const count = async (): Promise<number> => (await read(registry))('process_open_fds')?.value ?? Number.NaN
  const before = await count()
  const opened = Array.from({ length: 20 }, () => openSync('/dev/null', 'r'))
  assert.equal((await count()) - before, 20)
  opened.forEach((descriptor) => closeSync(descriptor))
  assert.equal(await count(), before)
})

test('a blocked event loop shows as lag, measured by any repeated timer', async () => {
  const lag = new EventLoopLag()
  using clock = createClock({ onTimerRun: (lateMs) => lag.note(lateMs) })
  const registry = new MetricsRegistry()
  using _lag = lag.addTo(registry, clock)
  clock.scope().every(20, () => undefined)
  const readLag = async (): Promise<number> => (await read(registry))('millrace_event_loop_lag_seconds')?.value ?? -1
  assert.equal(await readLag(), 0)
  await turn(clock, 60)
  const blockedUntilMs = performance.now() + 300
  while (performance.now() < blockedUntilMs);
  while ((await readLag()) < 0.1) await turn(clock, 5)
  assert.ok((await readLag()) < 5)
})

function turn(clock: { after(ms: number, run: () => void): Disposable }, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.after(delayMs, resolve))
}
