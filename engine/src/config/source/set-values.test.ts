import assert from 'node:assert/strict'
import { join } from 'node:path'
import process from 'node:process'
import { test } from 'node:test'
import { loadFiles, pipelineWith } from '../example-config.test.js'
import type { LoadedConfig, LoadOptions } from '../load-config.js'

const TEXT = pipelineWith({ outputs: 'ts: { type: http-ts, from: main, path: /a, window: { size: 1MiB } }' })

function load(sets: readonly string[], more: Partial<LoadOptions> = {}): Promise<LoadedConfig> {
  return loadFiles({ a: TEXT }, ['a'], { sets, ...more })
}

function optionsOf({ graph }: LoadedConfig, at: number): unknown {
  return graph?.pipelines[0]?.nodes[at]?.options
}

test('a flag replaces a value, adds one that the file lacks, and takes lists, maps and interpolation', async () => {
  const sets = [
    'pipelines.one.outputs.ts.path=/b',
    'pipelines.one.outputs.ts.window.duration=3s',
    'pipelines.one.inputs.main.mirrors=["http://${HOST}/x", { at: c.ts, weight: 3 }]',
    'pipelines.one.inputs.main.mirrors.1.weight=4',
    'engine.maxClients=7',
    'engine.api={ hosts: [tv.example] }',
  ]
  const loaded = await load(sets, { env: { HOST: 'h' } })
  assert.deepEqual(loaded.diagnostics, [])
  assert.deepEqual(optionsOf(loaded, 1), { path: '/b', listener: 'web', window: { duration: 3000, size: 1_048_576 } })
  const { mirrors } = optionsOf(loaded, 0) as { readonly mirrors: unknown }
  assert.deepEqual(mirrors, ['http://h/x', { at: join(process.cwd(), 'c.ts'), weight: 4 }])
  assert.deepEqual([loaded.graph?.engine.maxClients, loaded.graph?.engine.api.hosts], [7, ['tv.example']])
})

test('of several files, the one that has the path is changed; a flag can add a whole node', async () => {
  const other = pipelineWith({})
    .replace('one:', 'two:')
    .replace('listeners: { web: { address: "127.0.0.1:8000" } }', '')
  const sets = ['pipelines.two.description=second', 'pipelines.two.outputs.ts={ type: http-ts, from: main, path: /t }']
  const { graph, diagnostics } = await loadFiles({ a: TEXT, b: other }, ['a', 'b'], { sets })
  assert.deepEqual(diagnostics, [])
  assert.deepEqual(
    graph?.pipelines.map(({ name, description, nodes }) => [name, description, nodes.length]),
    [
      ['one', '', 2],
      ['two', 'second', 2],
    ],
  )
})

test('a value shared by an alias is changed only at the path of the flag', async () => {
  const text = `${pipelineWith({}).replace('main: {', 'main: &m {')}      backup: { <<: *m }\n      third: *m\n`
  const { graph } = await loadFiles({ a: text }, ['a'], { sets: ['pipelines.one.inputs.third.loop=true'] })
  const loops = graph?.pipelines[0]?.nodes.map(({ options }) => (options as { readonly loop: boolean }).loop)
  assert.deepEqual(loops, [false, false, true])
})

test('a flag can declare and use a secret', async () => {
  const sets = ['secrets.anna.env=A', 'pipelines.one.inputs.main.password=${secret:anna}']
  const loaded = await load(sets, { env: { A: 'hunter2' } })
  assert.equal((optionsOf(loaded, 0) as { readonly password: string }).password, 'hunter2')
})

const mistakes = [
  { set: '', found: 'CONFIG_SET --set 1:1:1' },
  { set: '=1', found: 'CONFIG_SET --set 1:1:1' },
  { set: 'engine..drain=1s', found: 'CONFIG_SET --set 1:1:1' },
  { set: 'engine.__proto__.x=1', found: 'CONFIG_SET --set 1:1:1' },
  { set: 'engin.drain=1s', found: 'CONFIG_UNKNOWN_KEY --set 1:1:1', help: 'did you mean "engine"?' },
  { set: 'engine.drian=1s', found: 'CONFIG_UNKNOWN_KEY --set 1:1:8', help: 'did you mean "drain"?' },
  { set: 'engine.drain=1', found: 'CONFIG_WRONG_TYPE --set 1:1:14' },
  { set: 'engine.drain=[1', found: 'CONFIG_SYNTAX --set 1:1:15' },
  { set: 'engine.drain=${X}', found: 'CONFIG_UNSET_VARIABLE --set 1:1:14' },
  { set: 'version.x=1', found: 'CONFIG_SET --set 1:1:1' },
  { set: 'pipelines.one.outputs.t.path=/x', found: 'CONFIG_SET --set 1:1:23', help: 'did you mean "ts"?' },
  { set: 'pipelines.one.output.ts.path=/x', found: 'CONFIG_UNKNOWN_KEY --set 1:1:15', help: 'did you mean "outputs"?' },
  { set: 'listeners.wob.address=x', found: 'CONFIG_SET --set 1:1:11', help: 'did you mean "web"?' },
  { set: 'pipelines.one.outputs.ts.from.0=x', found: 'CONFIG_SET --set 1:1:26' },
]

for (const { set, found, help } of mistakes) {
  test(`--set "${set}" is refused at the flag`, async () => {
    const { diagnostics } = await load([set])
    const [first] = diagnostics.map(({ code, file, line, column }) => `${code} ${file}:${line}:${column}`)
    assert.equal(first, found)
    if (help !== undefined) assert.equal(diagnostics[0]?.help, help)
  })
}

test('an index outside the list is refused', async () => {
  const { diagnostics } = await load(['engine.api.hosts=[a]', 'engine.api.hosts.1=b'])
  assert.equal(diagnostics[0]?.help, 'use an index from 0 to 0, or set the whole list')
})
