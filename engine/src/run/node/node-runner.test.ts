import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Observable, Subscription } from 'rxjs'
import type { NodeContext, Output } from '../../plugin/contract.js'
import { CLOCK } from '../../plugin/tokens.js'
import { defineOutput, defineService } from '../../plugin/define.js'
import { z } from 'zod'
import { InputRunner } from './input-runner.js'
import { ServiceRunner } from './service-runner.js'
import { OutputRunner } from './output-runner.js'
import { TransformRunner } from './transform-runner.js'
import {
  inputOf,
  KeepingOutput,
  outputOf,
  PassingTransform,
  ScriptedSource,
  settings,
  settle,
  transformOf,
  testError,
  Workshop,
} from '../run.test.kit.js'

function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined)
}

function inputIn(
  shop: Workshop,
  source: (context: NodeContext) => ScriptedSource,
  metrics: readonly string[] = [],
): InputRunner {
  return new InputRunner(settings('one/main', inputOf(source, metrics)), shop.services, shop.container)
}

describe('a node', () => {
  test('is opening until its resources are held, then ready', async () => {
    using shop = new Workshop()
    let context: NodeContext | undefined
    const input = inputIn(shop, (given) => {
      context = given
      return new ScriptedSource()
    })
    await input.start()
    assert.equal(input.state, 'opening')
    context?.ready()
    assert.equal(input.state, 'ready')
    context?.degraded('slow')
    assert.deepEqual([input.state, input.why], ['degraded', 'slow'])
    context?.ready()
    assert.deepEqual([input.state, input.why], ['ready', ''])
    await input.stop('test')
    context?.ready()
    context?.degraded('late')
    assert.equal(input.state, 'stopped')
    assert.deepEqual(
      shop.services.events.recent().map(({ kind }) => kind),
      ['node.ready', 'node.degraded', 'node.ready', 'node.stopped'],
    )
  })

  test('that does not open in time is tried again, and the one that opens late is let go of', async () => {
    using shop = new Workshop()
    const opened: ((output: KeepingOutput) => void)[] = []
    const output = new OutputRunner(
      settings(
        'one/out',
        outputOf(() => new Promise((resolve) => opened.push(resolve))),
      ),
      shop.services,
      shop.container,
    )
    const started = output.start()
    await settle()
    shop.clock.advance(10_000)
    await started
    assert.deepEqual([output.state, output.restarts], ['waiting', 1])
    assert.match(output.why, /did not open within 10 s/)
    shop.clock.advance(500)
    await settle()
    assert.equal(output.state, 'opening')
    const [late, second] = [new KeepingOutput(), new KeepingOutput()]
    opened[1]?.(second)
    opened[0]?.(late)
    await settle()
    assert.deepEqual([output.state, late.disposals, second.disposals], ['ready', 1, 0])
    await output.stop('test')
    assert.deepEqual([late.disposals, second.disposals, shop.clock.pending], [1, 1, 0])
  })

  test('whose late opening can not be let go of harms nobody', async () => {
    using shop = new Workshop()
    const bad = { accept: () => Subscription.EMPTY, [Symbol.asyncDispose]: () => Promise.reject(new Error('no')) }
    let open: ((output: Output) => void) | undefined
    const output = new OutputRunner(
      settings(
        'one/out',
        outputOf(() => new Promise((resolve) => (open = resolve))),
      ),
      shop.services,
      shop.container,
    )
    const started = output.start()
    await settle()
    shop.clock.advance(10_000)
    await started
    open?.(bad)
    await settle()
    assert.ok(shop.lines.some(({ msg }) => msg === 'while stopping: no'))
    await output.stop('test')
  })

  test('that opens as something else is a bug of its plugin', async () => {
    using shop = new Workshop()
    const output = new OutputRunner(
      settings(
        'one/out',
        outputOf(() => ({}) as Output),
      ),
      shop.services,
      shop.container,
    )
    await assert.rejects(output.start(), { code: 'NODE_FAILED' })
    assert.match(output.why, /asyncDispose/)
  })

  test('is stopped while it opens: the stop waits for it, and lets go of what it opened', async () => {
    using shop = new Workshop()
    const late = new KeepingOutput()
    let open: ((output: Output) => void) | undefined
    const output = new OutputRunner(
      settings(
        'one/out',
        outputOf(() => new Promise((resolve) => (open = resolve))),
      ),
      shop.services,
      shop.container,
    )
    const started = output.start()
    await settle()
    const stopped = output.stop('test')
    open?.(late)
    await Promise.all([started, stopped])
    assert.deepEqual([output.state, late.disposals, shop.clock.pending], ['stopped', 1, 0])
  })

  test('lets go once, also when it is stopped twice', async () => {
    using shop = new Workshop()
    const source = new ScriptedSource()
    const input = inputIn(shop, () => source)
    await input.start()
    await Promise.all([input.stop('one'), input.stop('two')])
    await input.stop('three')
    assert.deepEqual([source.disposals, input.state], [1, 'stopped'])
  })

  test('that does not let go is left behind in bounded time', async () => {
    using shop = new Workshop()
    const hanging = { accept: () => Subscription.EMPTY, [Symbol.asyncDispose]: () => never<void>() }
    const output = new OutputRunner(
      settings(
        'one/out',
        outputOf(() => hanging),
      ),
      shop.services,
      shop.container,
    )
    await output.start()
    const stopped = output.stop('test')
    await settle()
    shop.clock.advance(5000)
    await stopped
    assert.equal(output.state, 'stopped')
    assert.ok(shop.lines.some(({ msg }) => msg === 'while stopping: did not let go in time'))
  })

  test('whose teardown throws is stopped all the same', async () => {
    using shop = new Workshop()
    const output = new KeepingOutput()
    output.accept = () =>
      new Subscription(() => {
        throw new Error('torn')
      })
    const runner = new OutputRunner(
      settings(
        'one/out',
        outputOf(() => output),
      ),
      shop.services,
      shop.container,
    )
    await runner.start()
    await runner.stop('test')
    assert.deepEqual([runner.state, output.disposals], ['stopped', 1])
  })

  test('has its metrics until it stops, and whoever opens late adds none', async () => {
    using shop = new Workshop()
    const contexts: NodeContext[] = []
    const input = inputIn(
      shop,
      (context) => {
        contexts.push(context)
        context.readMetric('test_gauge', () => 1)
        return new ScriptedSource()
      },
      ['test_gauge'],
    )
    await input.start()
    assert.deepEqual(await shop.metricsOf('main'), ['millrace_test_gauge'])
    await input.stop('test')
    contexts[0]?.readMetric('test_gauge', () => 2)
    assert.deepEqual(await shop.metricsOf('main'), [])
    assert.throws(() => contexts[0]?.readMetric('other', () => 1), TypeError)
  })

  test('hears of the stop by its signal, with the reason', async () => {
    using shop = new Workshop()
    let context: NodeContext | undefined
    const input = inputIn(shop, (given) => {
      context = given
      return new ScriptedSource()
    })
    await input.start()
    assert.equal(context?.signal.aborted, false)
    await input.stop('the reason')
    assert.equal(context?.signal.reason, 'the reason')
  })

  test('gets a clock whose timers end with it, and what they throw is its failure', async () => {
    using shop = new Workshop()
    let ticks = 0
    const ticking = defineOutput({
      type: 'ticking',
      summary: 'For tests.',
      consumes: ['ts'],
      inlets: 'one',
      options: z.strictObject({}),
      examples: [],
      inject: { clock: CLOCK },
      open: (_options, _context, { clock }) => {
        clock.every(100, () => {
          if (++ticks === 3) throw testError('TEST_CONFIG', 'third tick')
        })
        return new KeepingOutput()
      },
    })
    const output = new OutputRunner(settings('one/out', ticking), shop.services, shop.container)
    await output.start()
    shop.clock.advance(300)
    assert.deepEqual([output.state, output.why], ['failed', 'third tick'])
    await settle()
    shop.clock.advance(1000)
    assert.deepEqual([ticks, shop.clock.pending], [3, 0])
    await output.stop('test')
  })
})

describe('a node that fails', () => {
  test('is subscribed again on the same source, later and later, up to 30 s', async () => {
    using shop = new Workshop()
    const source: ScriptedSource = new ScriptedSource()
    const input = inputIn(shop, () => source)
    await input.start()
    const delays: number[] = []
    for (let attempt = 1; attempt <= 10; attempt++) {
      source.error(testError('TEST_RETRY', 'gone'))
      assert.deepEqual([input.state, input.why, input.restarts], ['waiting', 'gone', attempt])
      const failedAtMs = shop.clock.nowMs()
      while (source.attempts === attempt) shop.clock.advance(10)
      delays.push(shop.clock.nowMs() - failedAtMs)
      assert.equal(input.state, 'opening')
    }
    for (const [index, delay] of delays.entries()) {
      const full = Math.min(30_000, 500 * 2 ** index)
      assert.ok(delay <= full + 10 && delay >= full * 0.7, `wait ${index} is ${delay}`)
    }
    assert.equal(source.disposals, 0)
    await input.stop('test')
  })

  test('starts afresh, with all its targets, after it was up for ten seconds, however often it failed in between', async () => {
    using shop = new Workshop()
    const source: ScriptedSource = new ScriptedSource()
    let context: NodeContext | undefined
    const input = inputIn(shop, (given) => {
      context = given
      return source
    })
    await input.start()
    for (let attempt = 1; attempt < 8; attempt++) {
      source.error(testError('TEST_RETRY', 'gone', { target: attempt % 2 === 0 ? 'a' : 'b' }))
      shop.clock.advance(30_000)
    }
    context?.ready()
    shop.clock.advance(10_000)
    source.error(testError('TEST_RETRY', 'gone', { target: 'a' }))
    shop.clock.advance(500)
    assert.equal(input.state, 'opening')
    source.error(testError('TEST_RETRY', 'gone', { target: 'b' }))
    shop.clock.advance(500)
    assert.equal(input.state, 'opening')
    // It never came up again, so that time alone earns nothing.
    shop.clock.advance(60_000)
    source.error(testError('TEST_RETRY', 'gone', { target: 'b' }))
    shop.clock.advance(500)
    assert.equal(input.state, 'waiting')
    await input.stop('test')
  })

  test('says why without the secrets that the reason quotes', async () => {
    using shop = new Workshop()
    const source: ScriptedSource = new ScriptedSource()
    const input = inputIn(shop, () => source)
    await input.start()
    source.error(testError('TEST_RETRY', 'no answer from http://anna:hunter22@example'))
    assert.equal(input.why, 'no answer from http://anna:***@example')
    await input.stop('test')
  })

  test('counts a failure that names its own delay for its target too', async () => {
    using shop = new Workshop()
    const source: ScriptedSource = new ScriptedSource()
    const input = inputIn(shop, () => source)
    await input.start()
    for (let attempt = 0; attempt < 5; attempt++) {
      source.error(testError('TEST_RETRY', 'gone', { target: 'a', retryAfterMs: 0 }))
      shop.clock.advance(0)
    }
    source.error(testError('TEST_RETRY', 'gone', { target: 'a' }))
    shop.clock.advance(5_000)
    assert.equal(input.state, 'waiting')
    await input.stop('test')
  })

  test('waits as long as the error says, and counts per target', async () => {
    using shop = new Workshop()
    const source: ScriptedSource = new ScriptedSource()
    const input = inputIn(shop, () => source)
    await input.start()
    for (let attempt = 0; attempt < 5; attempt++) {
      source.error(testError('TEST_RETRY', 'gone', { target: 'a' }))
      shop.clock.advance(30_000)
    }
    source.error(testError('TEST_RETRY', 'gone', { target: 'b' }))
    shop.clock.advance(500)
    assert.deepEqual([input.state, source.attempts], ['opening', 7])
    source.error(testError('TEST_RETRY', 'gone', { target: 'a', retryAfterMs: 0 }))
    assert.equal(input.state, 'waiting')
    shop.clock.advance(0)
    assert.deepEqual([input.state, source.attempts], ['opening', 8])
    await input.stop('test')
    assert.equal(shop.clock.pending, 0)
  })

  test('with `end` is over, with `config` and without a code it has failed and lets go', async () => {
    for (const [error, state, code] of [
      [testError('TEST_END', 'over'), 'ended', undefined],
      [testError('TEST_CONFIG', 'wrong'), 'failed', 'TEST_CONFIG'],
      [testError('TEST_BUG', 'bug'), 'failed', 'TEST_BUG'],
      [new Error('surprise'), 'failed', 'NODE_FAILED'],
    ] as const) {
      using shop = new Workshop()
      const source = new ScriptedSource()
      const input = inputIn(shop, () => source)
      await input.start()
      source.error(error)
      await settle()
      shop.clock.advance(60_000)
      assert.deepEqual([input.state, source.attempts], [state, 1])
      assert.equal(shop.lines.find(({ level }) => level >= 50)?.['error'], code)
      assert.equal(source.disposals, state === 'failed' ? 1 : 0)
      await input.stop('test')
      assert.equal(source.disposals, 1)
    }
  })

  test('at its start rejects if it can not ever open, and else tries again', async () => {
    using shop = new Workshop()
    let error: Error = testError('TEST_CONFIG', 'wrong')
    const open = (): never => {
      throw error
    }
    const wrong = new TransformRunner(settings('one/stage', transformOf(open)), shop.services, shop.container)
    await assert.rejects(wrong.start(), { code: 'TEST_CONFIG' })
    error = testError('TEST_RETRY', 'busy')
    const busy = new TransformRunner(settings('one/stage', transformOf(open)), shop.services, shop.container)
    await busy.start()
    assert.equal(busy.state, 'waiting')
    await busy.stop('test')
    assert.equal(shop.clock.pending, 0)
  })

  test('once says nothing any more, however often it fails', async () => {
    using shop = new Workshop()
    const source = new ScriptedSource()
    const input = inputIn(shop, () => source)
    await input.start()
    input.fail(new Error('one'))
    input.fail(testError('TEST_RETRY', 'two'))
    input.fail(testError('TEST_END', 'three'))
    assert.deepEqual([input.state, input.why, input.restarts], ['failed', 'one', 0])
    await input.stop('test')
  })
})

describe('a transform or an output that fails with `retry`', () => {
  test('is opened again in a new node, and is ready then', async () => {
    using shop = new Workshop()
    const transforms: PassingTransform[] = []
    const transform = new TransformRunner(
      settings(
        'one/stage',
        transformOf(() => transforms[transforms.push(new PassingTransform()) - 1]!),
      ),
      shop.services,
      shop.container,
    )
    await transform.start()
    transform.fail(testError('TEST_RETRY', 'gone'))
    assert.deepEqual([transform.state, transforms[0]?.disposals], ['waiting', 0])
    shop.clock.advance(500)
    await settle()
    assert.deepEqual([transform.state, transforms.length, transforms[0]?.disposals], ['ready', 2, 1])
    await transform.stop('test')
    assert.equal(transforms[1]?.disposals, 1)
  })

  test('is not brought back by what the node before it still says', async () => {
    using shop = new Workshop()
    const contexts: NodeContext[] = []
    const output = new OutputRunner(
      settings(
        'one/out',
        outputOf((context) => {
          contexts.push(context)
          return contexts.length === 2 ? never<Output>() : new KeepingOutput()
        }),
      ),
      shop.services,
      shop.container,
    )
    await output.start()
    output.fail(testError('TEST_RETRY', 'gone'))
    contexts[0]?.ready()
    contexts[0]?.degraded('late')
    assert.equal(output.state, 'waiting')
    shop.clock.advance(500)
    await settle()
    contexts[0]?.ready()
    assert.equal(output.state, 'opening')
    const stopped = output.stop('test')
    await settle()
    shop.clock.advance(5000)
    await stopped
  })
})

describe('a service', () => {
  test('is ready when it is open, and fails when it says so', async () => {
    using shop = new Workshop()
    let reject: (error: Error) => void = () => undefined
    const definition = defineService({
      type: 'test-service',
      summary: 'For tests.',
      options: z.strictObject({}),
      examples: [],
      open: () => ({
        done: new Promise<never>((_, fail) => (reject = fail)),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
    })
    const service = new ServiceRunner(settings('services/test', definition), shop.services, shop.container)
    await service.start()
    assert.equal(service.state, 'ready')
    reject(testError('TEST_RETRY', 'gone'))
    await settle()
    assert.equal(service.state, 'waiting')
    shop.clock.advance(500)
    await settle()
    assert.equal(service.state, 'ready')
    await service.stop('test')
  })
})

describe('a transform', () => {
  test('that lacks a port, or whose apply throws, can not start', async () => {
    using shop = new Workshop()
    const transform = new TransformRunner(
      settings(
        'one/stage',
        transformOf(() => new PassingTransform(), ['720p']),
      ),
      shop.services,
      shop.container,
    )
    await assert.rejects(transform.start(), { code: 'NODE_NO_SUCH_PORT' })
    const broken = new PassingTransform()
    broken.apply = () => {
      throw new Error('broken')
    }
    const second = new TransformRunner(
      settings(
        'one/stage',
        transformOf(() => broken),
      ),
      shop.services,
      shop.container,
    )
    await assert.rejects(second.start(), { code: 'NODE_FAILED' })
    await settle()
    assert.deepEqual([second.state, broken.disposals], ['failed', 1])
  })

  test('is over when all its ports have completed', async () => {
    using shop = new Workshop()
    const ends: (() => void)[] = []
    const transform = new PassingTransform()
    transform.apply = () => {
      const out = new Observable<never>((subscriber) => void ends.push(() => subscriber.complete()))
      return { '720p': out, '360p': out }
    }
    const runner = new TransformRunner(
      settings(
        'one/stage',
        transformOf(() => transform, ['720p', '360p']),
      ),
      shop.services,
      shop.container,
    )
    await runner.start()
    ends[0]?.()
    assert.equal(runner.state, 'ready')
    ends[1]?.()
    assert.equal(runner.state, 'ended')
    await runner.stop('test')
  })
})
