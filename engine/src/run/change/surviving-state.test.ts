import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { merge } from 'rxjs'
import type { NodeSettings } from '../../graph/graph.js'
import type { AnyChunk, Definition, NodeContext, Previous } from '../../plugin/contract.js'
import { defineOutput, defineService, defineTransform } from '../../plugin/define.js'
import { PipelineHarness, ReloadHarness } from './reload.test.kit.js'
import { PassingTransform, reads, RecordingOutput, settings } from '../run.test.kit.js'
import { common, node, numbers, Sources } from '../scripted-nodes.test.kit.js'

const EXCLUSIVE = ['path:/rec/a.ts']

/** Outputs and services that count how often their state was handed on; one whose `swap` is `bad` cannot open. */
class Keepers {
  readonly seen: [swap: string, previous: Previous | undefined][] = []
  readonly contexts: NodeContext[] = []
  readonly output: Definition
  readonly service: Definition

  constructor(exclusive: readonly string[] = []) {
    this.output = defineOutput({
      ...common,
      type: 'test-out',
      consumes: ['ts'],
      inlets: 'one',
      exclusive: () => exclusive.map((name) => ({ kind: 'device', name })),
      open: ({ value: { swap } }, context, _deps, previous) => {
        this.contexts.push(context)
        return Object.assign(new RecordingOutput(), this.#open(swap, previous))
      },
    })
    this.service = defineService({
      ...common,
      type: 'test-service',
      exclusive: () => exclusive.map((name) => ({ kind: 'device', name })),
      open: ({ value: { swap } }, _context, _deps, previous) => this.#open(swap, previous),
    })
  }

  #open(swap: string, previous: Previous | undefined) {
    this.seen.push([swap, previous])
    if (swap === 'bad') throw new Error('cannot open')
    const count = typeof previous?.state === 'number' ? previous.state : 0
    let isOpen = true
    return {
      snapshotState: () => {
        assert.ok(isOpen, 'it has been disposed')
        return count + 1
      },
      [Symbol.asyncDispose]: () => {
        isOpen = false
        return Promise.resolve()
      },
    }
  }

  get states(): unknown[] {
    return this.seen.map(([swap, previous]) => [swap, previous?.state])
  }
}

describe('the state of an output', () => {
  const to = (definition: Definition, swap: string): NodeSettings =>
    node('one/rec', definition, { from: 'one/main', swap })

  test('survives a handoff, where the next output opens only after the old one has stopped', async () => {
    const keepers = new Keepers(EXCLUSIVE)
    await using harness = await new ReloadHarness().start(to(keepers.output, 'a'))
    using _flow = harness.flow()
    await harness.reload(to(keepers.output, 'b'))
    assert.equal(harness.verbs['one/rec'], 'handoff')
    const inlets = { kept: ['one/main.out'], added: [], removed: [], renamed: new Map() }
    assert.deepEqual(keepers.seen, [
      ['a', undefined],
      ['b', { state: 1, inlets }],
    ])
  })

  test('returns to the old output when the next one cannot open', async () => {
    const keepers = new Keepers(EXCLUSIVE)
    await using harness = await new ReloadHarness().start(to(keepers.output, 'a'))
    using _flow = harness.flow()
    await harness.reload(to(keepers.output, 'bad'))
    await harness.idle()
    assert.deepEqual(keepers.states.slice(0, 3), [
      ['a', undefined],
      ['bad', 1],
      ['a', 1],
    ])
  })

  test('is gone once it has failed, but the next one knows its inlets', async () => {
    const keepers = new Keepers()
    const main = node('one/main', new Sources().definition)
    await using harness = await new PipelineHarness(main, to(keepers.output, 'a')).start()
    harness.runner.find('one/rec')?.fail(new Error('broken'))
    await harness.change({ 'one/rec': 'swap' }, main, to(keepers.output, 'b'))
    const [, previous] = keepers.seen.at(-1) ?? []
    assert.deepEqual([previous?.state, previous?.inlets.kept], [undefined, ['one/main.out']])
  })

  test('is not given to a node of another type', async () => {
    const [keepers, seen] = [new Keepers(), [] as unknown[]]
    const other = defineOutput({
      ...common,
      type: 'other-out',
      consumes: ['ts'],
      inlets: 'one',
      open: (_options, _context, _deps, previous) => {
        seen.push(previous)
        return new RecordingOutput()
      },
    })
    await using harness = await new ReloadHarness().start(to(keepers.output, 'a'))
    using _flow = harness.flow()
    await harness.reload(to(other, 'a'))
    assert.deepEqual(seen, [undefined])
  })
})

test('the state of a service survives, and returns to it, like that of an output', async () => {
  const keepers = new Keepers(EXCLUSIVE)
  await using harness = await new ReloadHarness().start(node('services/a', keepers.service, { swap: 'a' }))
  await harness.reload(node('services/a', keepers.service, { swap: 'b' }))
  await harness.reload(node('services/a', keepers.service, { swap: 'bad' }))
  await harness.idle()
  assert.deepEqual(keepers.states.slice(0, 4), [
    ['a', undefined],
    ['b', 1],
    ['bad', 2],
    ['b', 2],
  ])
})

test('the bytes that an output reports as sent are counted once, across swaps', async () => {
  const [keepers, sources] = [new Keepers(), new Sources()]
  const nodes = (swap: string): NodeSettings[] => [
    node('one/main', sources.definition, { swap: 'main' }),
    node('one/rec', keepers.output, { from: 'one/main', swap }),
  ]
  await using harness = await new PipelineHarness(...nodes('a')).start()
  const sentBytes = (): number | undefined => harness.runner.status().nodes[1]?.sentBytes
  assert.equal(sentBytes(), 0)
  keepers.contexts[0]?.sent(1000)
  assert.equal(sentBytes(), 1000)
  harness.pass(700, sources.of('main'))
  const change = await harness.change({ 'one/rec': 'swap' }, ...nodes('b'))
  keepers.contexts[1]?.sent(20)
  harness.pass(1000, sources.of('main'))
  await change.finish()
  // The old one sends what it holds, and is then stopped.
  keepers.contexts[0]?.sent(300)
  keepers.contexts[1]?.sent(50)
  await Promise.all(change.drain(0).values())
  keepers.contexts[0]?.sent(7)
  assert.equal(sentBytes(), 1370)
})

test('an output with many inlets is cut over on each of them to the same stream, in whatever order', async () => {
  const [sources, got] = [new Sources(), new Map<string, AnyChunk[]>()]
  const both = defineOutput({
    ...common,
    type: 'test-both',
    consumes: ['ts'],
    inlets: 'many',
    open: () => ({
      accept: (inlets) =>
        merge(...inlets.map(({ chunks }) => chunks)).subscribe((each) => {
          const key = String(each.bytes.length)
          got.set(key, [...(got.get(key) ?? []), each])
        }),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
  })
  const nodes = (...from: readonly string[]): NodeSettings[] => [
    ...['a', 'b'].map((name) => node(`one/${name}`, sources.definition, { swap: name })),
    settings('one/out', both, { ...reads(...from), options: { swap: from.join(), live: '', path: '' } }),
  ]
  await using harness = await new PipelineHarness(...nodes('one/a', 'one/b')).start()
  let seq = 0
  const send = (count: number): void => {
    for (let sent = 0; sent < count; sent++, seq++) {
      for (const [name, length] of [
        ['a', 1],
        ['b', 2],
      ] as const) {
        const receivedAtMs = harness.fixture.clock.nowMs()
        const each = { origin: { generation: 0, seq }, receivedAtMs, discontinuity: false, randomAccess: seq % 5 === 0 }
        sources
          .of(name)
          .next({ ...each, kind: 'ts', bytes: new Uint8Array(length), marks: new Int32Array(0) } as AnyChunk)
      }
      harness.fixture.clock.advance(100)
    }
  }
  send(7)
  const change = await harness.change({ 'one/out': 'swap' }, ...nodes('one/b', 'one/a'))
  send(10)
  const { cuts } = await change.finish()
  send(3)
  assert.deepEqual(
    cuts.map(({ how }) => how),
    ['clean', 'clean'],
  )
  for (const chunks of got.values()) {
    assert.deepEqual(
      chunks.map(({ origin }) => origin.seq),
      numbers(0, 20),
    )
  }
})

describe('a transform is replaced', () => {
  const counting = (help: string, reading: () => number): Definition =>
    defineTransform({
      ...common,
      type: `test-${help}`,
      consumes: ['ts'],
      inlets: 'one',
      ports: [{ name: 'out', kind: 'ts' }],
      metrics: [{ name: 'test_total', kind: 'counter', help }],
      open: (_options, context) => {
        context.readMetric('test_total', reading)
        return new PassingTransform()
      },
    })
  const mid = (definition: Definition, swap: string): NodeSettings =>
    node('one/mid', definition, { from: 'one/main', swap })

  test('whether or not its counters can be read', async () => {
    const broken = counting('first', () => {
      throw new Error('unreadable')
    })
    await using harness = await new ReloadHarness().start(mid(broken, 'a'))
    using _flow = harness.flow()
    await harness.reload(mid(broken, 'b'))
    await harness.idle()
    assert.deepEqual([harness.states['one/mid'], harness.swapOf('one/mid'), harness.rolledBack], ['ready', 'b', []])
  })

  test('unless the next one declares a metric of it otherwise: that one does not open', async () => {
    await using harness = await new ReloadHarness().start(
      mid(
        counting('first', () => 1),
        'a',
      ),
    )
    using _flow = harness.flow()
    await assert.rejects(
      harness.reload(
        mid(
          counting('second', () => 1),
          'b',
        ),
      ),
      /test_total exists/,
    )
    assert.deepEqual([harness.states['one/mid'], harness.swapOf('one/mid'), harness.rolledBack], ['ready', 'a', []])
  })
})
