import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'yaml'
import type { Graph } from '../graph/graph.js'
import { effectiveConfig, renderConfigYaml } from './effective-config.js'
import { z } from 'zod'
import { defineAuth } from '../plugin/define-auth.js'
import type { Discovered } from '../plugin/discover.js'
import { count } from '../plugin/options.js'
import { Registry } from '../plugin/registry.js'
import { EXAMPLE_DEFINITIONS, examplePlugins, loadFiles, pipelineWith } from './example-config.test.js'
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

test('providers are printed with what they are for, those of plugins too', async () => {
  const code = count().meta({ description: 'A number.', reload: 'live' })
  const door = defineAuth({
    ...{ type: 'door', summary: 'A door.', options: z.strictObject({ code }), examples: [] },
    open: () => assert.fail('nothing is opened'),
  })
  const top = `auth:
  encoders: { type: ip, allow: [10.0.0.0/8], actions: [publish], protocols: [srt, tcp] }
  viewers: { type: door, code: "7" }`
  const plugins = async (): Promise<Discovered> => {
    const registry = new Registry()
    for (const definition of [...EXAMPLE_DEFINITIONS, door]) registry.add(definition, 'here')
    return { registry, problems: [] }
  }
  const files = { a: pipelineWith({ top, outputs: 'ts: { type: http-ts, from: main, path: /a, auth: viewers }' }) }
  const { graph, diagnostics } = await loadFiles(files, ['a'], { plugins })
  assert.ok(graph !== undefined, JSON.stringify(diagnostics))
  assert.equal(graph.auth?.[1]?.definition, door)
  const { auth } = effectiveConfig(graph) as { auth: unknown }
  assert.deepEqual(auth, {
    encoders: { type: 'ip', actions: ['publish'], protocols: ['srt', 'tcp'], allow: ['10.0.0.0/8'], deny: [] },
    viewers: { type: 'door', code: 7 },
  })
})
