// The verbs for files, plugins and the machine: what they print about the shipped pipeline, where, and their exit
// codes.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { join } from 'node:path'
import { parseDot } from './kit/parse-dot.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { runCommandLine } from './kit/start-engine.js'
import { TempFolder } from './kit/temp-folder.js'

const LIVE = join(REPOSITORY_ROOT, 'pipelines/live.yaml')
const BUILT_IN = [
  ...['input/file', 'transform/gop', 'transform/ts-validate', 'output/hls', 'output/http-ts', 'service/prometheus'],
]
let folder: TempFolder

before(async () => {
  folder = await TempFolder.make()
})

after(() => folder[Symbol.asyncDispose]())

interface CommandResult {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CommandResult> {
  await using child = runCommandLine(args, folder.path, env)
  const { code } = await child.exited
  return { code, out: child.stdout, err: child.stderr }
}

test('graph draws boxes on stdout, in ASCII if the locale requires it', async () => {
  const drawn = await run(['graph', LIVE], { LC_ALL: 'C.UTF-8' })
  assert.deepEqual([drawn.code, drawn.err], [0, ''])
  assert.match(drawn.out, /│ card │╶ts─+▶│ check {7}│╶ts─+▶│ gops │╶gop─┬─+▶│ ts {6}│/)
  const plain = await run(['graph', LIVE], { LC_ALL: 'C' })
  assert.match(plain.out, /^[\n -~]+$/)
  assert.match(plain.out, /\| card \|-ts-+>\| check/)
})

test('graph output in DOT is valid DOT, and in Mermaid and JSON has the same nodes and edges', async () => {
  const json = JSON.parse((await run(['graph', LIVE, '--json'])).out) as {
    readonly pipelines: readonly {
      readonly nodes: readonly { readonly id: string }[]
      readonly edges: readonly object[]
    }[]
  }
  const [pipeline] = json.pipelines
  assert.deepEqual(pipeline?.edges[2], { from: 'live/gops', port: 'out', to: 'live/ts', chunks: 'gop' })
  const dot = parseDot((await run(['graph', LIVE, '--format', 'dot'])).out)
  assert.deepEqual(dot.edges, [
    'live/card -> live/check',
    'live/check -> live/gops',
    'live/gops -> live/ts',
    'live/gops -> live/hls',
  ])
  assert.deepEqual(dot.nodes, [...(pipeline?.nodes ?? []).map(({ id }) => id), 'services/metrics'])
  const mermaid = (await run(['graph', LIVE, '--format', 'mermaid'])).out
  assert.equal(mermaid.match(/-->/g)?.length, 4)
})

test('graph of a file with mistakes reports them on stderr, and exits 78', async () => {
  const path = await folder.write(
    'bad.yaml',
    'version: 1\npipelines: { one: { outputs: { a: { type: nope, from: b } } } }\n',
  )
  const { code, out, err } = await run(['graph', path])
  assert.deepEqual([code, out], [78, ''])
  assert.match(err, /CONFIG_UNKNOWN_TYPE/)
})

test('inspect lists every built-in type, and describes one', async () => {
  const listed = JSON.parse((await run(['inspect', '--json'])).out) as readonly {
    readonly kind: string
    readonly type: string
  }[]
  const names = listed.map(({ kind, type }) => `${kind}/${type}`)
  for (const name of BUILT_IN) assert.ok(names.includes(name), `${name} is not among ${names.join(', ')}`)
  for (const name of names) {
    const { code, out, err } = await run(['inspect', name])
    assert.deepEqual([code, err], [0, ''])
    for (const section of ['Options', 'Metrics', 'Errors', 'Examples'])
      assert.match(out, new RegExp(`^${section}$`, 'm'))
  }
  const unknown = await run(['inspect', 'htp-ts'])
  assert.deepEqual([unknown.code, unknown.out], [2, ''])
  assert.match(unknown.err, /did you mean "http-ts"\?/)
})

test('plugins ls lists every built-in plugin by its manifest, and each manifest is right', async () => {
  const { code, out, err } = await run(['plugins', 'ls', '--json', '--verify'])
  assert.deepEqual([code, err], [0, ''])
  const rows = JSON.parse(out) as readonly {
    readonly package: string
    readonly found: string
    readonly hasManifest: boolean
  }[]
  assert.ok(rows.length >= BUILT_IN.length)
  for (const row of rows) assert.deepEqual([row.found, row.hasManifest], ['starter', true], row.package)
})

test('config prints a single file that the engine accepts, and that renders to itself', async () => {
  const printed = await run(['config', LIVE, '--set', 'engine.drain=3s'])
  assert.deepEqual([printed.code, printed.err], [0, ''])
  assert.match(printed.out, /^ {2}drain: 3s$/m)
  const path = await folder.write('effective.yaml', printed.out)
  assert.equal((await run(['check', path])).code, 0)
  assert.equal((await run(['config', path])).out, printed.out)
  const json = JSON.parse((await run(['config', LIVE, '--json'])).out) as { readonly version: number }
  assert.equal(json.version, 1)
})

test('config shows no secret', async () => {
  const text = `version: 1
secrets: { key: { env: KEY } }
listeners: { web: { address: "127.0.0.1:0" } }
pipelines:
  one:
    inputs: { main: { type: file, path: "/tmp/\${secret:key}.ts" } }
    outputs: { ts: { type: http-ts, from: main, listener: web, path: /a } }
`
  const path = await folder.write('secret.yaml', text)
  const { code, out, err } = await run(['config', path], { KEY: 'correct-horse' })
  assert.equal(code, 0, err)
  assert.match(out, /path: \/tmp\/\*\*\*\.ts/)
  assert.ok(!`${out}${err}`.includes('correct-horse'))
})

test('doctor examines this machine and a file', async () => {
  await folder.write('a.ts', '')
  const path = await folder.write(
    'free.yaml',
    `version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state }
listeners: { web: { address: "127.0.0.1:0" } }
pipelines:
  one:
    inputs: { main: { type: file, path: a.ts } }
    outputs: { ts: { type: http-ts, from: main, listener: web, path: /a } }
`,
  )
  const { code, out, err } = await run(['doctor', path])
  assert.deepEqual([code, err], [0, ''], out)
  assert.match(out, /^ok +Node +\d/m)
  assert.match(out, /^ok +ffmpeg +\d/m)
  assert.match(out, /^ok +stateDir +.*state will be created$/m)
  const json = JSON.parse((await run(['doctor', path, '--json'])).out) as readonly { readonly level: string }[]
  assert.ok(json.every(({ level }) => ['ok', 'warn'].includes(level)))
})

test('piped output is never coloured, with or without NO_COLOR', async () => {
  for (const args of [['inspect', 'file'], ['plugins', 'ls'], ['graph', LIVE], ['doctor']]) {
    assert.ok(!(await run(args)).out.includes('\u001b'), args.join(' '))
  }
})

for (const args of [['graph'], ['graph', '--format', 'svg', 'a.yaml'], ['plugins', 'rm'], ['inspect', 'a', 'b']]) {
  test(`"engine ${args.join(' ')}" is a usage error, exit 2`, async () => {
    const { code, out } = await run(args)
    assert.deepEqual([code, out], [2, ''])
  })
}
