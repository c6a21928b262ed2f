import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'yaml'
import type { Graph } from '../graph/graph.js'
import { effectiveConfig, renderConfigYaml } from './effective-config.js'
import { examplePlugins, loadFiles, pipelineWith } from './example-config.test.js'
import { loadConfig } from './load-config.js'

const TOP = `engine: { drain: 90s, maxClients: "\${MAX:-70}" }
secrets: { who: { env: WHO } }
services: { metrics: { type: prometheus } }`
const OUTPUTS = 'ts: { type: http-ts, from: main, path: "/${secret:who}/a" }'

async function load(env: Readonly<Record<string, string>>): Promise<Graph> {
  const { graph, diagnostics } = await loadFiles({ a: pipelineWith({ top: TOP, outputs: OUTPUTS }) }, ['a'], { env })
  assert.ok(graph !== undefined, JSON.stringify(diagnostics))
  return graph
}

test('variables are filled in, defaults are written out, secrets are masked', async () => {
  const config = effectiveConfig(await load({ WHO: 'hunter2' })) as Record<string, Record<string, unknown>>
  assert.deepEqual([config['engine']?.['drain'], config['engine']?.['maxClients']], ['90s', 70])
  const text = renderConfigYaml(config)
  assert.ok(!text.includes('hunter2') && text.includes('/***/a'), text)
})

test('the printed text is a configuration file with the same meaning', async () => {
  const graph = await load({ WHO: 'x-y-z' })
  const text = renderConfigYaml(effectiveConfig(graph)).replaceAll('***', 'x-y-z')
  const again = await loadConfig(['b.yaml'], {
    env: {},
    plugins: examplePlugins,
    contents: new Map([['b.yaml', text]]),
  })
  assert.deepEqual(again.diagnostics, [])
  assert.ok(again.graph !== undefined)
  const second = renderConfigYaml(effectiveConfig(again.graph))
  assert.deepEqual(parse(second), parse(text))
})
