import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isEngineError } from '../errors.js'
import type { NodeSettings } from '../graph/graph.js'
import { until } from '../listen/loopback.test.kit.js'
import type { AnyChunk } from '../plugin/contract.js'
import { defineService } from '../plugin/define.js'
import { ReloadHarness } from './change/reload.test.kit.js'
import { EngineOperator } from './operator.js'
import type { Engine } from './engine.js'
import { chunk, RecordingOutput, ScriptedSource } from './run.test.kit.js'
import { common, input, node, output } from './scripted-nodes.test.kit.js'

type Acts = NonNullable<Engine['operator']>

/** Opens a source for each opening of `one/main`, and an output for each of `one/out`. */
class Scripted {
  readonly sources: ScriptedSource[] = []
  readonly outputs: RecordingOutput[] = []
  readonly main = input((_mode, context) => {
    const source = new ScriptedSource()
    this.sources.push(source)
    context.ready()
    return source
  })
  readonly out = output(() => {
    const kept = new RecordingOutput()
    this.outputs.push(kept)
    return kept
  })

  nodes(live = ''): readonly NodeSettings[] {
    return [node('one/main', this.main, { live }), node('one/out', this.out, { from: 'one/main' })]
  }
}

/** Counts how often `services/s` is opened. */
class CountedService {
  opened = 0
  /** Of the newest one, for good. */
  fail: (error: Error) => void = () => undefined
  readonly node = node(
    'services/s',
    defineService({
      ...common,
      type: 'test-service',
      open: () => {
        this.opened++
        const done = new Promise<never>((_, reject) => (this.fail = reject))
        return { done, [Symbol.asyncDispose]: () => Promise.resolve() }
      },
    }),
    {},
  )
}

function operatorOf({ engine }: ReloadHarness): Acts {
  const { operator } = engine
  assert.ok(operator instanceof EngineOperator)
  return operator
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'done',
    (error: unknown) => (isEngineError(error) ? error.code : String(error)),
  )
}

describe('an operator', () => {
  test('restarts a node: it is closed and opened anew, and its readers stay', async () => {
    const scripted = new Scripted()
    await using harness = await new ReloadHarness().start(...scripted.nodes())
    const operator = operatorOf(harness)
    harness.send(2, scripted.sources[0]!)
    const { action, viewers } = await operator.act('one/main', 'restart')
    assert.deepEqual([action, viewers, scripted.sources.length, scripted.sources[0]?.disposals], ['restart', 0, 2, 1])
    harness.send(3, scripted.sources[1]!)
    assert.equal(scripted.outputs[0]?.chunks.length, 5)
    assert.equal(harness.states['one/main'], 'ready')
    await operator.act('one/out', 'restart')
    assert.deepEqual([scripted.outputs.length, scripted.outputs[0]?.disposals], [2, 1])
  })

  test('disables a node, which stays stopped until it is enabled', async () => {
    const scripted = new Scripted()
    await using harness = await new ReloadHarness().start(...scripted.nodes())
    const operator = operatorOf(harness)
    const { node: stopped } = await operator.act('one/main', 'disable')
    assert.deepEqual([stopped.state, stopped.why], ['stopped', 'disabled by an operator'])
    assert.deepEqual(harness.engine.readiness()?.reasons, ['one/main: disabled by an operator'])
    scripted.sources[0]?.error(new Error('too late to matter'))
    await operator.act('one/main', 'disable')
    assert.deepEqual([harness.states['one/main'], scripted.sources.length], ['stopped', 1])
    await operator.act('one/main', 'enable')
    harness.send(1, scripted.sources[1]!)
    assert.deepEqual([harness.states['one/main'], scripted.outputs[0]?.chunks.length], ['ready', 1])
  })

  test('disables a node until a reload changes something', async () => {
    const scripted = new Scripted()
    await using harness = await new ReloadHarness().start(...scripted.nodes())
    await operatorOf(harness).act('one/out', 'disable')
    await harness.reload(...scripted.nodes('other'))
    await until(() => harness.states['one/out'] === 'ready', 'it is open again')
    assert.equal(scripted.outputs.length, 2)
  })

  test('cancels the retry of a node that waits, and tries it at once', async () => {
    const scripted = new Scripted()
    await using harness = await new ReloadHarness().start(...scripted.nodes())
    scripted.sources[0]?.error(Object.assign(new Error('gone')))
    await until(() => harness.states['one/main'] === 'failed', 'it has failed')
    const operator = operatorOf(harness)
    assert.equal(await codeOf(operator.act('one/main', 'disable')), 'NODE_ACTION_OVER')
    await operator.act('one/main', 'restart')
    await until(() => harness.states['one/main'] !== 'failed', 'it runs again')
    harness.send(1, scripted.sources[1]!)
    await until(() => harness.states['one/main'] === 'ready', 'packets come')
  })

  test('opens a service again that has failed for good', async () => {
    const service = new CountedService()
    await using harness = await new ReloadHarness().start(service.node)
    service.fail(new TypeError('a bug'))
    await until(() => harness.states['services/s'] === 'failed', 'it has failed')
    await operatorOf(harness).act('services/s', 'restart')
    await until(() => harness.states['services/s'] === 'ready', 'it runs again')
    assert.equal(service.opened, 2)
  })

  test('stops a service until it is enabled, and opens it anew', async () => {
    const service = new CountedService()
    await using harness = await new ReloadHarness().start(service.node)
    const operator = operatorOf(harness)
    await operator.act('services/s', 'disable')
    assert.equal(harness.states['services/s'], 'stopped')
    await operator.act('services/s', 'enable')
    assert.deepEqual([harness.states['services/s'], service.opened], ['ready', 2])
    const { node: after, viewers } = await operator.act('services/s', 'restart')
    assert.deepEqual([after.state, viewers, service.opened], ['ready', 0, 3])
  })

  test('is told which node does not exist', async () => {
    await using harness = await new ReloadHarness().start()
    const operator = operatorOf(harness)
    assert.equal(await codeOf(operator.act('one/mian', 'restart')), 'NODE_ACTION_UNKNOWN')
    assert.equal(operator.explain('one/mian'), undefined)
    assert.equal(operator.explain('one/out')?.cause, 'no-packets')
    assert.equal(operator.options('one/mian'), undefined)
    assert.equal(operator.options('one/out')?.node, 'one/out')
  })
})

describe('a tap', () => {
  test('receives what leaves a port, across a restart, until it is closed', async () => {
    const scripted = new Scripted()
    await using harness = await new ReloadHarness().start(...scripted.nodes())
    const operator = operatorOf(harness)
    const seen: AnyChunk[] = []
    const tap = operator.tap('one/main', undefined, { take: (each) => seen.push(each), end: () => undefined })
    harness.send(2, scripted.sources[0]!)
    await operator.act('one/main', 'restart')
    harness.send(1, scripted.sources[1]!)
    tap[Symbol.dispose]()
    harness.send(1, scripted.sources[1]!)
    assert.deepEqual([seen.length, scripted.outputs[0]?.chunks.length], [3, 4])
  })

  test('ends with the stream, and is refused at an output, and beyond the limit', async () => {
    const scripted = new Scripted()
    await using harness = await new ReloadHarness().start(...scripted.nodes())
    const operator = operatorOf(harness)
    let ends = 0
    const reader = { take: () => undefined, end: () => ends++ }
    const refusal = (run: () => unknown): string => {
      try {
        run()
        return 'none'
      } catch (error) {
        return isEngineError(error) ? error.code : String(error)
      }
    }
    assert.equal(
      refusal(() => operator.tap('one/out', undefined, reader)),
      'TAP_NO_PORT',
    )
    assert.equal(
      refusal(() => operator.tap('one/main', 'video', reader)),
      'TAP_NO_PORT',
    )
    for (let i = 0; i < 8; i++) operator.tap('one/main', 'out', reader)
    assert.equal(
      refusal(() => operator.tap('one/main', 'out', reader)),
      'TAP_TOO_MANY',
    )
    scripted.sources[0]?.next(chunk(1))
    scripted.sources[0]?.complete()
    assert.equal(ends, 8)
  })
})
