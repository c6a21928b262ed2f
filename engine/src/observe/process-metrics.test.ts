import assert from 'node:assert/strict'
import { closeSync, openSync } from 'node:fs'
import process from 'node:process'
import { test } from 'node:test'
import { createClock } from './clock.js'
import { EventLoopLag } from './event-loop-lag.js'
import { MetricsRegistry } from './metrics-registry.js'
import { addProcessMetrics } from './process-metrics.js'

test('the process shows its version, CPU time, memory, start and descriptors', () => {
  const registry = new MetricsRegistry()
  const added = addProcessMetrics(registry)
  const values = new Map(registry.collect().map((family) => [family.name, family.rows[0]]))
  assert.match(values.get('millrace_build_info')?.labels['version'] ?? '', /^\d+\.\d+\.\d+/)
  assert.ok((values.get('process_cpu_seconds_total')?.value ?? 0) > 0)
  assert.ok((values.get('process_resident_memory_bytes')?.value ?? 0) > 1e6)
  const startSeconds = values.get('process_start_time_seconds')?.value ?? 0
  assert.ok(startSeconds > 1e9 && startSeconds <= Date.now() / 1000)
  if (process.platform === 'linux') {
    assert.ok((values.get('process_open_fds')?.value ?? 0) >= 3)
    assert.ok((values.get('process_max_fds')?.value ?? 0) >= 3)
  }
  added[Symbol.dispose]()
  assert.deepEqual(
    registry.collect().map((family) => family.name),
    ['millrace_metric_read_errors_total'],
  )
})

test('descriptors are counted one by one', { skip: process.platform !== 'linux' }, () => {
  const registry = new MetricsRegistry()
  using added = addProcessMetrics(registry)
  assert.ok(added)
  const read = (): number =>
    registry.collect().find(({ name }) => name === 'process_open_fds')?.rows[0]?.value ?? Number.NaN
  const before = read()
  const opened = Array.from({ length: 20 }, () => openSync('/dev/null', 'r'))
  assert.equal(read() - before, 20)
  opened.forEach((descriptor) => closeSync(descriptor))
  assert.equal(read(), before)
})

test('a blocked event loop shows as lag, measured by any repeated timer', async () => {
  const lag = new EventLoopLag()
  using clock = createClock((lateMs) => lag.note(lateMs))
  const registry = new MetricsRegistry()
  using _lag = lag.addTo(registry, clock)
  clock.scope().every(20, () => undefined)
  const readLag = (): number =>
    registry.collect().find((family) => family.name === 'millrace_event_loop_lag_seconds')?.rows[0]?.value ?? -1
  assert.equal(readLag(), 0)
  await turn(clock, 60)
  const blockedUntilMs = performance.now() + 300
  while (performance.now() < blockedUntilMs);
  while (readLag() < 0.1) await turn(clock, 5)
  assert.ok(readLag() < 5)
})

function turn(clock: { after(ms: number, run: () => void): Disposable }, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.after(delayMs, resolve))
}
