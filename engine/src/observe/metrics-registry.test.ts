import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseExposition, type ParsedFamily } from './exposition.test.kit.js'
import { Histogram } from './histogram.js'
import { MetricFamily, ROWS_PER_TURN } from './metric-family.js'
import { MetricsRegistry } from './metrics-registry.js'

async function familyOf(registry: MetricsRegistry, name: string): Promise<ParsedFamily | undefined> {
  return parseExposition(await registry.render()).get(name)
}

async function rowsOf(registry: MetricsRegistry, name: string): Promise<unknown> {
  return (await familyOf(registry, name))?.samples.map(({ labels, value }) => ({ labels, value }))
}

const BYTES = { name: 'node_received_bytes_total', kind: 'counter', help: 'Bytes received.' } as const

test('metrics are grouped into families under the prefix and read at the time of a scrape', async () => {
  const registry = new MetricsRegistry()
  let bytes = 5
  registry.add(BYTES, { pipeline: 'one', node: 'main' }, () => bytes)
  registry.add(BYTES, { pipeline: 'one', node: 'backup' }, () => 7)
  bytes = 6
  const family = await familyOf(registry, 'millrace_node_received_bytes_total')
  assert.deepEqual([family?.type, family?.help], ['counter', 'Bytes received.'])
  assert.deepEqual(
    new Map(family?.samples.map(({ labels, value }) => [labels['node'], value])),
    new Map([
      ['main', 6],
      ['backup', 7],
    ]),
  )
})

test('rows of a metric get the constant labels, which take precedence', async () => {
  const registry = new MetricsRegistry()
  const declaration = { name: 'drops_total', kind: 'counter', help: 'Drops.', labels: ['reason', 'node'] } as const
  registry.add(declaration, { node: 'main' }, () => new Map([[{ reason: 'full', node: 'forged' }, 3]]))
  assert.deepEqual(await rowsOf(registry, 'millrace_drops_total'), [
    { labels: { reason: 'full', node: 'main' }, value: 3 },
  ])
})

test('label values and help texts survive quotes, backslashes, newlines, commas and braces', async () => {
  const nasty = 'a"b\\c\nd,e="f"} 1\\n'
  const registry = new MetricsRegistry()
  const declaration = { name: 'g', kind: 'gauge', help: 'one\ntwo \\ three', labels: ['x'] } as const
  registry.add(declaration, { constant: nasty }, () => [[{ x: nasty }, 1]])
  const family = await familyOf(registry, 'millrace_g')
  assert.equal(family?.help, 'one\ntwo \\ three')
  assert.deepEqual(family?.samples[0]?.labels, { x: nasty, constant: nasty })
})

test('infinite values and NaN are written as the format requires', async () => {
  const values = [NaN, Infinity, -Infinity, -1.5, 1e300, 2 ** 53]
  const registry = new MetricsRegistry()
  const declaration = { name: 'g', kind: 'gauge', help: 'h', labels: ['i'] } as const
  registry.add(declaration, {}, () => values.map((value, index) => [{ i: `${index}` }, value] as const))
  assert.deepEqual(
    (await familyOf(registry, 'millrace_g'))?.samples.map(({ value }) => value),
    values,
  )
})

test('a read that throws is left out and counted, the others stay', async () => {
  const failed: string[] = []
  const registry = new MetricsRegistry((metric) => failed.push(metric))
  registry.add(BYTES, { node: 'broken' }, () => {
    throw new Error('no')
  })
  registry.add(BYTES, { node: 'backwards' }, () => -1)
  registry.add(BYTES, { node: 'sound' }, () => 1)
  registry.add({ name: 'x', kind: 'gauge', help: 'x' }, {}, () => [[{ undeclared: 'label' }, 1]])
  const families = parseExposition(await registry.render())
  assert.deepEqual(families.get('millrace_node_received_bytes_total')?.samples, [
    { name: 'millrace_node_received_bytes_total', labels: { node: 'sound' }, value: 1 },
  ])
  const bytes = 'millrace_node_received_bytes_total'
  assert.deepEqual(failed, [bytes, bytes, 'millrace_x'])
  assert.equal(families.get('millrace_metric_read_errors_total')?.samples[0]?.value, 3)
  assert.equal(families.has('millrace_x'), false)
})

test('a failing metric is reported once, with its labels, until it can be read again; each failure is counted', async () => {
  const failures: unknown[] = []
  const registry = new MetricsRegistry((metric, error, labels) => failures.push([metric, String(error), labels]))
  let isBroken = true
  registry.add(BYTES, { node: 'one' }, () => {
    if (isBroken) throw new Error('no')
    return 1
  })
  registry.add(BYTES, { node: 'other' }, () => -1)
  const bytes = 'millrace_node_received_bytes_total'
  const one = [bytes, 'Error: no', { node: 'one' }]
  const other = [bytes, 'RangeError: the counter is -1', { node: 'other' }]
  await registry.render()
  await registry.render()
  assert.deepEqual(failures, [other, one])
  isBroken = false
  await registry.render()
  isBroken = true
  const text = await registry.render()
  assert.deepEqual(failures, [other, one, one])
  const counted = parseExposition(text).get('millrace_metric_read_errors_total')?.samples[0]?.value
  assert.equal(counted, 7)
})

test('a metric that cannot be rendered is reported once, too', async (t) => {
  const failures: unknown[] = []
  const registry = new MetricsRegistry((metric, _error, labels) => failures.push([metric, labels]))
  registry.add({ name: 'x', kind: 'gauge', help: 'x' }, { node: 'one' }, () => 1)
  const original = Object.getOwnPropertyDescriptor(MetricFamily.prototype, 'get')?.value as MetricFamily['get']
  let isBroken = true
  t.mock.method(MetricFamily.prototype, 'get', function (this: MetricFamily) {
    if (isBroken && this.name === 'millrace_x') throw new Error('no')
    return Reflect.apply(original, this, [])
  })
  await registry.render()
  await registry.render()
  assert.deepEqual(failures, [['millrace_x', {}]])
  isBroken = false
  assert.notEqual(await familyOf(registry, 'millrace_x'), undefined)
  isBroken = true
  await registry.render()
  assert.equal(failures.length, 2)
})

test('a read that fails halfway contributes nothing, whatever it throws', async () => {
  const registry = new MetricsRegistry()
  registry.add({ name: 'pids', kind: 'gauge', help: 'PIDs.', labels: ['pid'] }, {}, function* () {
    yield [{ pid: '1' }, 1]
    throw new RangeError('of its own')
  })
  assert.equal(await familyOf(registry, 'millrace_pids'), undefined)
})

test('rows beyond the ceiling are left out', async () => {
  const registry = new MetricsRegistry()
  registry.add({ name: 'pids', kind: 'gauge', help: 'PIDs.', labels: ['pid'] }, {}, () =>
    Array.from({ length: 2000 }, (_, pid) => [{ pid: `${pid}` }, 1] as const),
  )
  assert.equal((await familyOf(registry, 'millrace_pids'))?.samples.length, 1000)
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

test('disposed metrics vanish, and their name is free again', async () => {
  const registry = new MetricsRegistry()
  const added = registry.add(BYTES, {}, () => 1)
  added[Symbol.dispose]()
  added[Symbol.dispose]()
  assert.equal(await familyOf(registry, 'millrace_node_received_bytes_total'), undefined)
  registry.add({ ...BYTES, help: 'Other.' }, {}, () => 1)
  added[Symbol.dispose]()
  assert.equal((await familyOf(registry, 'millrace_node_received_bytes_total'))?.help, 'Other.')
})

test('if two members have the same labels, the later one counts', async () => {
  const registry = new MetricsRegistry()
  const before = registry.add(BYTES, { node: 'a' }, () => 1)
  registry.add(BYTES, { node: 'a' }, () => 2)
  const after = [{ labels: { node: 'a' }, value: 2 }]
  assert.deepEqual(await rowsOf(registry, 'millrace_node_received_bytes_total'), after)
  before[Symbol.dispose]()
  assert.deepEqual(await rowsOf(registry, 'millrace_node_received_bytes_total'), after)
})

test('histograms have a sum, and cumulative buckets that end with +Inf, which equals the count', async () => {
  const registry = new MetricsRegistry()
  const histogram = new Histogram([0.5, 5])
  for (const value of [0.25, 3, 9]) histogram.observe(value)
  const added = registry.addHistogram('delay_seconds', 'Delay.', { node: 'a' }, histogram)
  assert.deepEqual(await familyOf(registry, 'millrace_delay_seconds'), {
    help: 'Delay.',
    type: 'histogram',
    samples: [
      { name: 'millrace_delay_seconds_bucket', labels: { le: '0.5', node: 'a' }, value: 1 },
      { name: 'millrace_delay_seconds_bucket', labels: { le: '5', node: 'a' }, value: 2 },
      { name: 'millrace_delay_seconds_bucket', labels: { le: '+Inf', node: 'a' }, value: 3 },
      { name: 'millrace_delay_seconds_sum', labels: { node: 'a' }, value: 12.25 },
      { name: 'millrace_delay_seconds_count', labels: { node: 'a' }, value: 3 },
    ],
  })
  added[Symbol.dispose]()
  assert.equal(await familyOf(registry, 'millrace_delay_seconds'), undefined)
})

test('a metric whose name is fixed by convention has no prefix', async () => {
  const registry = new MetricsRegistry()
  registry.addUnprefixed({ name: 'process_open_fds', kind: 'gauge', help: 'Open.' }, {}, () => 20)
  assert.equal((await familyOf(registry, 'process_open_fds'))?.samples[0]?.value, 20)
})

/** Runs in each turn of the event loop until disposed. */
function everyTurn(run: () => void): Disposable {
  const again = (): void => {
    run()
    next = setImmediate(again)
  }
  let next = setImmediate(again)
  return { [Symbol.dispose]: () => clearImmediate(next) }
}

test('the event loop turns after at most 500 rows, and all rows of a family are from the same moment', async (t) => {
  const registry = new MetricsRegistry()
  let turns = 0
  const names = ['a', 'b', 'c', 'd'].map((name) => ({ name, kind: 'gauge', help: 'h' }) as const)
  for (const [index, declaration] of names.entries()) {
    const rows = [ROWS_PER_TURN * 2 + 200, 300, 150, 60][index] ?? 0
    for (let row = 0; row < rows; row++) registry.add(declaration, { row: `${row}` }, () => turns)
  }
  const inTurn = new Map<number, number>()
  const original = Object.getOwnPropertyDescriptor(MetricFamily.prototype, 'get')?.value as MetricFamily['get']
  t.mock.method(MetricFamily.prototype, 'get', function (this: MetricFamily) {
    const family = original.call(this)
    inTurn.set(turns, (inTurn.get(turns) ?? 0) + family.values.length)
    return family
  })
  using _turns = everyTurn(() => turns++)
  const families = parseExposition(await registry.render())
  assert.equal(
    [...inTurn.values()].reduce((sum, rows) => sum + rows, 0),
    1200 + 300 + 150 + 60 + 1,
  )
  assert.ok(Math.max(...inTurn.values()) <= ROWS_PER_TURN, JSON.stringify([...inTurn]))
  assert.ok(inTurn.size >= 4, 'the loop has turned')
  for (const { name } of names) {
    const values = new Set(families.get(`millrace_${name}`)?.samples.map(({ value }) => value))
    assert.equal(values.size, 1, `${name} has rows from several moments: ${[...values].join()}`)
  }
})

test('simultaneous scrapes share one text, and the next one is new', async () => {
  const registry = new MetricsRegistry()
  let reads = 0
  registry.add({ name: 'g', kind: 'gauge', help: 'h' }, {}, () => ++reads)
  const [first, second] = await Promise.all([registry.render(), registry.render()])
  assert.equal(first, second)
  assert.equal(reads, 1)
  assert.notEqual(await registry.render(), first)
})

test('a family that is removed while it is rendered is left out, the others are rendered', async () => {
  const registry = new MetricsRegistry()
  const ending = Array.from({ length: 1200 }, (_, row) =>
    registry.add({ name: 'ending', kind: 'gauge', help: 'h' }, { row: `${row}` }, () => 1),
  )
  registry.add({ name: 'staying', kind: 'gauge', help: 'h' }, {}, () => 1)
  let turns = 0
  using _turns = everyTurn(() => {
    if (++turns === 2) for (const each of ending) each[Symbol.dispose]()
  })
  const families = parseExposition(await registry.render())
  assert.deepEqual([...families.keys()], ['millrace_staying', 'millrace_metric_read_errors_total'])
})
