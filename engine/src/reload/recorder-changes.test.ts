import assert from 'node:assert/strict'
import { test } from 'node:test'
import { effectiveConfig } from '../config/effective-config.js'
import { loadFiles } from '../config/example-config.test.js'
import type { LoadedConfig } from '../config/load-config.js'
import type { Graph } from '../graph/graph.js'
import { planReload } from './plan-reload.js'
import { servingAt } from './supervised.test.kit.js'

function load(recorder: string): Promise<LoadedConfig> {
  const text = servingAt('/a').replace('path: a.ts }', `path: /a.ts${recorder} }`)
  return loadFiles({ 'live.yaml': text })
}

async function graphOf(recorder: string): Promise<Graph> {
  const { graph, diagnostics } = await load(recorder)
  assert.ok(graph !== undefined, JSON.stringify(diagnostics))
  return graph
}

function recorderIn(graph: Graph): unknown {
  const { pipelines } = effectiveConfig(graph) as {
    readonly pipelines: { readonly one: { readonly inputs: { readonly main: { readonly recorder?: unknown } } } }
  }
  return pipelines.one.inputs.main.recorder
}

test('a recorder is printed with its defaults, in a form that it can be read from', async () => {
  const graph = await graphOf(', recorder: {}')
  const printed = recorderIn(graph)
  const on = ['disconnect', 'syncLoss', 'manual']
  assert.deepEqual(printed, { keep: '30s', after: '5s', on, size: '32MiB', maxFiles: 10, maxSize: '1GiB' })
  assert.deepEqual(recorderIn(await graphOf(`, recorder: ${JSON.stringify(printed)}`)), printed)
  assert.equal(recorderIn(await graphOf('')), undefined)
})

test('each option of a recorder changes live, and nothing else happens to the input', async () => {
  const before = await graphOf(', recorder: { keep: 10s }')
  const plan = planReload(before, await graphOf(', recorder: { keep: 20s, on: [manual] }'))
  const [change, ...others] = plan.nodes.filter(({ verb }) => verb !== 'keep')
  assert.deepEqual([change?.id, change?.verb, others], ['one/main', 'live', []])
  assert.deepEqual(
    change?.changes.map(({ path, before: was, after }) => [path, was, after]),
    [
      ['recorder.keep', '10s', '20s'],
      ['recorder.on', 'disconnect,syncLoss,manual', 'manual'],
    ],
  )
  const off = planReload(before, await graphOf('')).nodes.find(({ id }) => id === 'one/main')
  assert.deepEqual([off?.verb, off?.changes[0]?.after], ['live', undefined])
})

test('an event that nothing causes, and a bound that is none, are refused where they are written', async () => {
  const { diagnostics } = await load(', recorder: { on: [failover], keep: 1ms }')
  assert.deepEqual(
    diagnostics.map(({ code, message }) => [code, /failover|disconnect|keep/.test(message)]),
    [
      ['CONFIG_WRONG_VALUE', true],
      ['CONFIG_OUT_OF_RANGE', true],
    ],
  )
})
