import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { NodeContext, Output } from '../../plugin/contract.js'
import { OutputRunner } from './output-runner.js'
import { TransformRunner } from './transform-runner.js'
import {
  RecordingOutput,
  outputOf,
  PassingTransform,
  ScriptedSource,
  settings,
  flushPromises,
  transformOf,
  testError,
  RunnerFixture,
  inputIn,
  never,
} from '../run.test.kit.js'

describe('a node that fails', () => {
  test('is subscribed again on the same source, with delays that grow up to 30 s', async () => {
    using fixture = new RunnerFixture()
    const source: ScriptedSource = new ScriptedSource()
    const input = inputIn(fixture, () => source)
    await input.start()
    const delays: number[] = []
    for (let attempt = 1; attempt <= 10; attempt++) {
      source.error(testError('TEST_RETRY', 'gone'))
      assert.deepEqual([input.state, input.why, input.restarts], ['waiting', 'gone', attempt])
      const failedAtMs = fixture.clock.nowMs()
      while (source.attempts === attempt) fixture.clock.advance(10)
      delays.push(fixture.clock.nowMs() - failedAtMs)
      assert.deepEqual([input.state, input.why], ['opening', 'gone'], 'what went wrong stays in sight')
    }
    for (const [index, delay] of delays.entries()) {
      const full = Math.min(30_000, 500 * 2 ** index)
      assert.ok(delay <= full + 10 && delay >= full * 0.7, `wait ${index} is ${delay}`)
    }
    assert.equal(source.disposals, 0)
    await input.stop('test')
  })

  test('resets the back-off of all its targets after it was up for ten seconds, however often it failed before', async () => {
    using fixture = new RunnerFixture()
    const source: ScriptedSource = new ScriptedSource()
    let context: NodeContext | undefined
    const input = inputIn(fixture, (given) => {
      context = given
      return source
    })
    await input.start()
    for (let attempt = 1; attempt < 8; attempt++) {
      source.error(testError('TEST_RETRY', 'gone', { target: attempt % 2 === 0 ? 'a' : 'b' }))
      fixture.clock.advance(30_000)
    }
    context?.ready()
    fixture.clock.advance(10_000)
    source.error(testError('TEST_RETRY', 'gone', { target: 'a' }))
    fixture.clock.advance(500)
    assert.equal(input.state, 'opening')
    source.error(testError('TEST_RETRY', 'gone', { target: 'b' }))
    fixture.clock.advance(500)
    assert.equal(input.state, 'opening')
    // It never came up again: time alone does not reset the back-off.
    fixture.clock.advance(60_000)
    source.error(testError('TEST_RETRY', 'gone', { target: 'b' }))
    fixture.clock.advance(500)
    assert.equal(input.state, 'waiting')
    await input.stop('test')
  })

  test('masks the secrets that its reason quotes', async () => {
    using fixture = new RunnerFixture()
    const source: ScriptedSource = new ScriptedSource()
    const input = inputIn(fixture, () => source)
    await input.start()
    source.error(testError('TEST_RETRY', 'no answer from http://anna:hunter22@example'))
    assert.equal(input.why, 'no answer from http://anna:***@example')
    await input.stop('test')
  })

  test('counts a failure that names its own delay against its target too', async () => {
    using fixture = new RunnerFixture()
    const source: ScriptedSource = new ScriptedSource()
    const input = inputIn(fixture, () => source)
    await input.start()
    for (let attempt = 0; attempt < 5; attempt++) {
      source.error(testError('TEST_RETRY', 'gone', { target: 'a', retryAfterMs: 0 }))
      fixture.clock.advance(0)
    }
    source.error(testError('TEST_RETRY', 'gone', { target: 'a' }))
    fixture.clock.advance(5_000)
    assert.equal(input.state, 'waiting')
    await input.stop('test')
  })

  test('waits as long as the error asks, and counts per target', async () => {
    using fixture = new RunnerFixture()
    const source: ScriptedSource = new ScriptedSource()
    const input = inputIn(fixture, () => source)
    await input.start()
    for (let attempt = 0; attempt < 5; attempt++) {
      source.error(testError('TEST_RETRY', 'gone', { target: 'a' }))
      fixture.clock.advance(30_000)
    }
    source.error(testError('TEST_RETRY', 'gone', { target: 'b' }))
    fixture.clock.advance(500)
    assert.deepEqual([input.state, source.attempts], ['opening', 7])
    source.error(testError('TEST_RETRY', 'gone', { target: 'a', retryAfterMs: 0 }))
    assert.equal(input.state, 'waiting')
    fixture.clock.advance(0)
    assert.deepEqual([input.state, source.attempts], ['opening', 8])
    await input.stop('test')
    assert.equal(fixture.clock.pending, 0)
  })

  test('has ended on `end`, and has failed and is disposed on `config` or an error without a code', async () => {
    for (const [error, state, code] of [
      [testError('TEST_END', 'over'), 'ended', undefined],
      [testError('TEST_CONFIG', 'wrong'), 'failed', 'TEST_CONFIG'],
      [testError('TEST_BUG', 'bug'), 'failed', 'TEST_BUG'],
      [new Error('surprise'), 'failed', 'NODE_FAILED'],
    ] as const) {
      using fixture = new RunnerFixture()
      const source = new ScriptedSource()
      const input = inputIn(fixture, () => source)
      await input.start()
      source.error(error)
      await flushPromises()
      fixture.clock.advance(60_000)
      assert.deepEqual([input.state, source.attempts], [state, 1])
      assert.equal(fixture.lines.find(({ level }) => level >= 50)?.['error'], code)
      assert.equal(source.disposals, state === 'failed' ? 1 : 0)
      await input.stop('test')
      assert.equal(source.disposals, 1)
    }
  })

  test('at its start rejects if it can never open, otherwise tries again', async () => {
    using fixture = new RunnerFixture()
    let error: Error = testError('TEST_CONFIG', 'wrong')
    const open = (): never => {
      throw error
    }
    const wrong = new TransformRunner(settings('one/transform', transformOf(open)), fixture.services)
    await assert.rejects(wrong.start(), { code: 'TEST_CONFIG' })
    error = testError('TEST_RETRY', 'busy')
    const busy = new TransformRunner(settings('one/transform', transformOf(open)), fixture.services)
    await busy.start()
    assert.equal(busy.state, 'waiting')
    await busy.stop('test')
    assert.equal(fixture.clock.pending, 0)
  })

  test('for good ignores later failures', async () => {
    using fixture = new RunnerFixture()
    const source = new ScriptedSource()
    const input = inputIn(fixture, () => source)
    await input.start()
    input.fail(new Error('one'))
    input.fail(testError('TEST_RETRY', 'two'))
    input.fail(testError('TEST_END', 'three'))
    assert.deepEqual([input.state, input.why, input.restarts], ['failed', 'one', 0])
    await input.stop('test')
  })
})

describe('a transform or an output that fails with `retry`', () => {
  test('is opened again as a new node, and is then ready', async () => {
    using fixture = new RunnerFixture()
    const transforms: PassingTransform[] = []
    const transform = new TransformRunner(
      settings(
        'one/transform',
        transformOf(() => transforms[transforms.push(new PassingTransform()) - 1]!),
      ),
      fixture.services,
    )
    await transform.start()
    transform.fail(testError('TEST_RETRY', 'gone'))
    assert.deepEqual([transform.state, transforms[0]?.disposals], ['waiting', 0])
    fixture.clock.advance(500)
    await flushPromises()
    assert.deepEqual([transform.state, transforms.length, transforms[0]?.disposals], ['ready', 2, 1])
    await transform.stop('test')
    assert.equal(transforms[1]?.disposals, 1)
  })

  test('ignores calls from the node it replaced', async () => {
    using fixture = new RunnerFixture()
    const contexts: NodeContext[] = []
    const output = new OutputRunner(
      settings(
        'one/out',
        outputOf((context) => {
          contexts.push(context)
          return contexts.length === 2 ? never<Output>() : new RecordingOutput()
        }),
      ),
      fixture.services,
    )
    await output.start()
    output.fail(testError('TEST_RETRY', 'gone'))
    contexts[0]?.ready()
    contexts[0]?.idle('late')
    contexts[0]?.degraded('late')
    assert.equal(output.state, 'waiting')
    fixture.clock.advance(500)
    await flushPromises()
    contexts[0]?.ready()
    contexts[0]?.idle('late')
    assert.equal(output.state, 'opening')
    const stopped = output.stop('test')
    await flushPromises()
    fixture.clock.advance(5000)
    await stopped
  })
})
