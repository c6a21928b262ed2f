// A folder with installed plugins, for tests of the verbs that describe plugins: `twins` offers the type `twin` as an
// input and as an output, and a type `lone`; `live.yaml` names a module, `broken.yaml` one that does not exist.
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

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

/** The caller removes it. */
export async function makePluginFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-inspect-'))
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
  return folder
}
