import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { NodeSettings } from '../../graph/graph.js'
import { until } from '../../listen/loopback.test.kit.js'
import { RecordingOutput, ScriptedSource, testError } from '../run.test.kit.js'
import { defineService } from '../../plugin/define.js'
import { common, input, mid, node, output, serving, transform, ThrowingTransform } from '../scripted-nodes.test.kit.js'
import { ReloadHarness } from './reload.test.kit.js'

/** Throws at its third chunk. */
function brokenOutput() {
  return output(() => {
    const made = new RecordingOutput()
    made.onChunk = () => {
      if (made.seqs.length === 3) throw new Error('broken')
    }
    return made
  })
}

const more = (definition = brokenOutput()): NodeSettings => node('one/more', definition, { from: 'one/main' })

async function rolledBack(harness: ReloadHarness): Promise<void> {
  await until(() => harness.rolledBack.length > 0, 'it has been rolled back')
  await harness.idle()
}

async function flows(harness: ReloadHarness): Promise<void> {
  const { length } = harness.output.chunks
  await until(() => harness.output.chunks.length > length, 'the stream continues')
}

describe('an added node of an engine', () => {
  test('is removed again, alone and once, when it fails during its probation', async () => {
    await using harness = await new ReloadHarness().start()
    harness.send(7)
    using _flow = harness.flow()
    await harness.reload(more())
    await rolledBack(harness)
    assert.deepEqual(harness.rolledBack, [
      { node: 'one/more', why: 'broken (an added node: it has been removed again)' },
    ])
    assert.deepEqual(harness.states, { 'one/main': 'ready', 'one/out': 'ready' })
    assert.equal(harness.output.isComplete, false)
    await flows(harness)
    // The next reload adds it again.
    await harness.reload(more(output(() => new RecordingOutput())))
    const states: Record<string, string> = harness.states
    assert.equal(states['one/more'], 'ready')
  })

  test('is rolled back with the whole reload if another node reads it', async () => {
    const broken = transform(() => new ThrowingTransform((seq) => seq >= 40))
    await using harness = await new ReloadHarness().start()
    harness.send(7)
    using _flow = harness.flow()
    await harness.reload(
      mid(broken),
      node(
        'two/main',
        input(() => new ScriptedSource()),
      ),
    )
    await rolledBack(harness)
    assert.deepEqual(harness.rolledBack, [
      { node: 'one/mid', why: 'broken at 40 (the whole previous configuration is running again)' },
    ])
    assert.deepEqual(harness.states, { 'one/main': 'ready', 'one/out': 'ready' })
    await flows(harness)
  })

  test('is removed with its pipeline if it was the only node there', async () => {
    await using harness = await new ReloadHarness().start()
    harness.send(7)
    using _flow = harness.flow()
    const source = new ScriptedSource()
    await harness.reload(
      node(
        'two/main',
        input(() => source),
      ),
    )
    source.error(testError('TEST_CONFIG', 'wrong'))
    await rolledBack(harness)
    assert.equal(harness.rolledBack[0]?.node, 'two/main')
    assert.deepEqual(
      harness.engine.graph.pipelines.map(({ name }) => name),
      ['one'],
    )
    await flows(harness)
  })

  test('stays when it fails with a retryable error', async () => {
    await using harness = await new ReloadHarness().start()
    const source = new ScriptedSource()
    await harness.reload(
      node(
        'two/main',
        input(() => source),
      ),
    )
    source.error(testError('TEST_RETRY', 'later'))
    await harness.idle()
    assert.deepEqual([harness.states['two/main'], harness.rolledBack], ['waiting', []])
  })

  test('that cannot claim its endpoint changes nothing', async () => {
    const taken = serving()
    const serve = node('one/serve', taken, { from: 'one/main', path: '/a' })
    await using harness = await new ReloadHarness().start(serve)
    harness.send(7)
    using _flow = harness.flow()
    const viewer = harness.viewer('/a')
    await viewer.saw('200 OK')
    const more = node('one/more', taken, { from: 'one/main', path: '/a' })
    await assert.rejects(harness.reload(serve, more), { code: 'LISTEN_PATH_TAKEN' })
    assert.deepEqual(
      [Object.keys(harness.states).sort(), harness.rolledBack],
      [['one/main', 'one/out', 'one/serve'], []],
    )
    await viewer.received(viewer.length + 1000)
    viewer.close()
  })
})

describe('an added node that needs a resource that another one holds', () => {
  /** Outputs and services that all need the same resource; `bad` ones can't open. */
  const exclusive = { exclusive: () => [{ kind: 'file' as const, path: '/rec/a.ts' }] }
  const openIfGood = (swap: string): void => {
    if (swap === 'bad') throw new Error('disk full')
  }
  const recorder = output(({ swap }) => {
    openIfGood(swap)
    return new RecordingOutput()
  }, exclusive)
  const service = defineService({
    ...common,
    ...exclusive,
    type: 'test-service',
    open: ({ value: { swap } }) => {
      openIfGood(swap)
      return { [Symbol.asyncDispose]: () => Promise.resolve() }
    },
  })

  test('is removed again if it cannot open once the resource is released', async () => {
    await using harness = await new ReloadHarness().start(node('one/old', recorder, { from: 'one/main' }))
    harness.send(7)
    using _flow = harness.flow()
    await harness.reload(node('one/new', recorder, { from: 'one/main', swap: 'bad' }))
    assert.equal(harness.verbs['one/new'], 'handoff')
    await rolledBack(harness)
    assert.deepEqual(
      harness.rolledBack.map(({ node: id, why }) => [id, why]),
      [['one/new', 'disk full (an added node: it has been removed again)']],
    )
    assert.deepEqual(harness.states, { 'one/main': 'ready', 'one/out': 'ready' })
    await flows(harness)
  })

  test('is removed again if it is a service, too', async () => {
    await using harness = await new ReloadHarness().start(node('services/old', service))
    harness.send(1)
    await harness.reload(node('services/new', service, { swap: 'bad' }))
    await rolledBack(harness)
    assert.deepEqual(
      harness.rolledBack.map(({ node: id }) => id),
      ['services/new'],
    )
    assert.deepEqual(harness.states, { 'one/main': 'ready', 'one/out': 'ready' })
  })
})
