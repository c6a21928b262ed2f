import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fitsApi } from './check-package.js'
import { discoverPlugins } from './discover.js'
import type { Discovered } from './discover.js'
import { findStarterPackage, readPackage } from './plugin-package.js'

let folder = ''

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-plugins-'))
})

after(() => rm(folder, { recursive: true }))

/** A module without imports: discovery checks only the shape. */
function moduleOf(...types: readonly string[]): string {
  const definition = (type: string): string =>
    `{ kind: 'service', type: '${type}', options: { safeParse() {}, _zod: {} }, examples: [], open() {} }`
  return `export default [${types.map(definition).join(', ')}]\n`
}

async function write(file: string, content: unknown): Promise<void> {
  const path = join(folder, file)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
}

async function writePlugin(at: string, name: string, source: string, more: object = {}): Promise<void> {
  const plugin = { name, type: 'module', keywords: ['millrace-plugin'], millrace: { api: '^1.0' } }
  await write(`${at}/package.json`, { ...plugin, exports: { '.': { types: './x.d.ts', import: './in.js' } }, ...more })
  await write(`${at}/in.js`, source)
}

function discover(names: readonly string[], yaml: string, starter?: string): Promise<Discovered> {
  const place = join(folder, dirname(yaml))
  return discoverPlugins({
    yamlFiles: [join(folder, yaml)],
    plugins: names.map((name) => ({ name, folder: place })),
    starterPackage: starter === undefined ? undefined : join(folder, starter),
  })
}

const codes = ({ problems }: Discovered): readonly string[] => problems.map(({ code }) => code)

test('plugins are found through the YAML, next to the YAML, and in the package that started the engine', async () => {
  await write('a/package.json', { dependencies: { '@x/beside': '1', plain: '1', gone: '1' } })
  await writePlugin('a/node_modules/@x/beside', '@x/beside', moduleOf('beside'))
  await write('a/node_modules/plain/package.json', { name: 'plain' })
  await write('a/conf/local.js', moduleOf('local').replace('export default [', 'export default ').replace(/\]\n$/, ''))
  await writePlugin('starter/node_modules/started', 'started', moduleOf('started', 'second'))
  await writePlugin('starter/node_modules/named', 'named', moduleOf('named'), { keywords: [] })
  await write('starter/package.json', { dependencies: { started: '1' } })
  const found = await discover(['./local.js', 'named'], 'a/conf/live.yaml', 'starter')
  assert.deepEqual(found.problems, [])
  assert.deepEqual(found.registry.types('service'), ['local', 'named', 'beside', 'started', 'second'])
})

test('of a package that is installed twice, the one nearer to the YAML is used', async () => {
  await write('b/package.json', { dependencies: { same: '1' } })
  await writePlugin('b/node_modules/same', 'same', moduleOf('near'))
  await write('b-starter/package.json', { dependencies: { same: '1' } })
  await writePlugin('b-starter/node_modules/same', 'same', moduleOf('far'))
  const found = await discover([], 'b/live.yaml', 'b-starter')
  assert.deepEqual([codes(found), found.registry.types('service')], [[], ['near']])
})

test('the same kind and type twice is an error that names both', async () => {
  await write('c/package.json', { dependencies: { one: '1', two: '1' } })
  await writePlugin('c/node_modules/one', 'one', moduleOf('same'))
  await writePlugin('c/node_modules/two', 'two', moduleOf('same'))
  const found = await discover([], 'c/live.yaml')
  assert.deepEqual(codes(found), ['PLUGIN_DUPLICATE_TYPE'])
  assert.match(found.problems[0]?.message ?? '', /by "one" and by "two"/)
})

test('problems of a plugin are reported, and the others are found', async () => {
  await write('d/package.json', {
    dependencies: { throws: '1', old: '1', none: '1', shape: '1', json: '1', good: '1' },
  })
  await writePlugin('d/node_modules/throws', 'throws', 'throw new Error("no luck")\n')
  await writePlugin('d/node_modules/old', 'old', moduleOf('old'), { millrace: { api: '^2.0' } })
  await writePlugin('d/node_modules/none', 'none', moduleOf('none'), { millrace: undefined })
  await writePlugin('d/node_modules/shape', 'shape', 'export default { kind: "input" }\n')
  await write('d/node_modules/json/package.json', '{')
  await writePlugin('d/node_modules/good', 'good', moduleOf('good'))
  const found = await discover(['absent', './absent.js'], 'd/live.yaml')
  assert.deepEqual(codes(found), [
    'PLUGIN_NOT_FOUND',
    'PLUGIN_NOT_FOUND',
    'PLUGIN_API',
    'PLUGIN_API',
    'PLUGIN_PACKAGE_JSON',
    'PLUGIN_IMPORT',
    'PLUGIN_INVALID',
  ])
  assert.match(found.problems[5]?.message ?? '', /no luck/)
  assert.deepEqual(found.registry.types('service'), ['good'])
})

test('the package that started the engine is the one around the engine', async () => {
  const starter = findStarterPackage()
  assert.ok(starter !== undefined)
  assert.ok((await readPackage(starter)).dependencies.includes('@millrace/engine'))
})

for (const [range, expected] of [
  ['^1.0', true],
  ['^1.0.0', true],
  ['1', true],
  ['1.x', true],
  ['1.0', true],
  ['^0.9 || ^1.0', true],
  ['^1.1', false],
  ['1.1', false],
  ['^2.0', false],
  ['>=1.0', false],
  ['', false],
] as const) {
  test(`the range "${range}" ${expected ? 'allows' : 'does not allow'} this engine`, () => {
    assert.equal(fitsApi(range), expected)
  })
}

test('a plugin is announced before its module runs', async () => {
  await writePlugin('h/node_modules/early', 'early', `globalThis.order?.push('runs')\n${moduleOf('early')}`)
  const order: string[] = []
  Object.assign(globalThis, { order })
  const { code } = await discoverPlugins({
    yamlFiles: [join(folder, 'h/live.yaml')],
    plugins: [{ name: 'early', folder: join(folder, 'h') }],
    starterPackage: undefined,
    onImport: ({ name, entry, definitions }) => order.push(`${name} ${entry} ${definitions.length}`),
  })
  Reflect.deleteProperty(globalThis, 'order')
  assert.deepEqual(order, [`early ${code?.[0]?.entry} 0`, 'runs'])
})
