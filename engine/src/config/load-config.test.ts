import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadFiles, pipelineWith } from './example-config.test.js'

const FULL = `
version: 1
engine:
  api: { address: "127.0.0.1:0", hosts: [tv.example] }
  log: { level: debug }
  stateDir: state
  drain: 3s
listeners:
  web: { address: "\${HOST:-127.0.0.1}:\${PORT}" }
services: { metrics: { type: prometheus } }
pipelines:
  one:
    description: costs $\${5}
    outputs:
      ts: { type: http-ts, from: gops, path: /one.ts, window: { duration: 2s } }
    transforms:
      gops: { type: gop, from: pick, description: cut }
      pick: { type: failover, from: [main, backup] }
    inputs:
      main: &main { type: file, path: media/a.ts, loop: "\${LOOP}", batch: 20ms, timeline: source, maxRate: 20Mb/s }
      backup: { <<: *main, path: /b.ts, pace: none }
`

test('a file becomes a graph with defaults, units, absolute paths, and nodes in build order', async () => {
  const env = { PORT: '8000', LOOP: 'true' }
  const { graph, diagnostics, folder } = await loadFiles({ 'live.yaml': FULL }, undefined, { env })
  assert.deepEqual(diagnostics, [])
  assert.deepEqual(graph?.engine, {
    api: { address: '127.0.0.1:0', hosts: ['tv.example'], readToken: 'remote' },
    log: { level: 'debug' },
    stateDir: join(folder, 'state'),
    drainMs: 3000,
    maxClients: 5000,
    maxProcesses: 200,
    accessLog: 'off',
  })
  const listeners = graph.listeners.map(({ name, protocol, address }) => [name, protocol, address])
  assert.deepEqual(listeners, [
    ['api', 'http', '127.0.0.1:0'],
    ['web', 'http', '127.0.0.1:8000'],
  ])
  assert.deepEqual(graph.services[0]?.options, { listener: 'api', path: '/metrics' })
  const [pipeline] = graph.pipelines
  assert.equal(pipeline?.description, 'costs ${5}')
  const nodes = pipeline.nodes.map(({ id, options, from }) => [
    id,
    options,
    from.map(({ node, port }) => `${node}.${port}`),
  ])
  assert.deepEqual(nodes, [
    ['one/main', { path: join(folder, 'media/a.ts'), loop: true, pace: 'pcr' }, []],
    ['one/backup', { path: '/b.ts', loop: true, pace: 'none' }, []],
    ['one/pick', {}, ['one/main.out', 'one/backup.out']],
    ['one/gops', { maxDuration: 10_000 }, ['one/pick.out']],
    ['one/ts', { path: '/one.ts', listener: 'web', window: { duration: 2000, size: 67_108_864 } }, ['one/gops.out']],
  ])
  const [main] = pipeline.nodes
  assert.deepEqual([main?.batchMs, main?.timeline, main?.maxBytesPerS], [20, 'source', 2_500_000])
  assert.deepEqual([main?.at.line, main?.at.column], [20, 7])
})

test('options that are not set have defaults', async () => {
  const { graph, folder } = await loadFiles({ 'live.yaml': pipelineWith({}) })
  assert.deepEqual(graph?.engine, {
    api: { address: '127.0.0.1:9990', hosts: [], readToken: 'remote' },
    log: { level: 'info' },
    stateDir: join(folder, '.millrace'),
    drainMs: 10_000,
    maxClients: 5000,
    maxProcesses: 200,
    accessLog: 'off',
  })
  const main = graph.pipelines[0]?.nodes[0]
  const { batchMs, timeline, description, maxBytesPerS } = main ?? {}
  assert.deepEqual([batchMs, timeline, description, maxBytesPerS], [50, 'continuous', '', undefined])
})

test('several files are merged, and nodes can use a listener of another file', async () => {
  const first = pipelineWith({ outputs: 'ts: { type: http-ts, from: main, path: /a }' })
  const engine = 'version: 1\nengine: { maxClients: "7" }\nlisteners: { api: { address: "127.0.0.1:1" } }\n'
  const other = first
    .replace('one:', 'two:')
    .replace(/^listeners.*\n/m, '')
    .replace('/a }', '/b }')
  const { graph, diagnostics } = await loadFiles({ a: first, b: other, c: engine })
  assert.deepEqual(diagnostics, [])
  assert.deepEqual(
    graph?.pipelines.map(({ name }) => name),
    ['one', 'two'],
  )
  assert.equal(graph.engine.maxClients, 7)
  assert.equal(graph.engine.api.address, '127.0.0.1:1')
  assert.deepEqual(
    graph.listeners.map(({ name }) => name),
    ['web', 'api'],
  )
})

test('interpolated values are inert, and the prototype is not part of the environment', async () => {
  const text = pipelineWith({ outputs: 'ts: { type: http-ts, from: main, path: "/${A}" }' })
  const good = await loadFiles({ a: text }, undefined, { env: { A: '${B}: {x}' } })
  const options = good.graph?.pipelines[0]?.nodes[1]?.options as { readonly path: string }
  assert.equal(options.path, '/${B}: {x}')
  const bad = await loadFiles({ a: text.replace('${A}', '${__proto__}${constructor}') })
  assert.deepEqual(
    bad.diagnostics.map(({ code }) => code),
    ['CONFIG_UNSET_VARIABLE', 'CONFIG_UNSET_VARIABLE'],
  )
})

test('neither the value nor the line of a secret is shown', async () => {
  const text = pipelineWith({}).replace('a.ts', 'a.ts, password: 12345')
  const { diagnostics } = await loadFiles({ a: text })
  assert.equal(diagnostics[0]?.code, 'CONFIG_WRONG_TYPE')
  assert.ok(!JSON.stringify(diagnostics).includes('12345'))
})

test('a prototype key in a file changes no object', async () => {
  const text = pipelineWith({ top: '__proto__: { polluted: 1 }' }).replace('a.ts', 'a.ts, __proto__: { polluted: 1 }')
  const { diagnostics } = await loadFiles({ a: text })
  assert.deepEqual(
    diagnostics.map(({ code }) => code),
    ['CONFIG_UNKNOWN_KEY', 'CONFIG_UNKNOWN_KEY'],
  )
  assert.equal(({} as { polluted?: unknown }).polluted, undefined)
})

test('a mistake behind an anchor is reported once, where it is written', async () => {
  const text = `${pipelineWith({}).replace('main: {', 'main: &m { lop: 1,')}      backup: *m\n      third: { <<: *m, path: b }\n`
  const { diagnostics } = await loadFiles({ a: text })
  const lines = diagnostics.map(({ code, line, column }) => `${code} ${line}:${column}`)
  assert.deepEqual(lines, ['CONFIG_UNKNOWN_KEY 6:18'])
})

test('a file of 200 nodes with a mistake in each is checked in one pass', async () => {
  const lines = Array.from(
    { length: 200 },
    (_, index) => `n${index}: { type: http-ts, from: mian, path: /${index}, lop: 1 }`,
  )
  const { diagnostics } = await loadFiles({ a: pipelineWith({ outputs: lines.join('\n') }) })
  assert.equal(diagnostics.length, 400)
  assert.equal(diagnostics.filter(({ code }) => code === 'CONFIG_UNKNOWN_NODE').length, 200)
})

test('arguments of programs are texts as they are written, quoted or not', async () => {
  const numbers = ['007', '0x100', '1e3', '+5', '0o17', '-0', '1.0', '1.50', '.5', '-.inf', '.nan', '48000']
  const list = [...numbers, '"1.50"', "'a b'", '""', '&five 05', '*five'].join(', ')
  const transforms = `halves: { type: split, from: main, args: [${list}] }`
  const { graph, diagnostics } = await loadFiles({ 'live.yaml': pipelineWith({ transforms }) })
  assert.deepEqual(diagnostics, [])
  const node = graph?.pipelines[0]?.nodes.find(({ id }) => id === 'one/halves')
  assert.deepEqual(node?.options, { args: [...numbers, '1.50', 'a b', '', '05', '05'] })
})

test('a path with an encoded slash, which no request can have, is warned of', async () => {
  for (const [path, isWarned] of [
    ['/a%2Fb.ts', true],
    ['/a%5cb.ts', true],
    ['/a%20b.ts', false],
  ] as const) {
    const outputs = `ts: { type: http-ts, from: main, path: "${path}" }`
    const { graph, diagnostics } = await loadFiles({ a: pipelineWith({ outputs }) }, ['a'])
    assert.ok(graph !== undefined)
    const warnings = diagnostics.map(({ code, severity, message }) => [code, severity, message.includes(path)])
    assert.deepEqual(warnings, isWarned ? [['CONFIG_UNEXPECTED', 'warning', true]] : [])
  }
})
