import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Histogram } from './histogram.js'
import { MetricsRegistry } from './metrics-registry.js'
import type { MetricFamily } from '../plugin/tokens.js'

function familyOf(registry: MetricsRegistry, name: string): MetricFamily | undefined {
  return registry.collect().find((family) => family.name === name)
}

const BYTES = { name: 'node_received_bytes_total', kind: 'counter', help: 'Bytes received.' } as const

test('metrics are grouped into families under the prefix and read when collected', () => {
  const registry = new MetricsRegistry()
  let bytes = 5
  registry.add(BYTES, { pipeline: 'one', node: 'main' }, () => bytes)
  registry.add(BYTES, { pipeline: 'one', node: 'backup' }, () => 7)
  bytes = 6
  const family = familyOf(registry, 'millrace_node_received_bytes_total')
  assert.equal(family?.kind, 'counter')
  assert.deepEqual(
    family?.rows.map((row) => row.value),
    [6, 7],
  )
})

test('rows of a metric get the constant labels, which take precedence', () => {
  const registry = new MetricsRegistry()
  const declaration = { name: 'drops_total', kind: 'counter', help: 'Drops.', labels: ['reason', 'node'] } as const
  registry.add(declaration, { node: 'main' }, () => new Map([[{ reason: 'full', node: 'forged' }, 3]]))
  assert.deepEqual(familyOf(registry, 'millrace_drops_total')?.rows, [
    { labels: { reason: 'full', node: 'main' }, value: 3 },
  ])
})

test('a read that throws is left out and counted, the others stay', () => {
  const failed: string[] = []
  const registry = new MetricsRegistry((metric) => failed.push(metric))
  registry.add(BYTES, { node: 'broken' }, () => {
    throw new Error('no')
  })
  registry.add(BYTES, { node: 'sound' }, () => 1)
  registry.add({ name: 'x', kind: 'gauge', help: 'x' }, {}, () => [[{ undeclared: 'label' }, 1]])
  assert.deepEqual(familyOf(registry, 'millrace_node_received_bytes_total')?.rows, [
    { labels: { node: 'sound' }, value: 1 },
  ])
  assert.deepEqual(failed, ['millrace_node_received_bytes_total', 'millrace_x'])
  assert.equal(familyOf(registry, 'millrace_metric_read_errors_total')?.rows[0]?.value, 4)
})

test('a read that fails halfway contributes nothing, whatever it throws', () => {
  const registry = new MetricsRegistry()
  registry.add({ name: 'pids', kind: 'gauge', help: 'PIDs.', labels: ['pid'] }, {}, function* () {
    yield [{ pid: '1' }, 1]
    throw new RangeError('of its own')
  })
  assert.equal(familyOf(registry, 'millrace_pids'), undefined)
})

test('rows beyond the ceiling are left out', () => {
  const registry = new MetricsRegistry()
  registry.add({ name: 'pids', kind: 'gauge', help: 'PIDs.', labels: ['pid'] }, {}, () =>
    Array.from({ length: 2000 }, (_, pid) => [{ pid: `${pid}` }, 1] as const),
  )
  assert.equal(familyOf(registry, 'millrace_pids')?.rows.length, 1000)
})

test('a name with another help text or kind is refused, and so are malformed names', () => {
  const registry = new MetricsRegistry()
  registry.add(BYTES, {}, () => 1)
  assert.throws(() => registry.add({ ...BYTES, help: 'Other.' }, { a: 'b' }, () => 1), TypeError)
  assert.throws(() => registry.add({ ...BYTES, kind: 'gauge' }, { a: 'b' }, () => 1), TypeError)
  assert.throws(() => registry.add({ name: 'a-b', kind: 'gauge', help: '' }, {}, () => 1), TypeError)
  assert.throws(() => registry.add({ name: 'things', kind: 'counter', help: '' }, {}, () => 1), /_total/)
  assert.throws(() => registry.add({ name: 'g', kind: 'gauge', help: '' }, { 'a b': '' }, () => 1), TypeError)
})

test('disposed metrics vanish, and their name is free again', () => {
  const registry = new MetricsRegistry()
  const added = registry.add(BYTES, {}, () => 1)
  added[Symbol.dispose]()
  added[Symbol.dispose]()
  assert.equal(familyOf(registry, 'millrace_node_received_bytes_total'), undefined)
  registry.add({ ...BYTES, help: 'Other.' }, {}, () => 1)
  added[Symbol.dispose]()
  assert.equal(familyOf(registry, 'millrace_node_received_bytes_total')?.help, 'Other.')
})

test('if two members have the same labels, the later one counts', () => {
  const registry = new MetricsRegistry()
  const before = registry.add(BYTES, { node: 'a' }, () => 1)
  registry.add(BYTES, { node: 'a' }, () => 2)
  assert.deepEqual(familyOf(registry, 'millrace_node_received_bytes_total')?.rows, [
    { labels: { node: 'a' }, value: 2 },
  ])
  before[Symbol.dispose]()
  assert.equal(familyOf(registry, 'millrace_node_received_bytes_total')?.rows.length, 1)
})

test('histograms are collected with cumulative buckets, sum and count', () => {
  const registry = new MetricsRegistry()
  const histogram = new Histogram([1, 5])
  histogram.observe(0.5)
  histogram.observe(3)
  const added = registry.addHistogram('delay_seconds', 'Delay.', { node: 'a' }, histogram)
  const family = familyOf(registry, 'millrace_delay_seconds')
  assert.equal(family?.kind, 'histogram')
  assert.equal(family?.rows[0]?.value, 3.5)
  assert.equal(family?.rows[0]?.count, 2)
  assert.deepEqual(family?.rows[0]?.buckets?.slice(0, 2), [
    [1, 1],
    [5, 2],
  ])
  added[Symbol.dispose]()
  assert.equal(familyOf(registry, 'millrace_delay_seconds'), undefined)
})

test('a metric whose name is fixed by convention has no prefix', () => {
  const registry = new MetricsRegistry()
  registry.addUnprefixed({ name: 'process_open_fds', kind: 'gauge', help: 'Open.' }, {}, () => 20)
  assert.equal(familyOf(registry, 'process_open_fds')?.rows[0]?.value, 20)
})
