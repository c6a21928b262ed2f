import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { keepStreams } from './cli-streams.test.kit.js'
import type { KeptStreams } from './cli-streams.test.kit.js'
import { inspectType } from './inspect.js'
import { listPlugins } from './plugins.js'
import { showSchema } from './schema.js'

let folder = ''

const described = (kind: string, more: object = {}): object => ({
  kind,
  type: 'twin',
  summary: `A twin ${kind}.`,
  options: [],
  schema: { type: 'object', properties: {}, additionalProperties: false },
  metrics: [],
  examples: [],
  ...more,
})

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-inspect-'))
  const millrace = { api: '^1.0', manifest: './manifest.json' }
  const json = {
    name: 'twins',
    version: '1.0.0',
    type: 'module',
    keywords: ['millrace-plugin'],
    millrace,
    exports: './x.js',
  }
  const lone = { type: 'lone', summary: 'Alone \u001b[31m.', consumes: ['gop'], inlets: 'many' }
  const definitions = [
    described('input', { produces: 'bytes' }),
    described('output', { consumes: ['ts'], inlets: 'one' }),
    described('output', lone),
  ]
  const files = {
    'package.json': JSON.stringify({ dependencies: { twins: '1' } }),
    'node_modules/twins/package.json': JSON.stringify(json),
    'node_modules/twins/manifest.json': JSON.stringify({
      api: '^1.0',
      package: 'twins',
      version: '1.0.0',
      definitions,
      errors: [],
    }),
    'node_modules/twins/x.js': 'throw new Error("was run")\n',
    'local.js': `export default { kind: 'service', type: 'near', summary: 'Near.', options: { safeParse() {}, _zod: { def: { type: 'object', shape: {} } } }, examples: [], open() {} }\n`,
    'live.yaml': 'version: 1\nplugins: ["./local.js"]\n',
    'broken.yaml': 'version: 1\nplugins: ["./gone.js"]\n',
  }
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
})

after(() => rm(folder, { recursive: true }))

async function inspect(
  name: string | undefined,
  more: object = {},
): Promise<{ readonly code: number; readonly streams: KeptStreams }> {
  const streams = keepStreams()
  return { code: await inspectType(name, streams, { folder, ...more }), streams }
}

test('a type that two kinds have is asked for by kind and type', async () => {
  const { code, streams } = await inspect('twin')
  assert.deepEqual([code, streams.outText()], [2, ''])
  assert.equal(
    streams.errText(),
    'error: "twin" is input/twin and output/twin\n  = help: say which: engine inspect input/twin\n',
  )
  const chosen = await inspect('output/twin')
  assert.equal(chosen.code, 0)
  assert.match(
    chosen.streams.outText(),
    /^output twin {2}A twin output\.\n {2}package {2}twins 1\.0\.0\n {2}takes {4}ts, from one node\n/,
  )
})

test('a type that nobody provides is wrong usage, with the nearest one that somebody does', async () => {
  const { code, streams } = await inspect('lnoe')
  assert.equal(code, 2)
  assert.match(streams.errText(), /no type "lnoe"\n {2}= help: did you mean "lone"\?/)
})

test('without a type all are listed, and what a manifest says cannot move the cursor', async () => {
  const { code, streams } = await inspect(undefined)
  assert.equal(code, 0)
  assert.match(streams.outText(), /output +lone +twins +Alone \?\[31m\.\n/)
  const json = JSON.parse((await inspect(undefined, { json: true })).streams.outText()) as readonly {
    readonly type: string
  }[]
  assert.ok(json.some(({ type }) => type === 'lone'))
})

test('a module that the YAML names is run to describe it, and listed as not known', async () => {
  const file = join(folder, 'live.yaml')
  assert.match((await inspect('near', { file })).streams.outText(), /^service near {2}Near\./)
  const streams = keepStreams()
  assert.equal(await listPlugins(streams, { folder, file }), 0)
  assert.match(streams.outText(), /\.\/local\.js +- +- +not known without running it +plugins: of the YAML/)
})

test('a plugin that is not there is an error of the list, and of nothing else', async () => {
  const file = join(folder, 'broken.yaml')
  const streams = keepStreams()
  assert.equal(await listPlugins(streams, { folder, file, json: true }), 78)
  assert.match(streams.errText(), /error\[PLUGIN_NOT_FOUND\]: plugin "\.\/gone\.js" does not exist\n {2}= help: /)
  const schema = keepStreams()
  assert.equal(await showSchema(schema, { folder, file }), 0)
  const { definitions } = JSON.parse(schema.outText()) as { readonly definitions: object }
  assert.ok('output.lone' in definitions && 'input.twin' in definitions)
})
