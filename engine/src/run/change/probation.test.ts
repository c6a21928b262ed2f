import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openRoom, routeOptions } from '../../deliver/delivery.test.kit.js'
import type { Graph, NodeSettings } from '../../graph/graph.js'
import { until } from '../../listen/loopback.test.kit.js'
import { FakeClock } from '../../testing/fake-clock.js'
import { NodeEndpoints } from '../node/node-endpoints.js'
import { Probation } from './probation.js'
import { ReloadHarness } from './reload.test.kit.js'
import { RecordingOutput, outputOf, settings } from '../run.test.kit.js'
import { mid, node, output, Sources, transform, ThrowingTransform } from '../scripted-nodes.test.kit.js'

const definition = outputOf(() => new RecordingOutput())
const NO_GRAPH = { pipelines: [], services: [], listeners: [] } as unknown as Graph

describe('the probation of a node', () => {
  test('lasts for half a minute, and leaves no timer', () => {
    const clock = new FakeClock()
    const probation = new Probation(clock)
    const [before, now] = [settings('one/ts', definition), settings('one/ts', definition)]
    probation.begin(
      { settings: now, endpoints: { retain: () => undefined }, calls: { isOnProbation: false } },
      { settings: before, graph: NO_GRAPH },
    )
    clock.advance(29_999)
    assert.equal(clock.pending, 1)
    clock.advance(1)
    assert.equal(clock.pending, 0)
    assert.equal(probation.end(now), undefined)
  })

  test('returns the old settings of the node once', () => {
    const clock = new FakeClock()
    const probation = new Probation(clock)
    const [before, now] = [settings('one/ts', definition), settings('one/ts', definition)]
    probation.begin(
      { settings: now, endpoints: { retain: () => undefined }, calls: { isOnProbation: false } },
      { settings: before, graph: NO_GRAPH },
    )
    assert.equal(probation.end(now)?.settings, before)
    assert.equal(probation.end(now), undefined)
    assert.equal(clock.pending, 0)
  })

  test('continues when another reload keeps the node, with its current settings', () => {
    const probation = new Probation(new FakeClock())
    const [before, now, later] = [0, 1, 2].map(() => settings('one/ts', definition)) as [
      NodeSettings,
      ...NodeSettings[],
    ]
    probation.begin(
      { settings: now!, endpoints: { retain: () => undefined }, calls: { isOnProbation: false } },
      { settings: before, graph: NO_GRAPH },
    )
    probation.updateSettings(now!, later!)
    assert.equal(probation.end(now!), undefined)
    assert.equal(probation.end(later!)?.settings, before)
  })

  test('that starts again keeps the viewers of the node for the full time', async () => {
    await using room = await openRoom()
    const clock = new FakeClock()
    const probation = new Probation(clock)
    const endpoints = new NodeEndpoints({
      delivery: room.delivery,
      listeners: { http: () => room.listener },
      owner: () => 'one/ts',
      call: (run) => run(),
      enter: (run) => run(),
      isStandby: false,
    })
    const begin = (): void => {
      const target = { settings: settings('one/ts', definition), graph: NO_GRAPH }
      probation.begin({ settings: settings('one/ts', definition), endpoints, calls: { isOnProbation: false } }, target)
    }
    const route = endpoints.delivery.open(routeOptions())
    begin()
    clock.advance(20_000)
    begin()
    clock.advance(11_000)
    await route[Symbol.asyncDispose]()
    assert.equal(room.delivery.routes().length, 1)
    clock.advance(19_000)
    await until(() => room.delivery.routes().length === 0, 'the route is gone')
  })
})

describe('a changed node of an engine', () => {
  /** If its `swap` is `bad`, throws once `isFailing` is set. */
  const failing = () => {
    const state = { isFailing: false }
    const made = transform(({ value }) => new ThrowingTransform(() => value.swap === 'bad' && state.isFailing))
    return { state, definition: made }
  }

  test('is rolled back even after a reload of another node', async () => {
    const { state, definition: throwing } = failing()
    const out = output(() => new RecordingOutput())
    const nodes = (swap: string, live: string): NodeSettings[] => [
      mid(throwing, { swap }),
      node('one/out', out, { from: 'one/mid', live }),
    ]
    await using harness = await new ReloadHarness().start(...nodes('good', ''))
    harness.send(7)
    using _flow = harness.flow()
    await harness.reload(...nodes('bad', ''))
    await harness.reload(...nodes('bad', 'other'))
    assert.deepEqual(harness.verbs, { 'one/main': 'keep', 'one/mid': 'keep', 'one/out': 'live' })
    state.isFailing = true
    await until(() => harness.rolledBack.length > 0, 'it has been rolled back')
    assert.deepEqual([harness.states['one/mid'], harness.swapOf('one/mid')], ['ready', 'good'])
  })

  test('keeps the repair of a later reload if it fails during that reload', async () => {
    let open: (() => void) | undefined
    const state = { isFailing: false }
    const throwing = transform(({ value }) => {
      if (value.swap !== 'fixed') return new ThrowingTransform(() => value.swap === 'bad' && state.isFailing)
      return new Promise((resolve) => {
        open = () => resolve(new ThrowingTransform())
      })
    })
    await using harness = await new ReloadHarness().start(mid(throwing, { swap: 'good' }))
    harness.send(7)
    using _flow = harness.flow()
    await harness.reload(mid(throwing, { swap: 'bad' }))
    const fixing = harness.reload(mid(throwing, { swap: 'fixed' }))
    await until(() => open !== undefined, 'the repaired one opens')
    state.isFailing = true
    await until(() => harness.states['one/mid'] === 'failed', 'the broken one has failed')
    open?.()
    await fixing
    await harness.idle()
    assert.deepEqual([harness.states['one/mid'], harness.swapOf('one/mid')], ['ready', 'fixed'])
    assert.deepEqual(harness.rolledBack, [])
    const { length } = harness.output.chunks
    await until(() => harness.output.chunks.length > length, 'the stream continues')
  })

  test('is reported once if it fails between the commit and the end of the reload', async () => {
    const throwing = transform(({ value }) => new ThrowingTransform(() => value.swap === 'bad'))
    await using harness = await new ReloadHarness().start(mid(throwing, { swap: 'good' }))
    harness.send(7)
    const { graph } = harness.engine
    const applying = harness.reload(mid(throwing, { swap: 'bad' }))
    await harness.committed(graph)
    harness.send(1)
    await applying
    await harness.idle()
    assert.deepEqual(
      harness.rolledBack.map(({ node: id }) => id),
      ['one/mid'],
    )
    assert.deepEqual([harness.states['one/mid'], harness.swapOf('one/mid')], ['ready', 'good'])
  })

  test('is rolled back alone if the node it reads has been renamed since, and an added node stays', async () => {
    const { state, definition: throwing } = failing()
    const [sources, more] = [new Sources(), new RecordingOutput()]
    const added = output(() => more)
    const nodes = (name: string, swap: string): NodeSettings[] => [
      node(`one/${name}`, sources.definition, name === 'main' ? {} : { was: 'one/main' }),
      mid(throwing, { from: `one/${name}`, swap }),
      ...(name === 'main' ? [] : [node('one/more', added, { from: `one/${name}` })]),
    ]
    await using harness = await new ReloadHarness().start(...nodes('main', 'good'))
    const source = sources.of('')
    harness.send(7, source)
    using _flow = harness.flow(source)
    await harness.reload(...nodes('src', 'bad'))
    await until(() => more.chunks.length > 0, 'the added one has the stream')
    state.isFailing = true
    await until(() => harness.rolledBack.length > 0, 'it has been rolled back')
    assert.deepEqual(harness.states, {
      'one/src': 'ready',
      'one/mid': 'ready',
      'one/more': 'ready',
      'one/out': 'ready',
    })
    assert.equal(harness.swapOf('one/mid'), 'good')
    assert.equal(more.isComplete, false)
    const { length } = harness.output.chunks
    await until(() => harness.output.chunks.length > length, 'the stream continues')
  })
})
