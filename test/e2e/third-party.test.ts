// A third-party plugin as its users get it: packed, installed from tarballs next to the packed parts of Millrace,
// listed without being executed, inspected, completed, checked, run. Then with its own copies of zod and rxjs.
import assert from 'node:assert/strict'
import { access, copyFile, cp, mkdir, readdir, readFile, realpath, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { HttpReader } from '../oracle/http-reader.js'
import { assertClean } from './kit/assert-clean.js'
import { Child } from './kit/child.js'
import { LanguageClient } from './kit/language-client.js'
import { scrape } from './kit/metrics-page.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { EngineProcess } from './kit/start-engine.js'
import { TempFolder } from './kit/temp-folder.js'
import { until } from './kit/until.js'

const EXAMPLE = join(REPOSITORY_ROOT, 'examples/third-party-transform')
const PLUGIN = 'millrace-transform-packet-count'
/** The packages that an application serving a file needs. */
const PARTS = [
  'media',
  'engine',
  'plugins/input-file',
  'plugins/transform-gop',
  'plugins/output-http-ts',
  'plugins/metrics',
]
/** Written by the plugin's module when it is executed. */
const MARK = 'plugin-was-run'
/** Twenty seconds of the test card are more than enough. */
const WANTED_BYTES = 400_000

const YAML = `version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 5s }
listeners: { web: { address: "127.0.0.1:0" } }
services: { metrics: { type: prometheus, listener: api, path: /metrics } }
pipelines:
  one:
    inputs: { main: { type: file, path: testcard.ts, loop: true } }
    transforms:
      counted: { type: packet-count, from: main }
      gops: { type: gop, from: counted }
    outputs: { out: { type: http-ts, from: gops, listener: web, path: /out.ts } }
`

let app: TempFolder

before(async () => {
  app = await TempFolder.make()
  const tarballs = join(app.path, 'tarballs')
  await mkdir(tarballs)
  await packPlugin(join(app.path, 'author'), tarballs)
  const workspaces = PARTS.map((part) => `--workspace=${part}`)
  await npm(['pack', '--ignore-scripts', '--pack-destination', tarballs, ...workspaces], REPOSITORY_ROOT)
  await app.write('package.json', JSON.stringify({ name: 'app', private: true, type: 'module' }))
  const files = (await readdir(tarballs)).map((name) => join(tarballs, name))
  assert.equal(files.length, PARTS.length + 1)
  await npm(['install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', ...files], app.path)
  await copyFile(join(REPOSITORY_ROOT, 'pipelines/media/testcard.ts'), join(app.path, 'testcard.ts'))
  await app.write('live.yaml', YAML)
})

after(() => app[Symbol.asyncDispose]())

/** Packs it as its author does, with an added line that records its execution. */
async function packPlugin(folder: string, tarballs: string): Promise<void> {
  await mkdir(folder)
  await copyFile(join(EXAMPLE, 'package.json'), join(folder, 'package.json'))
  const source = await readFile(join(EXAMPLE, 'index.js'), 'utf8')
  const mark = `import { writeFileSync } from 'node:fs'\nif (process.env.MARK_RUN) writeFileSync('${MARK}', '')\n`
  await writeFile(join(folder, 'index.js'), mark + source)
  await symlink(join(REPOSITORY_ROOT, 'node_modules'), join(folder, 'node_modules'))
  await npm(['pack', '--pack-destination', tarballs], folder)
}

async function npm(args: readonly string[], cwd: string): Promise<void> {
  await using child = new Child('npm', args, { cwd })
  const { code } = await child.exited
  assert.equal(code, 0, `npm ${args.join(' ')}: ${child.stderr}${child.stdout}`)
}

/** The command that npm made from the package's `bin`. */
function engine(args: readonly string[]): Child {
  return new Child(join(app.path, 'node_modules/.bin/engine'), args, {
    cwd: app.path,
    env: { NO_COLOR: '1', MARK_RUN: '1' },
  })
}

async function run(
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  await using child = engine(args)
  const { code } = await child.exited
  return { code, out: child.stdout, err: child.stderr }
}

async function wasRun(): Promise<boolean> {
  return access(join(app.path, MARK)).then(
    () => true,
    () => false,
  )
}

test('it is listed, inspected and completed without being executed', async () => {
  const listed = await run(['plugins', 'ls', '--json'])
  assert.equal(listed.code, 0, listed.err)
  const rows = JSON.parse(listed.out) as readonly { readonly package: string; readonly [key: string]: unknown }[]
  const row = rows.find((candidate) => candidate.package === PLUGIN)
  assert.deepEqual(row, {
    path: join(await realpath(app.path), 'node_modules', PLUGIN),
    package: PLUGIN,
    version: '1.0.0',
    api: '^1.0',
    found: 'beside',
    hasManifest: true,
    types: [{ kind: 'transform', type: 'packet-count', summary: 'Counts the packets that pass through.' }],
  })
  const inspected = await run(['inspect', 'packet-count'])
  assert.match(
    inspected.out,
    /weight {2}count; at least 1; default 1; reload: live\n {4}Amount added for each packet\./,
  )
  assert.match(inspected.out, /millrace_packet_count_packets_total {2}counter/)

  const { out: line } = await run(['schema', '--write', 'schema.json'])
  await using client = await LanguageClient.start()
  const path = join(app.path, 'editor.yaml')
  const text = [
    'version: 1',
    'pipelines:',
    '  one:',
    '    transforms:',
    '      counted:',
    '        type: packet-count',
    '        ',
  ]
  await client.open(path, line + text.join('\n'))
  const labels = await client.complete(path, 7, 8)
  for (const name of ['description', 'from', 'weight']) assert.ok(labels.includes(name), labels.join(', '))
  assert.equal(await wasRun(), false)
})

test('its options are checked, and its manifest matches its code', async () => {
  const good = await run(['check', 'live.yaml'])
  assert.deepEqual([good.code, good.err], [0, ''])
  assert.match(good.out, /^live\.yaml: ok, 1 pipeline, 4 nodes, 1 service\n/)
  assert.equal(await wasRun(), true)
  const wrong = await run(['check', 'live.yaml', '--set', 'pipelines.one.transforms.counted.weight=0'])
  assert.equal(wrong.code, 78)
  assert.match(wrong.err, /CONFIG_OUT_OF_RANGE[^]*must be at least 1/)
  const verified = await run(['plugins', 'ls', '--verify'])
  assert.deepEqual([verified.code, verified.err], [0, ''])
})

test('a pipeline runs through it', () => runThrough(''))

test('with its own copies of zod and rxjs it works, with a warning that names both versions', async () => {
  for (const name of ['zod', 'rxjs']) {
    const folder = join(app.path, 'node_modules', PLUGIN, 'node_modules', name)
    await cp(join(app.path, 'node_modules', name), folder, { recursive: true })
    const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as object
    await writeFile(join(folder, 'package.json'), JSON.stringify({ ...manifest, version: '9.8.7' }))
  }
  const { code, err } = await run(['check', 'live.yaml'])
  assert.equal(code, 0, err)
  assert.match(err, /warning\[PLUGIN_COPIES\].* has its own copy of zod 9\.8\.7, the engine has zod 4\.\d+/)
  assert.match(err, /warning\[PLUGIN_COPIES\].* has its own copy of rxjs 9\.8\.7, the engine has rxjs 7\.\d+/)
  const described = await run(['plugins', 'ls', '--verify'])
  assert.deepEqual([described.code, described.err.includes('PLUGIN_MANIFEST')], [0, false], described.err)
  await runThrough('PLUGIN_COPIES')
})

async function runThrough(warning: string): Promise<void> {
  const child = engine(['run', 'live.yaml'])
  try {
    const [, api = ''] = await child.untilStderr(/"(http:[^"]+)\/api\/v1\/status"/)
    assert.ok(child.stderr.includes(warning))
    const running = new EngineProcess(app, child, api)
    await running.ready()
    await using reader = new HttpReader(await running.url())
    await until(() => reader.report().bodyBytes > WANTED_BYTES, 'too little of the stream arrives')
    assertClean('the stream after the plugin', reader.report().ts)
    const counted = (await scrape(api)).value('millrace_packet_count_packets_total', { node: 'counted' })
    assert.ok((counted ?? 0) > WANTED_BYTES / 188, `counted ${counted}`)
    await reader[Symbol.asyncDispose]()
    await running.stop()
  } finally {
    await child[Symbol.asyncDispose]()
  }
}
