import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { offeredBy, readCatalogue } from './catalogue.js'
import { defineOutput } from './define.js'
import { writeManifest } from './make-manifest.js'
import { describeDefinition, manifestSchema } from './manifest.js'
import { optionJsonSchema } from './option-json-schema.js'
import { choice, count, duration, secret } from './options.js'
import { writeOptions } from './write-options.js'

const options = z.strictObject({
  wait: duration({ min: 1000, max: 60_000 }).default(10_000).meta({ description: 'How long.', reload: 'live' }),
  mode: choice('a', 'b').prefault('a').meta({ description: 'Which.' }),
  path: z.string().regex(/^\//).meta({ description: 'Where.' }),
  limits: z
    .strictObject({ max: count({ min: 1 }).optional().meta({ description: 'At most.', unit: 'viewers' }) })
    .prefault({}),
  token: secret().optional().meta({ description: 'Who.' }),
  hold: z
    .union([duration(), z.literal('never')])
    .prefault('5s')
    .meta({ description: 'Until.' }),
})

const definition = defineOutput({
  type: 'sample',
  summary: 'A sample.',
  consumes: ['gop'],
  inlets: 'many',
  options,
  metrics: [{ name: 'sample_total', kind: 'counter', help: 'Samples.', labels: ['pid'] }],
  examples: [{ title: 'One', yaml: 's: { type: sample }' }],
  open: () => Promise.reject(new Error('not opened here')),
})

test('a definition is described as plain data that JSON preserves', () => {
  const described = describeDefinition(definition)
  assert.deepEqual(JSON.parse(JSON.stringify(described)), described)
  const { kind, type, consumes, inlets, metrics } = described
  assert.deepEqual([kind, type, consumes, inlets], ['output', 'sample', ['gop'], 'many'])
  assert.deepEqual(metrics, [{ name: 'sample_total', kind: 'counter', help: 'Samples.', labels: ['pid'] }])
  const rows = described.options.map(({ path, range, unit, default: value }) => [path, range, unit, value])
  assert.deepEqual(rows, [
    ['wait', '1s to 1m', '', '10s'],
    ['mode', '', '', 'a'],
    ['path', '', '', undefined],
    ['limits.max', 'at least 1', 'viewers', undefined],
    ['token', '', '', undefined],
    ['hold', '', '', '5s'],
  ])
  const errors = manifestSchema.safeParse({
    api: '^1.0',
    package: 'x',
    version: '1',
    definitions: [described],
    errors: [],
  })
  assert.ok(errors.success)
})

test('the JSON Schema has descriptions and defaults from behind wrappers, and accepts interpolations', () => {
  const { properties } = optionJsonSchema(options) as {
    readonly properties: Readonly<Record<string, Record<string, unknown>>>
  }
  const { wait, mode, path, limits } = properties
  assert.deepEqual([wait?.['description'], wait?.['default']], ['How long.', '10s'])
  const [text] = (wait?.['anyOf'] ?? []) as readonly { readonly pattern: string }[]
  assert.ok(new RegExp(text?.pattern ?? '').test('${WAIT:-5s}') && !new RegExp(text?.pattern ?? '').test('5'))
  assert.deepEqual(mode?.['anyOf'], [{ enum: ['a', 'b'] }, { type: 'string', pattern: '\\$\\{' }])
  assert.equal(path?.['pattern'], '^\\/|\\$\\{')
  assert.ok(!('default' in (limits ?? {})) && !('reload' in (wait ?? {})))
})

test('parsed options are written in YAML form, and parse to the same again', () => {
  const given = { wait: '2s', path: '/a', limits: { max: '7' }, hold: 'never' }
  const parsed = options.parse(given)
  const written = writeOptions(options, parsed)
  assert.deepEqual(written, { wait: '2s', mode: 'a', path: '/a', limits: { max: 7 }, hold: 'never' })
  assert.deepEqual(options.parse(written), parsed)
  assert.deepEqual(writeOptions(options, options.parse({ path: '/a', token: 'hunter2' })), {
    wait: '10s',
    mode: 'a',
    path: '/a',
    limits: {},
    token: '***',
    hold: '5s',
  })
})

test('a manifest is written with the errors of the plugin, and a wrong one is found by running the plugin', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-manifest-'))
  await using _gone = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
  const plugin = join(folder, 'node_modules/one')
  await mkdir(plugin, { recursive: true })
  const engine = fileURLToPath(new URL('../errors.js', import.meta.url))
  const zod = fileURLToPath(import.meta.resolve('zod'))
  await writeFile(join(folder, 'package.json'), JSON.stringify({ dependencies: { one: '1' } }))
  const millrace = { api: '^1.0', manifest: './dist/manifest.json' }
  const json = {
    name: 'one',
    version: '1.2.3',
    type: 'module',
    keywords: ['millrace-plugin'],
    millrace,
    exports: './in.js',
  }
  await writeFile(join(plugin, 'package.json'), JSON.stringify(json))
  const errors = `export const oneError = defineErrors({ ONE_BAD: { sentence: 'Bad.', hint: 'mend it', reaction: 'retry' } })\n`
  await writeFile(join(plugin, 'one-errors.js'), `import { defineErrors } from '${engine}'\n${errors}`)
  const source = (summary: string): string => `import { z } from '${zod}'
export default { kind: 'service', type: 'one', summary: '${summary}', options: z.strictObject({}), examples: [], open() {} }\n`
  await writeFile(join(plugin, 'in.js'), source('First.'))

  const path = await writeManifest(plugin)
  const manifest = manifestSchema.parse(JSON.parse(await readFile(path, 'utf8')))
  assert.deepEqual([manifest.package, manifest.version, manifest.api], ['one', '1.2.3', '^1.0'])
  assert.deepEqual(manifest.errors, [{ code: 'ONE_BAD', sentence: 'Bad.', hint: 'mend it', reaction: 'retry' }])
  const request = { yamlFiles: [join(folder, 'live.yaml')], plugins: [], starterPackage: undefined }
  const good = await readCatalogue(request, { run: 'verify' })
  assert.deepEqual([good.problems, offeredBy(good).map((offered) => offered.definition.type)], [[], ['one']])

  await writeFile(path, JSON.stringify({ ...manifest, version: '9.9.9' }))
  const stale = await readCatalogue(request, { run: 'verify' })
  assert.deepEqual(
    stale.problems.map(({ code, severity }) => [code, severity]),
    [['PLUGIN_MANIFEST', undefined]],
  )
  await writeFile(path, '{ "api": 1 }')
  assert.match((await readCatalogue(request)).problems[0]?.message ?? '', /does not have the expected form/)
  const described = await readCatalogue(request, { run: 'describe' })
  assert.equal(described.plugins[0]?.manifest?.definitions[0]?.summary, 'First.')
})
