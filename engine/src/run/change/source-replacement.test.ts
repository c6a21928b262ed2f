import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { NodeSettings } from '../../graph/graph.js'
import { until } from '../../listen/loopback.test.kit.js'
import { ReloadHarness, PipelineHarness } from './reload.test.kit.js'
import { chunk, RecordingOutput, ScriptedSource, flushPromises, testError } from '../run.test.kit.js'
import { input, mid, node, numbers, output, Sources, transform, ThrowingTransform } from '../scripted-nodes.test.kit.js'

/** A transform whose node with `swap: late` opens when the test calls `open`. */
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
    this.#settle?.reject(new Error('cannot open'))
  }
}

describe('a standby source that ends before the commit', () => {
  const nodes = (sources: Sources, late: LateTransform, swap: string, ofMid: string): NodeSettings[] => [
    node('one/main', sources.definition, { swap }),
    mid(late.definition, { swap: ofMid }),
  ]

  test('does not end the readers of the running source if the reload is aborted', async () => {
    const [sources, late] = [new Sources(), new LateTransform()]
    await using harness = await new ReloadHarness().start(...nodes(sources, late, 'a', ''))
    harness.send(7, sources.of('a'))
    const applying = harness.reload(...nodes(sources, late, 'b', 'late'))
    await until(() => sources.isConnected('b') && late.isOpening, 'the new source is connected')
    sources.of('b').complete()
    assert.equal(harness.output.isComplete, false)
    late.refuse()
    await assert.rejects(applying, { message: 'cannot open' })
    harness.send(7, sources.of('a'))
    assert.equal(harness.output.isComplete, false)
    assert.equal(harness.output.chunks.length, 14)
  })

  test('delivers its chunks and ends the stream at its cutover', async () => {
    const [sources, late] = [new Sources(), new LateTransform()]
    await using harness = await new ReloadHarness().start(...nodes(sources, late, 'a', ''))
    harness.send(10, sources.of('a'))
    const applying = harness.reload(...nodes(sources, late, 'b', 'late'))
    await until(() => sources.isConnected('b') && late.isOpening, 'the new source is connected')
    harness.send(2, sources.of('b'))
    sources.of('b').complete()
    assert.deepEqual([harness.output.isComplete, harness.output.chunks.length], [false, 10])
    late.open()
    await applying
    assert.deepEqual([harness.output.isComplete, harness.output.chunks.length], [true, 12])
    await harness.engine.ended
  })
})

/** `main` with that source, and an output. */
function reading(sources: Sources, kept: RecordingOutput, swap: string): NodeSettings[] {
  const out = output(() => kept)
  return [node('one/main', sources.definition, { swap }), node('one/out', out, { from: 'one/main' })]
}

describe('a source that is replaced', () => {
  test('stops retrying, while other cutovers of the reload are still running', async () => {
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

  test('keeps running, and nothing changes, if the new one never becomes ready', async () => {
    const [ready, silent, kept] = [new ScriptedSource(), new ScriptedSource(), new RecordingOutput()]
    const definition = input(({ swap }, context) => {
      // Only the running source calls ready.
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
    await until(() => silent.attempts === 1, 'the new source is subscribed')
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

  for (const { pauseMs, result } of [
    { pauseMs: 3000, result: 'NODE_NOT_READY' },
    { pauseMs: 6000, result: 'applied' },
  ]) {
    test(`that has paused for ${pauseMs / 1000} s, and a new one that cannot open: ${result}`, async () => {
      const running = new ScriptedSource()
      const definition = input(({ swap }, context) => {
        if (swap === 'b') throw testError('TEST_RETRY', 'the address is in use')
        context.ready()
        return running
      })
      const nodes = (swap: string): NodeSettings[] => [node('one/main', definition, { swap })]
      await using harness = await new PipelineHarness(...nodes('a')).start()
      harness.pass(1000, running)
      harness.pass(pauseMs)
      const changing = harness.change({ 'one/main': 'source' }, ...nodes('b')).then(
        () => 'applied',
        (error: unknown) => (error as { code?: string }).code,
      )
      await flushPromises()
      harness.pass(11_000)
      assert.equal(await changing, result)
    })
  }

  test('keeps running if the new one is connected and sends nothing', async () => {
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

  test('is replaced by one that is not ready, or sends nothing, if the operator insists', async () => {
    for (const isReady of [false, true]) {
      const [running, next] = [new ScriptedSource(), new ScriptedSource()]
      const kept = new RecordingOutput()
      const definition = input(({ swap }, context) => {
        if (swap === 'a' || isReady) context.ready()
        return swap === 'a' ? running : next
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
      harness.isForced = true
      harness.pass(1000, running)
      const change = await harness.change({ 'one/main': 'source' }, ...nodes('b'))
      harness.pass(10_000, running)
      const { cuts, failed } = await change.finish()
      assert.deepEqual([cuts.map(({ how }) => how), failed], [['marked'], []])
      const { length } = kept.chunks
      harness.pass(500, running, next)
      assert.equal(kept.chunks.length, length + 5)
    }
  })

  test('is finally replaced by one that sends chunks without key frames', async () => {
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
  test('that fails during its probation is rolled back, and the engine has not ended', async () => {
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
    await until(() => sources.isConnected('b'), 'the new source is connected')
    harness.send(6, sources.of('b'))
    await applying
    sources.of('b').error(testError('TEST_CONFIG', 'a second later'))
    await until(() => harness.rolledBack.length > 0, 'the roll-back is reported')
    await harness.idle()
    assert.equal(ended, undefined)
    assert.notEqual(sources.of('a'), first)
    const { length } = harness.output.chunks
    harness.send(5, sources.of('a'))
    assert.equal(harness.output.chunks.length, length + 5)
  })

  test('that fails for good while not on probation ends the engine', async () => {
    const sources = new Sources()
    await using harness = await new ReloadHarness().start(node('one/main', sources.definition))
    sources.of('').error(testError('TEST_CONFIG', 'wrong'))
    await assert.rejects(harness.engine.ended, { message: 'one/main has failed: wrong' })
  })
})
