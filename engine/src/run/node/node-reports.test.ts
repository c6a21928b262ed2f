import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Json, MetricDeclaration, NodeContext } from '../../plugin/contract.js'
import { defineOutput } from '../../plugin/define.js'
import { z } from 'zod'
import { OutputRunner } from './output-runner.js'
import { TransformRunner } from './transform-runner.js'
import { outputOf, PassingTransform, RecordingOutput, RunnerFixture, settings, transformOf } from '../run.test.kit.js'
import { type ParsedFamily, parseExposition } from '../../observe/exposition.test.kit.js'

interface Opened extends Disposable {
  readonly fixture: RunnerFixture
  readonly node: OutputRunner
  readonly context: NodeContext
}

async function openOutput(metrics: readonly MetricDeclaration[] = []): Promise<Opened> {
  const fixture = new RunnerFixture()
  const contexts: NodeContext[] = []
  const definition = defineOutput({
    type: 'test-out',
    summary: 'For tests.',
    consumes: ['ts'],
    inlets: 'one',
    options: z.strictObject({}),
    examples: [],
    metrics,
    open: (_options, context) => {
      contexts.push(context)
      return new RecordingOutput()
    },
  })
  const node = new OutputRunner(settings('one/out', definition), fixture.services)
  await node.start()
  return { fixture, node, context: contexts[0]!, [Symbol.dispose]: () => fixture[Symbol.dispose]() }
}

describe('the bytes that a node has sent', () => {
  test('are those it reports and those of its viewers, until it stops', async () => {
    using opened = await openOutput()
    const { node, context, fixture } = opened
    Object.assign(fixture.services, { sentBytesOf: () => 500 })
    context.sent(1000)
    context.sent(0)
    context.sent(24)
    assert.deepEqual([node.sentBytes, node.status().sentBytes], [1524, 1524])
    await node.stop('test')
    context.sent(9)
    assert.equal(node.sentBytes, 1524)
  })

  test('are whole counts, which never fall', async () => {
    using opened = await openOutput()
    for (const wrong of [Number.NaN, Infinity, -1]) assert.throws(() => opened.context.sent(wrong), RangeError)
    assert.equal(opened.node.sentBytes, 0)
  })

  test('are not reported by a node whose ports are counted', async () => {
    using fixture = new RunnerFixture()
    const definition = transformOf((context) => {
      context.sent(1)
      return new PassingTransform()
    })
    const node = new TransformRunner(settings('one/mid', definition), fixture.services)
    await assert.rejects(node.start(), /test-transform is not an output/)
  })
})

describe('the details of a node', () => {
  const cases: readonly { readonly name: string; readonly read: () => Json; readonly shown: Json | undefined }[] = [
    {
      name: 'are what it returns',
      read: () => ({ file: '/rec/a.ts', parts: [1, 2.5, true, null] }),
      shown: { file: '/rec/a.ts', parts: [1, 2.5, true, null] },
    },
    { name: 'hide secrets', read: () => ({ url: ['http://u:hunter22@a/'] }), shown: { url: ['http://u:***@a/'] } },
    {
      name: 'name the error that it throws, without secrets',
      read: () => {
        throw new Error('no hunter22')
      },
      shown: { error: 'no ***' },
    },
    {
      name: 'are bounded',
      read: () => 'x'.repeat(16 * 1024),
      shown: { error: 'the details are longer than 16 KiB' },
    },
    {
      name: 'may be just as long as the bound',
      read: () => 'x'.repeat(16 * 1024 - 2),
      shown: 'x'.repeat(16 * 1024 - 2),
    },
    {
      name: 'can be nothing that JSON cannot express',
      read: () => ({ count: 1n }) as unknown as Json,
      shown: { error: 'Do not know how to serialize a BigInt' },
    },
    { name: 'are missing while it returns undefined', read: () => undefined as unknown as Json, shown: undefined },
  ]
  for (const { name, read, shown } of cases) {
    test(name, async () => {
      using opened = await openOutput()
      opened.context.details(read)
      const status = opened.node.status()
      assert.deepEqual(status.details, shown)
      assert.equal('details' in status, shown !== undefined)
      assert.equal(opened.node.state, 'ready')
    })
  }

  test('are read at each request, and end with it', async () => {
    using opened = await openOutput()
    const { node, context } = opened
    assert.equal('details' in node.status(), false)
    let count = 0
    context.details(() => ++count)
    assert.deepEqual([node.status().details, node.status().details], [1, 2])
    context.details(() => 'other')
    assert.equal(node.status().details, 'other')
    await node.stop('test')
    context.details(() => 'late')
    assert.equal('details' in node.status(), false)
  })
})

describe('the events of a node', () => {
  test('have names and data that JSON can express', async () => {
    using opened = await openOutput()
    const { context, fixture } = opened
    const event = context.event as (name: unknown, data?: unknown) => void
    assert.throws(() => event(undefined), /must be text/)
    for (const wrong of [1n, {}, undefined]) assert.throws(() => event('mine', { count: wrong }), /count of the event/)
    const data = { count: 1, text: 'x', isOn: true }
    event('mine', data)
    data.count = 2
    const { kind, node, data: recorded } = fixture.events.recent().at(-1)!
    assert.deepEqual([kind, node, recorded], ['mine', 'one/out', { count: 1, text: 'x', isOn: true }])
  })

  test('contain a reason for being degraded as text', async () => {
    using opened = await openOutput()
    const degraded = opened.context.degraded as (why: unknown) => void
    degraded(7n)
    assert.equal(opened.node.status().why, '7')
  })
})

describe('what a node says about its state', () => {
  const HUGE = 'x'.repeat(1_000_000)
  const CUT = `${'x'.repeat(1024)}…`

  test('is logged once a minute while only its numbers differ, and another one at most once a second', async () => {
    using opened = await openOutput()
    const { context, fixture } = opened
    for (let i = 0; i < 1000; i++) context.degraded(`${i} are late`)
    context.degraded('all are late')
    fixture.clock.advance(1000)
    context.degraded('all are late now')
    assert.equal(opened.node.status().why, 'all are late now')
    context.degraded('all are late')
    assert.equal(opened.node.status().why, 'all are late')
    const lines = fixture.lines.filter(({ msg }) => msg === 'degraded')
    assert.deepEqual(
      lines.map((line) => [line['why'], line['leftOut']]),
      [
        ['0 are late', undefined],
        ['all are late now', 1],
      ],
    )
  })

  test('is cut in its status, in events and in the log', async () => {
    for (const report of [
      (context: NodeContext) => context.degraded(HUGE),
      (context: NodeContext) => context.idle(HUGE),
    ]) {
      using opened = await openOutput()
      report(opened.context)
      assert.equal(opened.node.status().why, CUT)
      assert.equal(opened.fixture.events.recent().at(-1)?.data['why'], CUT)
      assert.ok(JSON.stringify(opened.fixture.lines).length < 5000)
    }
  })

  test('is cut when it fails', async () => {
    using opened = await openOutput()
    opened.node.fail(new Error(HUGE))
    assert.equal(opened.node.status().why, CUT)
    assert.equal(opened.fixture.events.recent().at(-1)?.data['why'], CUT)
    assert.ok(opened.fixture.lines.some(({ msg }) => msg === CUT))
  })

  test('shows no part of a secret where it is cut', async () => {
    using opened = await openOutput()
    opened.context.degraded(`${'x'.repeat(1020)}hunter22`)
    assert.equal(opened.node.status().why, `${'x'.repeat(1020)}***`)
  })

  test('is not logged again when it is the same, with a secret in it', async () => {
    using opened = await openOutput()
    for (let i = 0; i < 3; i++) {
      opened.context.degraded('no answer from hunter22')
      opened.fixture.clock.advance(1000)
    }
    assert.equal(opened.fixture.lines.filter(({ msg }) => msg === 'degraded').length, 1)
  })
})

describe('the histogram of a node', () => {
  const delay: MetricDeclaration = {
    name: 'test_delay_seconds',
    kind: 'histogram',
    help: 'For tests.',
    buckets: [1, 2],
  }
  const count: MetricDeclaration = { name: 'test_total', kind: 'counter', help: 'For tests.' }

  test('is shown with its labels, and is always the same one', async () => {
    using opened = await openOutput([delay])
    const { context, fixture } = opened
    for (const value of [0.5, 1.5, 9]) context.histogram('test_delay_seconds').observe(value)
    const family = parseExposition(await fixture.metrics.render()).get('millrace_test_delay_seconds')
    assert.equal(family?.type, 'histogram')
    assert.deepEqual(valuesOf(family), [
      ['bucket', '1', 1],
      ['bucket', '2', 2],
      ['bucket', '+Inf', 3],
      ['sum', undefined, 11],
      ['count', undefined, 3],
    ])
    const { pipeline, node, type } = family?.samples[0]?.labels ?? {}
    assert.deepEqual([pipeline, node, type], ['one', 'out', 'test-out'])
  })

  test('continues from the values of the node it replaces', async () => {
    using opened = await openOutput([delay])
    const { context, fixture, node } = opened
    context.histogram('test_delay_seconds').observe(0.5)
    const contexts: NodeContext[] = []
    const definition = {
      ...outputOf((given) => {
        contexts.push(given)
        return new RecordingOutput()
      }),
      metrics: [delay],
    }
    const placement = { isStandby: true, before: node }
    const next = new OutputRunner(settings('one/out', definition), fixture.services, placement)
    await next.start()
    // Both have observed this one.
    for (const each of [context, ...contexts]) each.histogram('test_delay_seconds').observe(1.5)
    next.activate()
    await node.stop('replaced')
    contexts[0]?.histogram('test_delay_seconds').observe(1.5)
    const sumAndCount = async (): Promise<unknown> => {
      const family = parseExposition(await fixture.metrics.render()).get('millrace_test_delay_seconds')
      return valuesOf(family).slice(-2)
    }
    const expected = [
      ['sum', undefined, 3.5],
      ['count', undefined, 3],
    ]
    assert.deepEqual(await sumAndCount(), expected)
    context.histogram('test_delay_seconds').observe(1)
    assert.deepEqual(await sumAndCount(), expected)
  })

  test('cannot be used as a counter, nor a counter as a histogram', async () => {
    using opened = await openOutput([delay, count])
    assert.throws(() => opened.context.histogram('test_total'), /test_total is a counter/)
    assert.throws(() => opened.context.readMetric('test_delay_seconds', () => 1), /is a histogram/)
    assert.throws(() => opened.context.histogram('other'), /does not declare the metric other/)
  })
})

/** Of each sample: which part of the histogram it is, its bucket, and its value. */
function valuesOf(family: ParsedFamily | undefined): readonly unknown[] {
  const samples = family?.samples ?? []
  return samples.map(({ name, labels, value }) => [name.slice(name.lastIndexOf('_') + 1), labels['le'], value])
}
