// The examples in docs/configuration.md whose first line is a file name are written to one folder, and must do what the
// page says.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { discoverPlugins, loadConfig, renderText } from '@millrace/engine'
import type { Graph } from '@millrace/engine'

const REPOSITORY = join(dirname(fileURLToPath(import.meta.url)), '../../..')
const EXAMPLE = /^```yaml\n# (\S+\.yaml)\n(.*?)^```$/gms

let folder = ''

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-docs-'))
  const page = await readFile(join(REPOSITORY, 'docs/configuration.md'), 'utf8')
  for (const [, name = '', text = ''] of page.matchAll(EXAMPLE)) {
    await mkdir(join(folder, dirname(name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
})

after(() => rm(folder, { recursive: true }))

test('the example of included files and templates has three pipelines', async () => {
  const graph = await load('live.yaml')
  assert.deepEqual(
    graph.pipelines.map(({ name, description }) => [name, description]),
    [
      ['news', ''],
      ['sport', 'channel sport'],
      ['chess', 'channel chess'],
    ],
  )
  const optionsOf = (node: string): Options =>
    graph.pipelines.flatMap(({ nodes }) => nodes).find(({ id }) => id === node)?.options as Options
  for (const name of ['news', 'sport', 'chess']) {
    assert.equal(optionsOf(`${name}/main`).path, join(folder, 'channels', `${name}.ts`))
  }
  assert.equal(optionsOf('sport/ts').clients.max, 100)
  const byDefault = optionsOf('news/ts').clients.max
  assert.notEqual(byDefault, 100)
  assert.equal(optionsOf('chess/ts').clients.max, byDefault, 'an option that the pipeline removes has its default')
  assert.equal(graph.pipelines[2]?.nodes.length, 4)
})

test('the example of a renamed node has its previous id', async () => {
  const graph = await load('renamed.yaml')
  assert.equal(graph.pipelines[0]?.nodes[0]?.was, 'talk/main')
})

interface Options {
  readonly path: string
  readonly clients: { readonly max: number }
}

async function load(name: string): Promise<Graph> {
  const { graph, diagnostics } = await loadConfig([join(folder, name)], {
    ignoresMissingFiles: true,
    env: {},
    plugins: ({ plugins }) => discoverPlugins({ yamlFiles: [], plugins, starterPackage: REPOSITORY }),
  })
  assert.equal(renderText(diagnostics), '')
  assert.ok(graph !== undefined)
  return graph
}
