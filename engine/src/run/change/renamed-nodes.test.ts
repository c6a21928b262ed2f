import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { NodeSettings } from '../../graph/graph.js'
import { until } from '../../listen/loopback.test.kit.js'
import { ReloadHarness } from './reload.test.kit.js'
import { RecordingOutput } from '../run.test.kit.js'
import { node, output, serving, transform, ThrowingTransform } from '../scripted-nodes.test.kit.js'

describe('a node that is renamed and changed in one edit', () => {
  test('keeps its new name in the graph and in the engine when it is rolled back, and a later reload keeps it', async () => {
    const opened: string[] = []
    const throwing = transform(({ value }) => {
      opened.push(value.swap)
      return new ThrowingTransform(() => value.swap === 'bad')
    })
    const outputs: RecordingOutput[] = []
    const out = output(() => {
      const output = new RecordingOutput()
      outputs.push(output)
      return output
    })
    const nodes = (name: string, swap: string, live: string): NodeSettings[] => [
      node(`one/${name}`, throwing, { from: 'one/main', swap, ...(name === 'old' ? {} : { was: 'one/old' }) }),
      node('one/out', out, { from: `one/${name}`, live }),
    ]
    await using harness = await new ReloadHarness().start(...nodes('old', 'good', ''))
    harness.send(7)
    const { graph } = harness.engine
    const applying = harness.reload(...nodes('new', 'bad', ''))
    await harness.committed(graph)
    harness.send(1)
    await applying
    await harness.idle()
    using _flow = harness.flow()
    assert.equal(harness.rolledBack.length, 1)
    assert.deepEqual(harness.states, { 'one/main': 'ready', 'one/new': 'ready', 'one/out': 'ready' })
    assert.equal(harness.swapOf('one/new'), 'good')
    const { cuts } = await harness.reload(...nodes('new', 'good', 'other'))
    assert.deepEqual(cuts, [])
    assert.equal(harness.verbs['one/old'], undefined)
    assert.deepEqual(harness.states, { 'one/main': 'ready', 'one/new': 'ready', 'one/out': 'ready' })
    assert.deepEqual(opened, ['good', 'bad'])
    const length = outputs[0]?.chunks.length ?? 0
    await until(() => (outputs[0]?.chunks.length ?? 0) > length, 'the stream continues')
    assert.equal(outputs.length, 1)
  })

  test('keeps its viewers, under the new name, when it is rolled back', async () => {
    const definition = serving({ isBroken: ({ swap }, { origin }) => swap === 'bad' && origin.seq > 60 })
    const before = node('one/ts', definition, { from: 'one/main', path: '/live', swap: 'good' })
    const after = node('one/live', definition, { from: 'one/main', path: '/live', swap: 'bad', was: 'one/ts' })
    await using harness = await new ReloadHarness().start(before)
    harness.send(6)
    const viewer = harness.viewer('/live')
    using _flow = harness.flow()
    await viewer.saw('200 OK')
    await harness.reload(after)
    await until(() => harness.rolledBack.length > 0, 'it has been rolled back')
    await viewer.received(viewer.length + 1000)
    assert.deepEqual(
      harness.engine.clients().map(({ node: id }) => id),
      ['one/live'],
    )
    viewer.close()
  })

  test('is served at its new path, and no longer at the old one, while its source is silent', async () => {
    const definition = serving()
    const before = node('one/ts', definition, { from: 'one/main', path: '/old', swap: 'a' })
    const after = node('one/live', definition, { from: 'one/main', path: '/new', swap: 'b', was: 'one/ts' })
    await using harness = await new ReloadHarness().start(before)
    await harness.reload(after)
    assert.equal(harness.verbs['one/live'], 'swap')
    using _flow = harness.flow()
    assert.deepEqual([await harness.statusOf('/old'), await harness.statusOf('/new')], [404, 200])
  })
})
