import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { NodeSettings } from '../../graph/graph.js'
import { until } from '../../listen/loopback.test.kit.js'
import { ReloadHarness, PipelineHarness } from './reload.test.kit.js'
import { chunk, RecordingOutput, ScriptedSource, flushPromises, testError } from '../run.test.kit.js'
import { input, mid, node, numbers, output, Sources, transform, ThrowingTransform } from '../scripted-nodes.test.kit.js'

/** A transform whose node of the swap `late` opens when it is told to. */
class LateTransform {
  isOpening = false
  #settle: { resolve(): void; reject(error: Error): void } | undefined

  readonly definition = transform(({ value }) => {
    if (value.swap !== 'late') return new ThrowingTransform()
    this.isOpening = true
    return new Promise((resolve, reject) => {
      this.#settle = { resolve: () => resolve(new ThrowingTransform()), reject }
    })
  })

  open(): void {
    this.#settle?.resolve()
  }

  refuse(): void {
    this.#settle?.reject(new Error('can not open'))
  }
}

describe('another source that ends while the reload that brings it is prepared', () => {
  const nodes = (sources: Sources, late: LateTransform, swap: string, ofMid: string): NodeSettings[] => [
    node('one/main', sources.definition, { swap }),
    mid(late.definition, { swap: ofMid }),
  ]

  test('ends nothing for those who read the one before it, where the reload is given up', async () => {
    const [sources, late] = [new Sources(), new LateTransform()]
    await using harness = await new ReloadHarness().start(...nodes(sources, late, 'a', ''))
    harness.send(7, sources.of('a'))
    const applying = harness.reload(...nodes(sources, late, 'b', 'late'))
    await until(() => sources.isConnected('b') && late.isOpening, 'the other source is connected')
    sources.of('b').complete()
    assert.equal(harness.output.isComplete, false)
    late.refuse()
    await assert.rejects(applying, { message: 'can not open' })
    harness.send(7, sources.of('a'))
    assert.equal(harness.output.isComplete, false)
    assert.equal(harness.output.chunks.length, 14)
  })

  test('ends the stream when its turn has come, with what it had', async () => {
    const [sources, late] = [new Sources(), new LateTransform()]
    await using harness = await new ReloadHarness().start(...nodes(sources, late, 'a', ''))
    harness.send(10, sources.of('a'))
    const applying = harness.reload(...nodes(sources, late, 'b', 'late'))
    await until(() => sources.isConnected('b') && late.isOpening, 'the other source is connected')
    harness.send(2, sources.of('b'))
    sources.of('b').complete()
    assert.deepEqual([harness.output.isComplete, harness.output.chunks.length], [false, 10])
    late.open()
    await applying
    assert.deepEqual([harness.output.isComplete, harness.output.chunks.length], [true, 12])
    await harness.engine.ended
  })
})

/** `main` of that source, and an output. */
function reading(sources: Sources, kept: RecordingOutput, swap: string): NodeSettings[] {
  const out = output(() => kept)
  return [node('one/main', sources.definition, { swap }), node('one/out', out, { from: 'one/main' })]
}

describe('a source whose place another takes', () => {
  test('tries no more, while others of the reload still cross over', async () => {
    const [sources, output] = [new Sources(), new RecordingOutput()]
    await using harness = await new PipelineHarness(...reading(sources, output, 'a')).start()
    harness.pass(1000, sources.of('a'))
    sources.of('a').error(testError('TEST_RETRY', 'gone'))
    assert.equal(harness.runner.find('one/main')?.state, 'waiting')
    const change = await harness.change({ 'one/main': 'source' }, ...reading(sources, output, 'b'))
    // Longer than the first wait between two attempts.
    harness.pass(2000, sources.of('b'))
    assert.deepEqual([sources.of('a').attempts, sources.of('b').attempts], [1, 1])
    await change.finish()
    const { length } = output.chunks
    harness.pass(500, sources.of('a'), sources.of('b'))
    assert.equal(output.chunks.length, length + 5)
  })

  test('keeps it, and nothing has changed, where the other never becomes ready', async () => {
    const [ready, silent, kept] = [new ScriptedSource(), new ScriptedSource(), new RecordingOutput()]
    const definition = input(({ swap }, context) => {
      // Only the one that runs says that it has what it needs.
      if (swap === 'a') context.ready()
      return swap === 'a' ? ready : silent
    })
    const nodes = (swap: string): NodeSettings[] => [
      node('one/main', definition, { swap }),
      node(
        'one/out',
        output(() => kept),
        { from: 'one/main' },
      ),
    ]
    await using harness = await new PipelineHarness(...nodes('a')).start()
    harness.pass(1000, ready)
    const refusals: unknown[] = []
    const changing = harness
      .change({ 'one/main': 'source' }, ...nodes('b'))
      .catch((error: unknown) => refusals.push(error))
    await until(() => silent.attempts === 1, 'the other is asked')
    harness.pass(9000, ready)
    await flushPromises()
    assert.deepEqual(refusals, [])
    harness.pass(2000, ready)
    await changing
    assert.deepEqual(
      refusals.map((error) => (error as { code?: string }).code),
      ['NODE_NOT_READY'],
    )
    harness.pass(1000, ready)
    assert.deepEqual(kept.seqs, numbers(0, 130))
    assert.equal(harness.runner.find('one/main')?.state, 'ready')
  })

  test('keeps it where the other is connected and sends nothing', async () => {
    const [sources, output] = [new Sources(), new RecordingOutput()]
    await using harness = await new PipelineHarness(...reading(sources, output, 'a')).start()
    harness.pass(1000, sources.of('a'))
    const change = await harness.change({ 'one/main': 'source' }, ...reading(sources, output, 'b'))
    harness.pass(10_000, sources.of('a'))
    const { cuts, failed } = await change.finish()
    assert.deepEqual(cuts, [])
    assert.deepEqual(
      failed.map(({ settings, error }) => [settings.id, (error as { code?: string }).code]),
      [['one/main', 'NODE_NOT_READY']],
    )
    harness.pass(1000, sources.of('a'), sources.of('b'))
    assert.deepEqual(output.seqs, numbers(0, 120))
    assert.equal(harness.runner.find('one/main')?.state, 'ready')
  })

  test('leaves it in the end to one that sends something without key frames', async () => {
    const [sources, output] = [new Sources(), new RecordingOutput()]
    await using harness = await new PipelineHarness(...reading(sources, output, 'a')).start()
    harness.pass(1000, sources.of('a'))
    const change = await harness.change({ 'one/main': 'source' }, ...reading(sources, output, 'b'))
    for (let seq = 0; seq < 100; seq++) {
      harness.pass(100, sources.of('a'))
      sources.of('b').next(chunk(1000 + seq))
    }
    const { cuts, failed } = await change.finish()
    assert.deepEqual(failed, [])
    assert.deepEqual(
      cuts.map(({ node: id, how }) => [id, how]),
      [['one/main', 'marked']],
    )
    assert.ok(output.seqs.includes(1099))
  })
})

describe('the only input of an engine', () => {
  test('that fails in its probation goes back, and the engine has not ended', async () => {
    const sources = new Sources()
    const main = (swap: string): NodeSettings => node('one/main', sources.definition, { swap })
    await using harness = await new ReloadHarness().start(main('a'))
    let ended: unknown
    void harness.engine.ended.then(
      () => (ended = 'resolved'),
      (error: Error) => (ended = error.message),
    )
    harness.send(12, sources.of('a'))
    const first = sources.of('a')
    const applying = harness.reload(main('b'))
    await until(() => sources.isConnected('b'), 'the other source is connected')
    harness.send(6, sources.of('b'))
    await applying
    sources.of('b').error(testError('TEST_CONFIG', 'a second later'))
    await until(() => harness.rolledBack.length > 0, 'it is told')
    await harness.idle()
    assert.equal(ended, undefined)
    assert.notEqual(sources.of('a'), first)
    const { length } = harness.output.chunks
    harness.send(5, sources.of('a'))
    assert.equal(harness.output.chunks.length, length + 5)
  })

  test('that fails for good when it is not on probation ends the engine', async () => {
    const sources = new Sources()
    await using harness = await new ReloadHarness().start(node('one/main', sources.definition))
    sources.of('').error(testError('TEST_CONFIG', 'wrong'))
    await assert.rejects(harness.engine.ended, { message: 'one/main has failed: wrong' })
  })
})
