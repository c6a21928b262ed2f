import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Observable, Subscription } from 'rxjs'
import type { NodeContext, Output } from '../../plugin/contract.js'
import { CLOCK } from '../../plugin/tokens.js'
import { defineOutput, defineService } from '../../plugin/define.js'
import { z } from 'zod'
import { InputRunner } from './input-runner.js'
import { ServiceRunner } from './service-runner.js'
import { NodeMetrics } from './node-metrics.js'
import type { NodePlacement } from './node-runner.js'
import { OutputRunner } from './output-runner.js'
import { TransformRunner } from './transform-runner.js'
import {
  chunk,
  inputOf,
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

describe('a node', () => {
  test('is opening until its resources are held, then ready', async () => {
    using fixture = new RunnerFixture()
    let context: NodeContext | undefined
    const source = new ScriptedSource()
    const input = inputIn(fixture, (given) => {
      context = given
      return source
    })
    await input.start()
    source.next(chunk(0))
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
      fixture.events.recent().map(({ kind }) => kind),
      ['node.ready', 'node.degraded', 'node.ready', 'node.stopped'],
    )
  })

  test('that replaces a ready one changes no state, and one that is added reports its state when activated', async () => {
    using fixture = new RunnerFixture()
    const { services } = fixture
    const kinds = (): unknown[] => fixture.events.recent().map(({ kind, node }) => [node, kind])
    const outputAt = (id: string, placement: NodePlacement): OutputRunner =>
      new OutputRunner(
        settings(
          id,
          outputOf(() => new RecordingOutput()),
        ),
        services,
        placement,
      )
    const old = outputAt('one/out', {})
    await old.start()
    const next = outputAt('one/out', { isStandby: true, before: old })
    await next.start()
    next.activate()
    await old.stop('replaced')
    assert.deepEqual(kinds(), [['one/out', 'node.ready']])
    const added = outputAt('one/more', { isStandby: true })
    await added.start()
    assert.equal(kinds().length, 1)
    added.activate()
    assert.deepEqual(kinds().at(-1), ['one/more', 'node.ready'])
    await next.stop('removed')
    assert.deepEqual(kinds().at(-1), ['one/out', 'node.stopped'])
  })

  test('that takes the place of a stopped one reports its own state', async () => {
    using fixture = new RunnerFixture()
    const old = inputIn(fixture, () => new ScriptedSource())
    await old.start()
    await old.stop('released')
    const { services } = fixture
    const source = new ScriptedSource()
    const definition = inputOf((context) => {
      context.ready()
      return source
    })
    const placement = { isStandby: true, isHandoff: true, before: old }
    const next = new InputRunner(settings('one/main', definition), services, placement)
    next.activate()
    await next.start()
    source.next(chunk(0))
    assert.deepEqual(
      fixture.events.recent().map(({ kind }) => kind),
      ['node.stopped', 'node.ready'],
    )
  })

  test('that does not open in time is tried again, and a node that opens late is closed', async () => {
    using fixture = new RunnerFixture()
    const opened: ((output: RecordingOutput) => void)[] = []
    const output = new OutputRunner(
      settings(
        'one/out',
        outputOf(() => new Promise((resolve) => opened.push(resolve))),
      ),
      fixture.services,
    )
    const started = output.start()
    await flushPromises()
    fixture.clock.advance(10_000)
    await started
    assert.deepEqual([output.state, output.restarts], ['waiting', 1])
    assert.match(output.why, /did not open within 10 s/)
    fixture.clock.advance(500)
    await flushPromises()
    assert.equal(output.state, 'opening')
    const [late, second] = [new RecordingOutput(), new RecordingOutput()]
    opened[1]?.(second)
    opened[0]?.(late)
    await flushPromises()
    assert.deepEqual([output.state, late.disposals, second.disposals], ['ready', 1, 0])
    await output.stop('test')
    assert.deepEqual([late.disposals, second.disposals, fixture.clock.pending], [1, 1, 0])
  })

  test('that opens late and fails to close is logged, nothing more', async () => {
    using fixture = new RunnerFixture()
    const bad = { accept: () => Subscription.EMPTY, [Symbol.asyncDispose]: () => Promise.reject(new Error('no')) }
    let open: ((output: Output) => void) | undefined
    const output = new OutputRunner(
      settings(
        'one/out',
        outputOf(() => new Promise((resolve) => (open = resolve))),
      ),
      fixture.services,
    )
    const started = output.start()
    await flushPromises()
    fixture.clock.advance(10_000)
    await started
    open?.(bad)
    await flushPromises()
    assert.ok(fixture.lines.some(({ msg }) => msg === 'while stopping: no'))
    await output.stop('test')
  })

  test('that opens as anything but a node is a bug in its plugin', async () => {
    using fixture = new RunnerFixture()
    const output = new OutputRunner(
      settings(
        'one/out',
        outputOf(() => ({}) as Output),
      ),
      fixture.services,
    )
    await assert.rejects(output.start(), { code: 'NODE_FAILED' })
    assert.match(output.why, /asyncDispose/)
  })

  test('is stopped while it opens: the stop waits for it and closes it', async () => {
    using fixture = new RunnerFixture()
    const late = new RecordingOutput()
    let open: ((output: Output) => void) | undefined
    const output = new OutputRunner(
      settings(
        'one/out',
        outputOf(() => new Promise((resolve) => (open = resolve))),
      ),
      fixture.services,
    )
    const started = output.start()
    await flushPromises()
    const stopped = output.stop('test')
    open?.(late)
    await Promise.all([started, stopped])
    assert.deepEqual([output.state, late.disposals, fixture.clock.pending], ['stopped', 1, 0])
  })

  test('is disposed once, even if it is stopped twice', async () => {
    using fixture = new RunnerFixture()
    const source = new ScriptedSource()
    const input = inputIn(fixture, () => source)
    await input.start()
    await Promise.all([input.stop('one'), input.stop('two')])
    await input.stop('three')
    assert.deepEqual([source.disposals, input.state], [1, 'stopped'])
  })

  test('that never finishes its disposal is abandoned after a time limit', async () => {
    using fixture = new RunnerFixture()
    const hanging = { accept: () => Subscription.EMPTY, [Symbol.asyncDispose]: () => never<void>() }
    const output = new OutputRunner(
      settings(
        'one/out',
        outputOf(() => hanging),
      ),
      fixture.services,
    )
    await output.start()
    const stopped = output.stop('test')
    await flushPromises()
    fixture.clock.advance(5000)
    await stopped
    assert.equal(output.state, 'stopped')
    assert.ok(fixture.lines.some(({ msg }) => msg === 'while stopping: was not disposed in time'))
  })

  test('whose teardown throws is stopped anyway', async () => {
    using fixture = new RunnerFixture()
    const output = new RecordingOutput()
    output.accept = () =>
      new Subscription(() => {
        throw new Error('torn')
      })
    const runner = new OutputRunner(
      settings(
        'one/out',
        outputOf(() => output),
      ),
      fixture.services,
    )
    await runner.start()
    await runner.stop('test')
    assert.deepEqual([runner.state, output.disposals], ['stopped', 1])
  })

  test('has its metrics until it stops, and adds none after that', async () => {
    using fixture = new RunnerFixture()
    const contexts: NodeContext[] = []
    const input = inputIn(
      fixture,
      (context) => {
        contexts.push(context)
        context.readMetric('test_gauge', () => 1)
        return new ScriptedSource()
      },
      ['test_gauge'],
    )
    await input.start()
    assert.deepEqual(await fixture.metricsOf('main'), ['millrace_test_gauge'])
    await input.stop('test')
    contexts[0]?.readMetric('test_gauge', () => 2)
    assert.deepEqual(await fixture.metricsOf('main'), [])
    assert.throws(() => contexts[0]?.readMetric('other', () => 1), TypeError)
  })

  test('has counters that continue when it is opened again after a failure', async () => {
    using fixture = new RunnerFixture()
    const metrics = new NodeMetrics(fixture.services.metrics, () => ({ node: 'main' }), true)
    const declaration = { name: 'test_total', kind: 'counter', help: 'For tests.' } as const
    let [before, next] = [7, 0]
    metrics.set(declaration, () => before)
    metrics.reopen()
    metrics.set(declaration, () => next)
    before = 100
    next = 2
    assert.match(await fixture.services.metrics.render(), /^millrace_test_total\{node="main"\} 9$/m)
    metrics.clear()
  })

  test('receives the stop and its reason through its signal', async () => {
    using fixture = new RunnerFixture()
    let context: NodeContext | undefined
    const input = inputIn(fixture, (given) => {
      context = given
      return new ScriptedSource()
    })
    await input.start()
    assert.equal(context?.signal.aborted, false)
    await input.stop('the reason')
    assert.equal(context?.signal.reason, 'the reason')
  })

  test('has a clock whose timers end with it, and an error they throw is its failure', async () => {
    using fixture = new RunnerFixture()
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
        return new RecordingOutput()
      },
    })
    const output = new OutputRunner(settings('one/out', ticking), fixture.services)
    await output.start()
    fixture.clock.advance(300)
    assert.deepEqual([output.state, output.why], ['failed', 'third tick'])
    await flushPromises()
    fixture.clock.advance(1000)
    assert.deepEqual([ticks, fixture.clock.pending], [3, 0])
    await output.stop('test')
  })
})

describe('a service', () => {
  test('is ready when it is open, and fails when `done` rejects', async () => {
    using fixture = new RunnerFixture()
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
    const service = new ServiceRunner(settings('services/test', definition), fixture.services)
    await service.start()
    assert.equal(service.state, 'ready')
    reject(testError('TEST_RETRY', 'gone'))
    await flushPromises()
    assert.equal(service.state, 'waiting')
    fixture.clock.advance(500)
    await flushPromises()
    assert.equal(service.state, 'ready')
    await service.stop('test')
  })
})

describe('a transform', () => {
  test('that lacks a port, or whose apply throws, cannot start', async () => {
    using fixture = new RunnerFixture()
    const transform = new TransformRunner(
      settings(
        'one/transform',
        transformOf(() => new PassingTransform(), ['720p']),
      ),
      fixture.services,
    )
    await assert.rejects(transform.start(), { code: 'NODE_NO_SUCH_PORT' })
    const broken = new PassingTransform()
    broken.apply = () => {
      throw new Error('broken')
    }
    const second = new TransformRunner(
      settings(
        'one/transform',
        transformOf(() => broken),
      ),
      fixture.services,
    )
    await assert.rejects(second.start(), { code: 'NODE_FAILED' })
    await flushPromises()
    assert.deepEqual([second.state, broken.disposals], ['failed', 1])
  })

  test('has ended when all its ports have completed', async () => {
    using fixture = new RunnerFixture()
    const ends: (() => void)[] = []
    const transform = new PassingTransform()
    transform.apply = () => {
      const out = new Observable<never>((subscriber) => void ends.push(() => subscriber.complete()))
      return { '720p': out, '360p': out }
    }
    const runner = new TransformRunner(
      settings(
        'one/transform',
        transformOf(() => transform, ['720p', '360p']),
      ),
      fixture.services,
    )
    await runner.start()
    ends[0]?.()
    assert.equal(runner.state, 'ready')
    ends[1]?.()
    assert.equal(runner.state, 'ended')
    await runner.stop('test')
  })
})
