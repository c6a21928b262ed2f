import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MetricFamily } from '@millrace/engine/plugin'
import { parseExposition } from './parse-exposition.test.kit.js'
import { renderExposition } from './render-exposition.js'

function refuse(family: MetricFamily, error: unknown): never {
  throw new Error(`${family.name} was left out`, { cause: error })
}

test('counters and gauges have HELP, TYPE, labels and values', () => {
  const families = parseExposition(
    renderExposition(
      [
        {
          name: 'millrace_drops_total',
          kind: 'counter',
          help: 'Drops.',
          rows: [
            { labels: { node: 'a', reason: 'full' }, value: 3 },
            { labels: { node: 'b' }, value: 4 },
          ],
        },
        { name: 'process_open_fds', kind: 'gauge', help: 'Open.', rows: [{ labels: {}, value: 21 }] },
      ],
      refuse,
    ),
  )
  assert.deepEqual(families.get('millrace_drops_total'), {
    help: 'Drops.',
    type: 'counter',
    samples: [
      { name: 'millrace_drops_total', labels: { node: 'a', reason: 'full' }, value: 3 },
      { name: 'millrace_drops_total', labels: { node: 'b' }, value: 4 },
    ],
  })
  assert.deepEqual(families.get('process_open_fds')?.samples, [{ name: 'process_open_fds', labels: {}, value: 21 }])
})

test('label values and help texts survive quotes, backslashes, newlines, commas and braces', () => {
  const nasty = 'a"b\\c\nd,e="f"} 1\\n'
  const text = renderExposition(
    [
      {
        name: 'g',
        kind: 'gauge',
        help: 'one\ntwo \\ three',
        rows: [{ labels: { x: nasty }, value: 1 }],
      },
    ],
    refuse,
  )
  const family = parseExposition(text).get('g')
  assert.equal(family?.help, 'one\ntwo \\ three')
  assert.equal(family?.samples[0]?.labels['x'], nasty)
})

test('infinite values and NaN are written as the format requires', () => {
  const values = [NaN, Infinity, -Infinity, -1.5, 1e300, 2 ** 53]
  const rows = values.map((value, index) => ({ labels: { i: `${index}` }, value }))
  const text = renderExposition([{ name: 'g', kind: 'gauge', help: 'h', rows }], refuse)
  assert.deepEqual(
    parseExposition(text)
      .get('g')
      ?.samples.map((sample) => sample.value),
    values,
  )
})

test('histograms keep their cumulative buckets and end with +Inf, which equals the count', () => {
  for (const buckets of [
    [
      [0.5, 1],
      [2, 3],
    ] as const,
    [
      [0.5, 1],
      [2, 3],
      [Infinity, 4],
    ] as const,
  ]) {
    const row = { labels: { node: 'a' }, value: 12.5, count: 4, buckets }
    const text = renderExposition([{ name: 'delay_seconds', kind: 'histogram', help: 'Delay.', rows: [row] }], refuse)
    assert.deepEqual(parseExposition(text).get('delay_seconds'), {
      help: 'Delay.',
      type: 'histogram',
      samples: [
        { name: 'delay_seconds_bucket', labels: { node: 'a', le: '0.5' }, value: 1 },
        { name: 'delay_seconds_bucket', labels: { node: 'a', le: '2' }, value: 3 },
        { name: 'delay_seconds_bucket', labels: { node: 'a', le: '+Inf' }, value: 4 },
        { name: 'delay_seconds_sum', labels: { node: 'a' }, value: 12.5 },
        { name: 'delay_seconds_count', labels: { node: 'a' }, value: 4 },
      ],
    })
  }
})

test('a family that cannot be rendered is left out, the others are rendered', () => {
  const skipped: string[] = []
  const text = renderExposition(
    [
      { name: 'bad_total', kind: 'counter', help: 'h', rows: [{ labels: {}, value: -1 }] },
      { name: 'good', kind: 'gauge', help: 'h', rows: [{ labels: {}, value: 1 }] },
    ],
    (family) => skipped.push(family.name),
  )
  assert.deepEqual(skipped, ['bad_total'])
  assert.deepEqual([...parseExposition(text).keys()], ['good'])
})
