import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { NodeContext } from '../../plugin/contract.js'
import { EVENTS, type EventNotice, type Events } from '../../plugin/tokens.js'
import { defineService } from '../../plugin/define.js'
import { z } from 'zod'
import { ENGINE_EVENTS } from '../../compose/service-keys.js'
import { NodeScope, type ScopedNode } from './node-scope.js'
import { OutputRunner } from './output-runner.js'
import { ServiceRunner } from './service-runner.js'
import { flushPromises, outputOf, RecordingOutput, RunnerFixture, settings, testError } from '../run.test.kit.js'

/** An output that is open, with the context of each time that it was opened. */
async function openOutput(fixture: RunnerFixture): Promise<{ output: OutputRunner; contexts: NodeContext[] }> {
  const contexts: NodeContext[] = []
  const definition = outputOf((context) => {
    contexts.push(context)
    return new RecordingOutput()
  })
  const output = new OutputRunner(settings('one/out', definition), fixture.services)
  await output.start()
  return { output, contexts }
}

function broken(): never {
  throw new Error('broken')
}

const atLevel = ({ lines }: RunnerFixture, level: number): string[] =>
  lines.filter((line) => line.level === level).map(({ msg }) => msg)

describe('a guarded callback', () => {
  test('fails its node with the error that it throws, and returns normally', async () => {
    using fixture = new RunnerFixture()
    const { output, contexts } = await openOutput(fixture)
    assert.equal(contexts[0]?.guard(broken)(), undefined)
    assert.deepEqual([output.state, output.why], ['failed', 'broken'])
  })

  test('fails its node with the rejection of its promise, as the row of the error says', async () => {
    using fixture = new RunnerFixture()
    const { output, contexts } = await openOutput(fixture)
    const guarded = contexts[0]?.guard(() => Promise.reject(testError('TEST_RETRY', 'later')))
    await guarded?.()?.catch(() => undefined)
    assert.deepEqual([output.state, output.why], ['waiting', 'later'])
  })

  test('passes arguments and the result through', async () => {
    using fixture = new RunnerFixture()
    const { output, contexts } = await openOutput(fixture)
    const sum = contexts[0]?.guard((a: number, b: number) => a + b)
    assert.equal(sum?.(1, 2), 3)
    assert.equal(output.state, 'ready')
  })

  test('of a node that has ended or been reopened only logs its error, at a limited rate', async () => {
    using fixture = new RunnerFixture()
    const { output, contexts } = await openOutput(fixture)
    const old = contexts[0]?.guard(broken)
    output.fail(testError('TEST_RETRY', 'later'))
    fixture.clock.advance(500)
    await flushPromises()
    assert.deepEqual([output.state, contexts.length], ['ready', 2])
    for (let count = 0; count < 100; count++) old?.()
    assert.equal(output.state, 'ready')
    const late = 'its code threw after the node had ended: broken'
    assert.deepEqual(atLevel(fixture, 50), [late])
    await output.stop('test')
    fixture.clock.advance(10_000)
    contexts[1]?.guard(broken)()
    assert.deepEqual(atLevel(fixture, 50), [late, late])
    assert.equal(fixture.lines.at(-1)?.['leftOut'], 99)
    assert.equal(output.state, 'stopped')
  })
})

describe('an uncaught error', () => {
  test('fails the node for good, whatever its row says', async () => {
    using fixture = new RunnerFixture()
    const { output } = await openOutput(fixture)
    output.calls.failUncaught(testError('TEST_RETRY', 'later'))
    assert.deepEqual([output.state, output.why], ['failed', 'later'])
    assert.equal((output.failure as { readonly code?: string }).code, 'NODE_FAILED')
    output.calls.failUncaught('a text')
    assert.equal(output.why, 'later')
  })

  test('can belong to a node from the start of its opening to the end of its disposal', async () => {
    using fixture = new RunnerFixture()
    const { members } = fixture.scope
    const { output } = await openOutput(fixture)
    assert.deepEqual(
      [...members].map(({ id }) => id),
      ['one/out'],
    )
    await output.stop('test')
    assert.equal(members.size, 0)
  })
})

describe('a node that blocks the event loop', () => {
  test('appears in the log, as an event and in its status, and keeps its state', async () => {
    using fixture = new RunnerFixture()
    const { output } = await openOutput(fixture)
    assert.equal(output.status().stalls, undefined)
    for (const ms of [250.4, 300, 200]) output.calls.noteStall(ms)
    const said = fixture.lines.filter(({ level }) => level === 40)
    assert.deepEqual(
      said.map(({ node, ms }) => [node, ms]),
      [['one/out', 250]],
    )
    fixture.clock.advance(10_000)
    output.calls.noteStall(400)
    assert.equal(fixture.lines.at(-1)?.['leftOut'], 2)
    const { state, why, stalls } = output.status()
    assert.deepEqual([state, why, stalls?.count, stalls?.seconds], ['ready', '', 4, 1.15])
    const kinds = fixture.events.recent().map(({ kind }) => kind)
    assert.deepEqual(kinds, ['node.ready', 'node.stalled', 'node.stalled'])
  })

  test('passes its counts to the node that replaces it', async () => {
    using fixture = new RunnerFixture()
    const { output: before } = await openOutput(fixture)
    before.calls.noteStall(300)
    const { settings: same } = before
    const next = new OutputRunner(same, fixture.services, { isStandby: true, before })
    await next.start()
    next.calls.noteStall(200)
    next.activate()
    assert.deepEqual([next.calls.stalls, next.calls.stalledMs], [2, 500])
  })
})

test('a subscriber of events runs in the scope of its own node, not of the node that an event is about', async () => {
  using fixture = new RunnerFixture()
  const seen: string[] = []
  class RecordingScope extends NodeScope {
    override call<T>(node: ScopedNode, run: () => T): T {
      seen.push(node.id)
      return super.call(node, run)
    }
  }
  const listeners: ((event: EventNotice) => void)[] = []
  const subscribe = (listen: (event: EventNotice) => void): Disposable => {
    listeners.push(listen)
    return { [Symbol.dispose]: () => undefined }
  }
  const pluginEvents: Events = { subscribe, subscribeClients: subscribe, recent: () => [] }
  const definition = defineService({
    type: 'test',
    summary: 'For tests.',
    options: z.strictObject({}),
    inject: { events: EVENTS },
    examples: [],
    open(_options$, _context, { events }) {
      events.subscribe(() => undefined)
      events.subscribeClients(() => undefined)
      return { [Symbol.asyncDispose]: () => Promise.resolve() }
    },
  })
  fixture.container.value(ENGINE_EVENTS, pluginEvents)
  const services = { ...fixture.services, scope: new RecordingScope() }
  const service = new ServiceRunner(settings('services/hook', definition), services)
  await service.start()
  const { output } = await openOutput(fixture)
  seen.length = 0
  for (const listen of listeners) output.calls.enter(() => listen({ atMs: 0, kind: 'x', data: {} }))
  assert.deepEqual(seen, ['services/hook', 'services/hook'])
})
