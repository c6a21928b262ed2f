// Every code of the table is produced by a plugin on disk, and its message names the plugin.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { loadConfig } from '../config/load-config.js'
import { readCatalogue } from './catalogue.js'
import { discoverPlugins } from './discover.js'
import { pluginError } from './plugin-errors.js'

const DEFINITION = (type: string): string =>
  `{ kind: 'service', type: '${type}', options: { safeParse() {}, _zod: {} }, examples: [], open() {} }`
const GOOD = `export default ${DEFINITION('good')}\n`
/** Its schema throws when it parses. */
const THROWING = `const def = { type: 'object', shape: {}, catchall: { _zod: { def: { type: 'never' } } } }
const options = { safeParse() { throw new Error('no luck') }, _zod: { def } }
export default { kind: 'service', type: 'throwing', options, examples: [], open() {} }\n`

interface Row {
  readonly code: keyof typeof pluginError.table
  /** The section `plugins`. */
  readonly names?: readonly string[]
  readonly packageJson?: string
  /** Keys of package.json of the package `one`, in addition to those of every plugin. */
  readonly one?: object
  readonly source?: string
  readonly files?: Readonly<Record<string, string>>
  readonly says: RegExp
  readonly severity?: 'error' | 'warning'
}

const ROWS: readonly Row[] = [
  { code: 'PLUGIN_NOT_FOUND', names: ['gone'], says: /"gone" is not installed/ },
  { code: 'PLUGIN_NOT_FOUND', names: ['./gone.js'], says: /"\.\/gone\.js" does not exist/ },
  { code: 'PLUGIN_PACKAGE_JSON', packageJson: '{', says: /cannot read .*one\/package\.json/, severity: 'warning' },
  {
    code: 'PLUGIN_API',
    one: { millrace: { api: '^2.0' } },
    says: /"one" needs API \^2\.0, this engine has 1\.0/,
    severity: 'warning',
  },
  { code: 'PLUGIN_API', one: { millrace: {} }, names: ['one'], says: /"one" has no "millrace": \{ "api": "\^1\.0" \}/ },
  {
    code: 'PLUGIN_PEER',
    names: ['one'],
    one: { peerDependencies: { '@millrace/engine': '1', rxjs: '7', zod: '4' } },
    says: /"one" needs @millrace\/engine and rxjs and zod, which cannot be found/,
  },
  {
    code: 'PLUGIN_COMMONJS',
    names: ['one'],
    one: { type: 'commonjs' },
    source: 'module.exports = {}\n',
    says: /"one" is a CommonJS module/,
  },
  { code: 'PLUGIN_COMMONJS', names: ['./local.js'], files: { 'local.js': 'module.exports = {}\n' }, says: /local\.js/ },
  {
    code: 'PLUGIN_COPIES',
    names: ['one'],
    files: { 'node_modules/one/node_modules/zod/package.json': '{ "name": "zod", "version": "9.8.7" }' },
    says: /"one" has its own copy of zod 9\.8\.7, the engine has zod 4\.\d+\.\d+/,
    severity: 'warning',
  },
  {
    code: 'PLUGIN_IMPORT',
    source: 'throw new Error("no luck")\n',
    says: /"one" fails to load: no luck/,
    severity: 'warning',
  },
  { code: 'PLUGIN_IMPORT', names: ['one'], one: { exports: './gone.js' }, says: /"one" has no .*gone\.js/ },
  {
    code: 'PLUGIN_INVALID',
    names: ['one'],
    source: 'export default { kind: "input" }\n',
    says: /"one" exports something/,
  },
  {
    code: 'PLUGIN_DUPLICATE_TYPE',
    names: ['./local.js'],
    files: { 'local.js': GOOD },
    says: /service "good" is provided by "\.\/local\.js" and by "one"/,
  },
  { code: 'PLUGIN_FAULT', source: THROWING, says: /the options of service "s" cannot be checked/ },
]

let folder = ''

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-plugin-errors-'))
})

after(() => rm(folder, { recursive: true }))

async function layOut(at: string, row: Row): Promise<string> {
  const base = {
    name: 'one',
    version: '1.0.0',
    type: 'module',
    keywords: ['millrace-plugin'],
    millrace: { api: '^1.0' },
  }
  const files: Readonly<Record<string, string>> = {
    'package.json': JSON.stringify({ dependencies: { one: '1' } }),
    'live.yaml': `version: 1
plugins: ${JSON.stringify(row.names ?? [])}
services: { s: { type: ${row.code === 'PLUGIN_FAULT' ? 'throwing' : 'good'} } }
`,
    'node_modules/one/package.json': row.packageJson ?? JSON.stringify({ ...base, exports: './in.js', ...row.one }),
    'node_modules/one/in.js': row.source ?? GOOD,
    ...row.files,
  }
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, at, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
  }
  return join(folder, at, 'live.yaml')
}

ROWS.forEach((row, index) => {
  test(`${row.code} is reported for a plugin on disk (row ${index})`, async () => {
    const file = await layOut(String(index), row)
    const plugins: typeof discoverPlugins = (request) => discoverPlugins({ ...request, starterPackage: undefined })
    const { diagnostics } = await loadConfig([file], { env: {}, plugins })
    const found = diagnostics.find(({ code }) => code === row.code)
    assert.ok(found !== undefined, JSON.stringify(diagnostics))
    assert.match(found.message, row.says)
    assert.equal(found.severity, row.severity ?? 'error')
    assert.ok(found.help.length > 0 && found.line > 0)
  })
})

test('PLUGIN_MANIFEST is reported for a plugin without one, and no code of the plugin is run', async () => {
  const row: Row = { code: 'PLUGIN_MANIFEST', source: 'throw new Error("was run")\n', says: /./ }
  const file = await layOut('manifest', row)
  const { problems, plugins } = await readCatalogue({ yamlFiles: [file], plugins: [], starterPackage: undefined })
  assert.deepEqual(
    problems.map(({ code, severity }) => [code, severity]),
    [['PLUGIN_MANIFEST', 'warning']],
  )
  assert.deepEqual(
    plugins.map(({ name, manifest }) => [name, manifest]),
    [['one', undefined]],
  )
})

test('every code of the table has a row', () => {
  const produced = new Set<string>([...ROWS.map(({ code }) => code), 'PLUGIN_MANIFEST'])
  assert.deepEqual([...produced].sort(), Object.keys(pluginError.table).sort())
})
