import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Graph, NodeSettings } from '../../graph/graph.js'
import { until } from '../../listen/loopback.test.kit.js'
import { planReload } from '../../reload/plan-reload.js'
import { flow, PatternHarness, recordingYaml } from './pattern.test.kit.js'

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f']
const yaml = (swap: string): string => recordingYaml('linger: 30s', `swap: ${swap}`)

/** Reading the options of outputs waits until `open` is called, but for the copy that tries the reload. */
function gated(graph: Graph): { readonly graph: Graph; readonly waiting: () => number; readonly open: () => void } {
  let waiting = 0
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  const wait = (node: NodeSettings): NodeSettings => {
    const { copy } = node
    if (copy === undefined || node.definition.kind !== 'output') return node
    return {
      ...node,
      copy: async (key) => {
        waiting++
        if (waiting > 1) await opened
        return copy(key)
      },
    }
  }
  const pipelines = graph.pipelines.map((pipeline) => ({ ...pipeline, nodes: pipeline.nodes.map(wait) }))
  return { graph: { ...graph, pipelines }, waiting: () => waiting, open }
}

describe('an engine that stops while copies follow a reload', () => {
  test('opens nothing for a copy whose options are still being read, and disposes what is open', async () => {
    await using harness = await new PatternHarness().start(yaml('a'))
    using _ = flow(...(await Promise.all(KEYS.map((key) => harness.published(key)))))
    const { engine } = harness
    const next = gated(await harness.load(yaml('b')))
    await engine.apply(planReload(engine.graph, next.graph), next.graph)
    await until(() => next.waiting() > 1, 'options are being read')
    const outputs = () => [...harness.outputs.values()].flat()
    const before = outputs().length
    const stopping = engine.stop('test')
    for (let turn = 0; turn < 20; turn++) await nextTurn()
    next.open()
    await stopping
    for (let turn = 0; turn < 200; turn++) await nextTurn()
    assert.equal(outputs().length, before)
    assert.deepEqual(
      outputs().map(({ disposals }) => disposals > 0),
      outputs().map(() => true),
    )
  })
})
