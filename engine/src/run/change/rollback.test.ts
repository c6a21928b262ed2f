import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { NodeSettings } from '../../graph/graph.js'
import { until } from '../../listen/loopback.test.kit.js'
import { ReloadHarness } from './reload.test.kit.js'
import { RecordingOutput } from '../run.test.kit.js'
import { mid, node, output, Sources, transform, ThrowingTransform } from '../scripted-nodes.test.kit.js'

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
