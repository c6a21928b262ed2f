import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { NodeSettings } from '../../graph/graph.js'
import { until } from '../../listen/loopback.test.kit.js'
import { flushPromises, PassingTransform, RecordingOutput, ScriptedSource } from '../run.test.kit.js'
import { input, node, output, transform } from '../scripted-nodes.test.kit.js'
import { InputRunner } from '../node/input-runner.js'
import { PipelineHarness } from './reload.test.kit.js'

const PUBLISH: NonNullable<NodeSettings['publish']> = {
  streams: 'cam1',
  ...{ maxStreams: 1, lingerMs: 0, takeover: 'refuse', takeoverAfterMs: 5000, auth: [] },
}

class Bench {
  readonly main = new ScriptedSource()
  readonly more: ScriptedSource
  readonly output = new RecordingOutput()
  readonly #source = input(({ swap }, context) => {
    if (swap !== 'idle') context.ready()
    else context.idle('nobody publishes')
    return swap === 'main' ? this.main : this.more
  })
  readonly #out = output(() => this.output)
  readonly #pass = transform(() => new PassingTransform())

  constructor(canHold = false) {
    this.more = new ScriptedSource({ canHold })
  }

  get first(): NodeSettings[] {
    return [node('one/main', this.#source, { swap: 'main' }), node('one/out', this.#out, { from: 'one/main' })]
  }

  /** The output reads the added input in place of the first, directly or through a transform. */
  next({ isIdle = false, isThrough = false, keepsMain = true } = {}): NodeSettings[] {
    const from = isThrough ? 'one/pass' : 'one/more'
    return [
      ...(keepsMain ? [node('one/main', this.#source, { swap: 'main' })] : []),
      node('one/more', this.#source, { swap: isIdle ? 'idle' : 'more' }),
      ...(isThrough ? [node('one/pass', this.#pass, { from: 'one/more' })] : []),
      node('one/out', this.#out, { from, swap: 'b' }),
    ]
  }
}

const VERBS = { 'one/more': 'add', 'one/pass': 'add', 'one/out': 'swap' } as const

describe('an input that takes the place of a stream that flows', () => {
  for (const isThrough of [false, true]) {
    test(`changes nothing while it sends nothing${isThrough ? ', behind an added transform too' : ''}`, async () => {
      const bench = new Bench()
      await using harness = await new PipelineHarness(...bench.first).start()
      harness.pass(1000, bench.main)
      const refusals: unknown[] = []
      const changing = harness.change(VERBS, ...bench.next({ isThrough, keepsMain: false })).catch((error: unknown) => {
        refusals.push(error)
      })
      await until(() => bench.more.attempts === 1, 'it is connected')
      harness.pass(9000, bench.main)
      await flushPromises()
      assert.deepEqual(refusals, [])
      harness.pass(2000, bench.main)
      await changing
      const [refusal] = refusals as readonly { readonly code?: string; readonly message: string }[]
      assert.equal(refusal?.code, 'NODE_NOT_READY')
      assert.match(refusal.message, /^one\/more cannot take the place of a stream that flows: ./)
      assert.equal(bench.output.chunks.length, 120)
    })
  }

  test('changes nothing while it sends nothing, also if it was there before', async () => {
    const { bench, main, more, out, harness } = await startWithBoth()
    await using _ = harness
    const refused = assert.rejects(harness.change({ 'one/out': 'swap' }, main, more, out), { code: 'NODE_NOT_READY' })
    await flushPromises()
    harness.pass(10_000, bench.main)
    await refused
    assert.equal(bench.output.chunks.length, 160)
    harness.pass(1000, bench.main, bench.more)
    const change = await harness.change({ 'one/out': 'swap' }, main, more, out)
    harness.pass(1000, bench.main, bench.more)
    await change.finish()
    harness.pass(1000, bench.more)
    const { seqs } = bench.output
    assert.deepEqual(
      seqs.slice(-15),
      Array.from({ length: 15 }, (_, index) => 175 + index),
    )
  })

  test('takes over with the key frame that it has sent before the commit', async () => {
    const bench = new Bench(true)
    await using harness = await new PipelineHarness(...bench.first).start()
    harness.pass(1000, bench.main)
    const changing = harness.change(VERBS, ...bench.next())
    await until(() => bench.more.attempts === 1, 'it is connected')
    harness.pass(1000, bench.main, bench.more)
    const change = await changing
    // One that can wait does so until it has readers.
    harness.pass(1000, bench.main, bench.more)
    await change.finish()
    harness.pass(1000, bench.more)
    const { seqs } = bench.output
    assert.deepEqual(
      seqs.slice(-10),
      [...Array(40).keys()].slice(-10).map((seq) => seq),
    )
    assert.equal(bench.more.holds, 0)
    assert.equal(bench.more.attempts, 1)
    const cut = bench.output.chunks.filter(({ discontinuity }) => discontinuity === 'lost')
    assert.equal(cut.length, 1)
  })

  test('takes over at once if it is forced, if nothing flows any more, or if by design nobody sends to it yet', async () => {
    for (const how of ['forced', 'silent', 'idle']) {
      const bench = new Bench()
      await using harness = await new PipelineHarness(...bench.first).start()
      harness.pass(1000, bench.main)
      harness.isForced = how === 'forced'
      if (how === 'silent') harness.pass(5000)
      const change = await harness.change(VERBS, ...bench.next({ isIdle: how === 'idle' }))
      harness.pass(6000)
      await change.finish()
      harness.pass(1000, bench.more)
      assert.equal(bench.output.chunks.length, 20, how)
    }
  })

  test('takes over at once if it takes publishers, and takes none before the commit', async () => {
    const bench = new Bench()
    await using harness = await new PipelineHarness(...bench.first).start()
    harness.pass(1000, bench.main)
    const next = bench.next().map((each) => (each.id === 'one/more' ? { ...each, publish: PUBLISH } : each))
    const change = harness.transaction(VERBS, ...next)
    const prepared = change.prepare()
    await flushPromises()
    assert.equal(bench.more.attempts, 0)
    harness.pass(10_000, bench.main)
    await prepared
    change.commit()
    harness.pass(6000)
    await change.finish()
    harness.pass(1000, bench.more)
    assert.equal(bench.more.attempts, 1)
    assert.equal(bench.output.chunks.length, 120)
  })

  test('is not waited for any more when the change is given up, also if it was there before', async () => {
    const { bench, main, more, out, harness } = await startWithBoth()
    await using _ = harness
    const change = harness.transaction({ 'one/out': 'swap' }, main, more, out)
    let refusal: unknown
    const prepared = change.prepare().catch((error: unknown) => (refusal = error))
    await flushPromises()
    await change.abort()
    harness.pass(100, bench.main)
    await flushPromises()
    assert.match(String(refusal), /one\/more cannot take the place .*: the reload was given up/)
    await prepared
  })

  test('that cannot go on at the commit fails alone', async () => {
    const bench = new Bench()
    const other = new ScriptedSource()
    await using harness = await new PipelineHarness(...bench.first).start()
    harness.pass(1000, bench.main)
    const added = node(
      'one/other',
      input(() => other),
    )
    const change = harness.transaction({ ...VERBS, 'one/other': 'add' }, ...bench.next(), added)
    const prepared = change.prepare()
    await until(() => bench.more.attempts === 1, 'it is connected')
    harness.pass(1000, bench.main, bench.more)
    await prepared
    const more = change.steps.find(({ settings }) => settings.id === 'one/more')?.node
    assert.ok(more instanceof InputRunner)
    more.feed = () => {
      throw new Error('it cannot be framed')
    }
    change.commit()
    assert.equal(more.state, 'failed')
    assert.equal(other.attempts, 1)
    harness.pass(6000)
    await change.finish()
  })

  test('is not waited for if nothing that flows reads it', async () => {
    const bench = new Bench()
    await using harness = await new PipelineHarness(...bench.first).start()
    harness.pass(1000, bench.main)
    const [main, more] = bench.next()
    const [, out] = bench.first
    assert.ok(main !== undefined && more !== undefined && out !== undefined)
    const change = await harness.change({ 'one/more': 'add' }, main, more, out)
    harness.pass(1000, bench.main)
    await change.finish()
    assert.equal(bench.more.attempts, 1)
    assert.equal(bench.output.chunks.length, 20)
  })
})

/** Both inputs were there before, and only `main` sends. */
async function startWithBoth() {
  const bench = new Bench()
  const [main, more, out] = bench.next()
  const [, before] = bench.first
  assert.ok(main !== undefined && more !== undefined && out !== undefined && before !== undefined)
  const harness = await new PipelineHarness(main, more, before).start()
  harness.pass(6000, bench.main)
  return { bench, main, more, out, harness }
}
