import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { until } from '../../listen/loopback.test.kit.js'
import { ReloadHarness } from './reload.test.kit.js'
import { RecordingOutput } from '../run.test.kit.js'
import {
  mid,
  node,
  numbers,
  output,
  serving,
  Sources,
  transform,
  ThrowingTransform,
} from '../scripted-nodes.test.kit.js'

/** Throws at its 40th chunk under `swap: bad`. */
function throwingWhenBad(): ReturnType<typeof transform> {
  return transform(({ value }) => new ThrowingTransform((seq) => value.swap === 'bad' && seq >= 40))
}

/** Reloads to `swap: bad`, and sends as many chunks as it takes to throw. */
async function failOnProbation(harness: ReloadHarness, throwing: ReturnType<typeof transform>): Promise<void> {
  harness.send(3)
  const applying = harness.reload(mid(throwing, { swap: 'bad' }))
  await until(() => {
    if (harness.output.seqs.length < 30) harness.send(1)
    return harness.output.seqs.length >= 30
  }, 'chunks have passed')
  await applying
  harness.send(20)
}

describe('a node that is changed', () => {
  test('passes its state to the node that replaces it', async () => {
    const seen: unknown[] = []
    const counting = transform((_options, previous) => {
      seen.push(previous)
      return Object.assign(new ThrowingTransform(), { snapshotState: () => 'state' })
    })
    await using harness = await new ReloadHarness().start(mid(counting))
    harness.send(7)
    let isApplied = false
    const applying = harness.reload(mid(counting, { swap: 'other' })).finally(() => (isApplied = true))
    // A source that is silent is not waited for.
    await until(() => {
      harness.send(1)
      return isApplied
    }, 'the reload is applied')
    const { cuts } = await applying
    const inlets = { kept: ['one/main.out'], added: [], removed: [], renamed: new Map() }
    assert.deepEqual(seen, [undefined, { state: 'state', inlets }])
    assert.deepEqual(
      cuts.map(({ node, how }) => [node, how]),
      [['one/out', 'clean']],
    )
    harness.send(3)
    assert.deepEqual(harness.output.seqs, numbers(0, harness.output.seqs.length))
  })

  test('that makes a stream of its own is cut over at a key frame, with a marked discontinuity', async () => {
    const making = transform(() => new ThrowingTransform(), { makesStream: true })
    await using harness = await new ReloadHarness().start(mid(making))
    harness.send(7)
    const sending = setInterval(() => harness.send(1), 2)
    const { cuts } = await harness.reload(mid(making, { swap: 'other' }))
    clearInterval(sending)
    assert.deepEqual(
      cuts.map(({ node, how }) => [node, how]),
      [['one/out', 'marked']],
    )
    harness.send(3)
    const marked = harness.output.chunks.filter(({ discontinuity }) => discontinuity === 'lost')
    assert.equal(marked.length, 1)
    assert.equal((marked[0]?.origin.seq ?? -1) % 5, 0)
  })

  test('is rolled back, once, when it fails during its probation', async () => {
    const throwing = throwingWhenBad()
    await using harness = await new ReloadHarness().start(mid(throwing))
    await failOnProbation(harness, throwing)
    await until(() => harness.states['one/mid'] === 'ready', 'the old definition runs again')
    await until(() => harness.rolledBack.length > 0, 'the roll-back is reported')
    assert.deepEqual(
      harness.rolledBack.map(({ node, why }) => [node, why]),
      [['one/mid', 'broken at 40']],
    )
    assert.equal(harness.swapOf('one/mid'), '')
    const before = harness.output.seqs.length
    harness.send(20)
    assert.ok(harness.output.seqs.length > before)
  })

  test('is rolled back before a change that waits for its turn, whose plan is outdated then', async () => {
    const throwing = throwingWhenBad()
    await using harness = await new ReloadHarness().start(mid(throwing))
    await failOnProbation(harness, throwing)
    assert.deepEqual([harness.swapOf('one/mid'), harness.rolledBack], ['bad', []])
    await assert.rejects(harness.reload(mid(throwing, { swap: 'bad', live: 'other' })), {
      code: 'RELOAD_OUTDATED',
    })
    assert.deepEqual([harness.swapOf('one/mid'), harness.rolledBack.length], ['', 1])
  })

  test('is rolled back when it throws at a live option', async () => {
    const picky = transform((options$) => {
      options$.subscribe(({ live }) => {
        if (live === 'bad') throw new Error('not this')
      })
      return new ThrowingTransform()
    })
    await using harness = await new ReloadHarness().start(mid(picky))
    harness.send(3)
    await harness.reload(mid(picky, { live: 'bad' }))
    await until(() => harness.rolledBack.length > 0, 'the roll-back is reported')
    assert.equal(harness.states['one/mid'], 'ready')
    const before = harness.output.seqs.length
    harness.send(20)
    assert.ok(harness.output.seqs.length > before)
  })

  test('that cannot open changes nothing', async () => {
    const closed = transform(({ value }) => {
      if (value.swap === 'bad') throw new Error('cannot open')
      return new ThrowingTransform()
    })
    await using harness = await new ReloadHarness().start(mid(closed))
    harness.send(3)
    const { graph } = harness.engine
    await assert.rejects(harness.reload(mid(closed, { swap: 'bad' })), { message: 'cannot open' })
    harness.send(20)
    assert.deepEqual(harness.output.seqs, numbers(0, 23))
    assert.equal(harness.engine.graph, graph)
    assert.deepEqual(harness.rolledBack, [])
  })

  test('is cut over in time, and cleanly, when the engine stops during a commit', async () => {
    const passing = transform(() => new ThrowingTransform())
    await using harness = await new ReloadHarness().start(mid(passing))
    harness.send(3)
    const { graph } = harness.engine
    const applying = harness.reload(mid(passing, { swap: 'other' }))
    await until(() => harness.engine.graph !== graph, 'the change is committed')
    await harness.engine.stop('SIGTERM')
    assert.deepEqual(
      (await applying).cuts.map(({ node, how }) => [node, how]),
      [['one/out', 'marked']],
    )
    await assert.rejects(harness.reload(mid(passing)), { code: 'RELOAD_STOPPING' })
  })
})

describe('an output that is changed', () => {
  test('loses no viewer when the new one fails during its probation', async () => {
    const definition = serving({ isBroken: ({ swap }, { origin }) => swap === 'bad' && origin.seq > 60 })
    const to = (swap: string) => node('one/serve', definition, { from: 'one/main', path: '/test', swap })
    await using harness = await new ReloadHarness().start(to('good'))
    harness.send(6)
    const viewer = harness.viewer('/test')
    using _flow = harness.flow()
    await viewer.saw('200 OK')
    await harness.reload(to('bad'))
    await until(() => harness.rolledBack.length > 0, 'it has been rolled back')
    await viewer.received(viewer.length + 1000)
    assert.equal(harness.engine.clients().length, 1)
    viewer.close()
  })

  test('leaves its queue to the new one, and no longer makes its source wait', async () => {
    const sources = new Sources({ canHold: true })
    const got: number[] = []
    const outputs: RecordingOutput[] = []
    const holding = output(() => {
      const output = new RecordingOutput()
      outputs.push(output)
      output.onChunk = ({ origin }) => {
        got.push(origin.seq)
        if (output === outputs[0] && origin.seq === 12) output.inlet?.hold()
      }
      return output
    })
    const nodes = (swap: string) => [
      node('one/main', sources.definition),
      node('one/out', holding, { from: 'one/main', swap }),
    ]
    await using harness = await new ReloadHarness().start(...nodes('a'))
    const source = sources.of('')
    harness.send(12, source)
    const { graph } = harness.engine
    const applying = harness.reload(...nodes('b'))
    await harness.committed(graph)
    // One read of a source makes several chunks: those after the first have to wait.
    harness.send(6, source)
    const { cuts } = await applying
    harness.send(7, source)
    assert.deepEqual(
      cuts.map(({ node: id, how }) => [id, how]),
      [['one/out', 'clean']],
    )
    assert.deepEqual(got, numbers(0, 25))
    assert.equal(source.holds, 0)
  })
})
