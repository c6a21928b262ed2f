import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Graph, NodeSettings } from '../../graph/graph.js'
import { Probation } from '../../reload/node-probation.js'
import { FakeClock } from '../../testing/fake-clock.js'
import type { PipelineRunner } from '../pipeline/pipeline-runner.js'
import { CopyProbation } from './copy-probation.js'
import type { Running } from './reload-transaction.js'

/** A pattern pipeline whose output has been changed, and a copy of it. */
function changed() {
  const [before, now, own] = ['live/out', 'live/out', 'live@a/out'].map((id) => ({ id }) as NodeSettings)
  const graph = { pipelines: [{ name: 'live', pattern: {}, nodes: [now] }] } as unknown as Graph
  const node = {
    id: 'live@a/out',
    settings: own,
    calls: { isOnProbation: false },
    isRetaining: false,
    endpoints: { retain: (isRetaining: boolean) => (node.isRetaining = isRetaining) },
  }
  const copy = { name: 'live@a', nodes: [node] } as unknown as PipelineRunner
  const running: Running = { graph, pipelines: [copy], services: [] }
  const clock = new FakeClock()
  const probation = new Probation(clock)
  const copies = new CopyProbation(running, probation)
  const [[, standIn] = []] = copies.nodesIn(graph)
  return { clock, probation, copies, copy, node, standIn: standIn!, target: { settings: before!, graph }, now: now! }
}

const stateOf = ({ node }: ReturnType<typeof changed>) => [node.isRetaining, node.calls.isOnProbation]

describe('the probation of a pattern pipeline', () => {
  test('keeps the viewers of its copies, those that follow later too, until it is over', () => {
    const pattern = changed()
    const { clock, probation, copies, copy, node, standIn, target } = pattern
    probation.begin(standIn, target)
    assert.deepEqual(stateOf(pattern), [true, true])
    node.endpoints.retain(false)
    copies.note(copy, false)
    assert.deepEqual(stateOf(pattern), [true, true])
    clock.advance(30_000)
    assert.deepEqual(stateOf(pattern), [false, false])
    copies.note(copy, false)
    assert.deepEqual(stateOf(pattern), [false, false])
  })

  test('keeps them after a failure until the configuration has gone back, or cannot', () => {
    for (const isBack of [true, false]) {
      const pattern = changed()
      const { probation, copies, copy, node, standIn, target, now } = pattern
      probation.begin(standIn, target)
      copies.noteFailure(now, probation.end(now)!)
      copies.note(copy, false)
      assert.equal(node.isRetaining, true)
      copies.settle(now, isBack)
      assert.equal(node.isRetaining, isBack)
    }
  })

  test('keeps nobody for an added node, and everybody while a copy has a change to follow', () => {
    const pattern = changed()
    const { probation, copies, copy, node, standIn, target } = pattern
    probation.begin(standIn, { ...target, settings: undefined })
    copies.note(copy, false)
    assert.deepEqual(stateOf(pattern), [false, true])
    copies.note(copy, true)
    assert.equal(node.isRetaining, true)
  })
})
