import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadFiles, pipelineWith } from './example-config.test.js'

const TEXT = pipelineWith({
  top: 'secrets: { anna: { env: ANNA }, bert: { file: /gone } }\nengine: { maxClients: "${MAX}", stateDir: "${DIR}" }',
  transforms: 'g: { type: "${TYPE}", from: main }\nh: { type: gop, from: "${FROM}", maxDuration: "${LONG:?why}" }',
  outputs: 'ts: { type: http-ts, from: main, path: "${P}", listener: "${L}", window: { duration: "${D}" } }',
}).replace(
  'a.ts',
  '"${FILE}", password: "${secret:anna}${secret:bert}", pace: "${PACE}", mirrors: [ "${M}", { at: "${N}" } ]',
)

test('without the environment, unknown values are not checked', async () => {
  const { graph, diagnostics } = await loadFiles({ a: TEXT }, ['a'], { noEnv: true })
  assert.deepEqual(diagnostics, [])
  const nodes = graph?.pipelines[0]?.nodes.map(({ id, options }) => [id, options])
  assert.deepEqual(nodes, [
    ['one/main', undefined],
    ['one/h', undefined],
    ['one/ts', undefined],
  ])
})

test('a text that is known in part alone is not checked', async () => {
  const outputs =
    'a: { type: http-ts, from: main, path: "/${A}.ts" }\nb: { type: http-ts, from: main, path: "/${B}.ts" }'
  const { graph, diagnostics } = await loadFiles({ a: pipelineWith({ outputs }) }, ['a'], { noEnv: true })
  assert.deepEqual(diagnostics, [])
  assert.deepEqual(
    graph?.pipelines[0]?.nodes.map(({ options }) => options === undefined),
    [false, true, true],
  )
  const unset = await loadFiles({ a: pipelineWith({ outputs }) }, ['a'])
  assert.deepEqual(
    unset.diagnostics.map(({ code }) => code),
    ['CONFIG_UNSET_VARIABLE', 'CONFIG_UNSET_VARIABLE'],
  )
})

test('all other mistakes are still found, and a secret must be declared', async () => {
  const text = TEXT.replace('pace:', 'pase:')
    .replace('from: main, path', 'from: mian, path')
    .replace('secret:anna', 'secret:ana')
  const { diagnostics } = await loadFiles({ a: text }, ['a'], { noEnv: true })
  assert.deepEqual(diagnostics.map(({ code }) => code).sort(), [
    'CONFIG_UNKNOWN_KEY',
    'CONFIG_UNKNOWN_NODE',
    'CONFIG_UNKNOWN_SECRET',
  ])
})

test('with the environment, each unset variable is an error', async () => {
  const { diagnostics } = await loadFiles({ a: TEXT }, ['a'])
  const names = diagnostics.flatMap(({ code, message }) => (code === 'CONFIG_UNSET_VARIABLE' ? [message] : []))
  assert.equal(names.length, 13)
})

test('ports that depend on an unknown value are not checked, those that a definition lists are', async () => {
  const text = pipelineWith({
    transforms: 'e: { type: encode, from: main, heights: ["${H}"] }\ns: { type: split, from: e.any-port }',
    outputs: 'a: { type: http-ts, from: e.90p, path: /a }\nb: { type: http-ts, from: s.480p, path: /b }',
  })
  const { diagnostics } = await loadFiles({ a: text }, ['a'], { noEnv: true })
  assert.deepEqual(
    diagnostics.map(({ code, message }) => [code, message]),
    [['CONFIG_UNKNOWN_PORT', '"b" reads from port "480p" of "s", which does not exist']],
  )
  const { graph } = await loadFiles({ a: text.replace('480p', '360p') }, ['a'], { noEnv: true })
  const ports = graph?.pipelines[0]?.nodes.map(({ ports: own }) => own.map(({ name }) => name).join())
  assert.deepEqual(ports, ['out', '', '720p,360p', '', ''])
})
