import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeContext } from '../plugin/contract.js'
import { parseExposition } from '../observe/exposition.test.kit.js'
import { EngineNodeMetrics } from './engine-node-metrics.js'
import { chunk, inputIn, RunnerFixture, ScriptedSource } from './run.test.kit.js'

test('a node is up while it is ready or idle; an input is connected even while no packets come', async () => {
  using fixture = new RunnerFixture()
  let context: NodeContext | undefined
  const source = new ScriptedSource()
  const input = inputIn(fixture, (given) => {
    context = given
    return source
  })
  new EngineNodeMetrics(fixture.metrics, {
    routeOf: () => undefined,
    audienceOf: () => undefined,
    publishersOf: () => undefined,
    isBound: () => true,
  }).update([input], [])
  const read = async (): Promise<unknown> => {
    const families = parseExposition(await fixture.metrics.render())
    return ['millrace_node_up', 'millrace_input_connected'].map((name) => families.get(name)?.samples[0]?.value)
  }
  await input.start()
  assert.deepEqual(await read(), [0, 0])
  context?.ready()
  assert.deepEqual([input.state, await read()], ['waiting', [0, 1]])
  source.next(chunk(0))
  assert.deepEqual([input.state, await read()], ['ready', [1, 1]])
  context?.idle('nobody publishes')
  assert.deepEqual([input.state, await read()], ['idle', [1, 1]])
  context?.degraded('slow')
  assert.deepEqual(await read(), [0, 1])
  await input.stop('test')
  assert.deepEqual(await read(), [0, 0])
})
