import assert from 'node:assert/strict'
import { test } from 'node:test'
import { effectiveConfig } from '../effective-config.js'
import { loadFiles, pipelineWith } from '../example-config.test.js'

const TEXT = pipelineWith({
  top: 'services: { numbers: { type: prometheus, was: metrics } }',
  outputs: 'ts: { type: http-ts, from: main, path: /a, was: old }',
})

test('was: is completed with the name of the pipeline', async () => {
  const { graph, diagnostics } = await loadFiles({ a: TEXT })
  assert.deepEqual(diagnostics, [])
  assert.deepEqual(
    graph?.pipelines[0]?.nodes.map(({ was }) => was),
    [undefined, 'one/old'],
  )
  assert.equal(graph.services[0]?.was, 'services/metrics')
  assert.ok(!JSON.stringify(effectiveConfig(graph)).includes('"was"'))
})

test('was: cannot be set by a default', async () => {
  const { diagnostics } = await loadFiles({ a: `${TEXT}defaults: { outputs: { http-ts: { was: x } } }\n` })
  assert.deepEqual(
    diagnostics.map(({ code }) => code),
    ['CONFIG_UNKNOWN_KEY'],
  )
})
