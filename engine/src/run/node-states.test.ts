import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { PipelineHarness, ReloadHarness } from './change/reload.test.kit.js'
import { RecordingOutput, ScriptedSource } from './run.test.kit.js'
import { input, node, output, Sources } from './scripted-nodes.test.kit.js'

const SO_FAR = 'connected, no packets so far'

/** An input that is connected, or idle with `swap: idle`. */
function connecting(sources: Map<string, ScriptedSource>): ReturnType<typeof input> {
  return input(({ swap }, context) => {
    const source = new ScriptedSource()
    sources.set(swap, source)
    if (swap === 'idle') context.idle('nobody publishes')
    else context.ready()
    return source
  })
}

describe('an engine', () => {
  test('starts without waiting for packets, and is not ready until they come', async () => {
    await using harness = await new ReloadHarness().start()
    assert.deepEqual(harness.states, { 'one/main': 'waiting', 'one/out': 'ready' })
    assert.deepEqual(harness.engine.readiness(), { ready: false, reasons: [`one/main: ${SO_FAR}`] })
    harness.send(1)
    assert.deepEqual(harness.engine.readiness(), { ready: true, reasons: [] })
    const kinds = harness.engine.events.recent().map(({ kind, node: id }) => `${id ?? ''} ${kind}`)
    assert.deepEqual(kinds, ['one/out node.ready', ' engine.running', 'one/main node.ready'])
  })

  test('is ready with an idle input and an idle output, and says why they are idle', async () => {
    const sources = new Map<string, ScriptedSource>()
    const quiet = output((_mode, context) => {
      context.idle('nobody watches')
      return new RecordingOutput()
    })
    await using harness = await new ReloadHarness().start(
      node('one/main', connecting(sources), { swap: 'idle' }),
      node('one/out', quiet, { from: 'one/main' }),
    )
    const shown = harness.engine.status().pipelines[0]?.nodes.map(({ state, why }) => [state, why])
    assert.deepEqual(shown, [
      ['idle', 'nobody publishes'],
      ['idle', 'nobody watches'],
    ])
    assert.deepEqual(harness.engine.readiness(), { ready: true, reasons: [] })
    const kinds = harness.engine.events.recent().map(({ kind }) => kind)
    assert.deepEqual(kinds.filter((kind) => kind === 'node.idle').length, 2)
  })
})

describe('a reload', () => {
  test('adds an input without waiting for its packets, and does not roll it back while none come', async () => {
    const sources = new Map<string, ScriptedSource>()
    await using harness = await new ReloadHarness().start()
    harness.send(1)
    await harness.reload(node('two/main', connecting(sources)))
    await harness.idle()
    assert.deepEqual([harness.states['two/main'], harness.rolledBack], ['waiting', []])
    assert.deepEqual(harness.engine.readiness()?.reasons, [`two/main: ${SO_FAR}`])
  })

  for (const swap of ['silent', 'idle']) {
    test(`replaces a source by one that is ${swap}, once it sends packets`, async () => {
      const sources = new Map<string, ScriptedSource>()
      const definition = connecting(sources)
      const nodes = (to: string) => [
        node('one/main', definition, { swap: to }),
        node(
          'one/out',
          output(() => new RecordingOutput()),
          { from: 'one/main' },
        ),
      ]
      await using harness = await new PipelineHarness(...nodes('a')).start()
      harness.pass(1000, sources.get('a')!)
      // No time passes until the new source is open.
      const change = await harness.change({ 'one/main': 'source' }, ...nodes(swap))
      harness.pass(1000, sources.get('a')!, sources.get(swap)!)
      await change.finish()
      const main = harness.runner.find('one/main')
      assert.deepEqual([main?.state, main?.settings.options], ['ready', { swap, live: '', path: '' }])
    })
  }

  test('that replaces a source which delivers by one which delivers changes no state', async () => {
    const [sources, kept] = [new Sources(), new RecordingOutput()]
    const out = output(() => kept)
    const nodes = (swap: string) => [
      node('one/main', sources.definition, { swap }),
      node('one/out', out, { from: 'one/main' }),
    ]
    await using harness = await new PipelineHarness(...nodes('a')).start()
    harness.pass(1000, sources.of('a'))
    const { events } = harness.fixture
    const before = events.recent().length
    const change = await harness.change({ 'one/main': 'source' }, ...nodes('b'))
    harness.pass(1000, sources.of('a'), sources.of('b'))
    await change.finish()
    assert.deepEqual([harness.runner.find('one/main')?.state, events.recent().slice(before)], ['ready', []])
  })

  test('that replaces a silent source by another one waits for the packets of the new one', async () => {
    const [sources, kept] = [new Sources(), new RecordingOutput()]
    const out = output(() => kept)
    const nodes = (swap: string) => [
      node('one/main', sources.definition, { swap }),
      node('one/out', out, { from: 'one/main' }),
    ]
    await using harness = await new PipelineHarness(...nodes('a')).start()
    harness.pass(1000, sources.of('a'))
    for (let second = 0; second < 10; second++) {
      harness.fixture.clock.advance(1000)
      harness.runner.sample()
    }
    assert.equal(harness.runner.find('one/main')?.why, 'connected, no packets for 5 s')
    const change = await harness.change({ 'one/main': 'source' }, ...nodes('b'))
    await change.finish()
    assert.equal(harness.runner.find('one/main')?.why, SO_FAR)
    harness.pass(100, sources.of('b'))
    assert.equal(harness.runner.find('one/main')?.state, 'ready')
  })
})

test('a sample has the numbers of a status, and asks no plugin for details', async () => {
  let asked = 0
  const sources = new ScriptedSource()
  const main = input((_, context) => {
    context.details(() => ({ asked: ++asked }))
    context.ready()
    return sources
  })
  await using harness = await new ReloadHarness().start(node('one/main', main))
  const { nodes, edges } = harness.engine.sample()
  assert.equal(asked, 0)
  const [pipeline] = harness.engine.status().pipelines
  assert.equal(asked, 1)
  assert.deepEqual(edges, pipeline?.edges)
  const numbers = pipeline?.nodes.map(({ id, state, receivedBytes, sentBytes, bitsPerSecond, clients }) => ({
    ...{ id, state, receivedBytes, sentBytes },
    ...(bitsPerSecond === undefined ? {} : { bitsPerSecond }),
    ...(clients === undefined ? {} : { clients }),
  }))
  assert.deepEqual(nodes, numbers)
})
