// The command line for users and scripts: what is printed where, and with which exit code.
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import type { EngineStatus } from '@millrace/engine/api'
import { engineYaml } from './kit/engine-yaml.js'
import { runCommandLine, startEngine } from './kit/start-engine.js'
import { TempFolder } from './kit/temp-folder.js'

const clip = buildTs({ durationS: 2 }).bytes
const GOOD = engineYaml({ one: { input: 'path: a.ts, loop: true' } })
/** One mistake each in lines 3, 7, 9, 10 and 11. */
const BROKEN = `version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state }
listeners: { web: { adress: "127.0.0.1:0" } }
pipelines:
  one:
    inputs:
      main: { type: file, path: a.ts, loop: perhaps }
    transforms:
      gops: { type: gopp, from: main }
      check: { type: ts-validate, from: mian }
    outputs: { out: { type: http-ts, from: check, listener: wep, path: /one.ts } }
`
const MISTAKES = [3, 7, 9, 10, 11]

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

async function run(
  args: readonly string[],
  files: Record<string, string> = {},
  env: Record<string, string> = {},
): Promise<Ended & { left: string[] }> {
  await using folder = await TempFolder.make()
  for (const [name, text] of Object.entries(files)) await folder.write(name, text)
  await using child = runCommandLine(args, folder.path, env)
  const { code } = await child.exited
  return { code, stdout: child.stdout, stderr: child.stderr, left: await readdir(folder.path) }
}

test('check reports all mistakes in a file at once, each with its position, a caret and help, and exits 78', async () => {
  const { code, stdout, stderr } = await run(['check', 'broken.yaml'], { 'broken.yaml': BROKEN })
  assert.equal(code, 78)
  assert.equal(stdout, '')
  const lines = [...stderr.matchAll(/^ *--> broken\.yaml:(\d+):(\d+)$/gm)].map(([, line]) => Number(line))
  assert.deepEqual(
    [...new Set(lines)].sort((a, b) => a - b),
    MISTAKES,
    stderr,
  )
  assert.equal([...stderr.matchAll(/^error\[[A-Z]+_[A-Z_]+\]: /gm)].length, lines.length)
  assert.equal([...stderr.matchAll(/\^\^/g)].length > 0, true)
  for (const hint of ['address', 'gop', 'main', 'web']) {
    assert.ok(stderr.includes(`did you mean "${hint}"?`), `no hint at ${hint}: ${stderr}`)
  }
  assert.match(stderr, new RegExp(`^${lines.length} errors in broken\\.yaml\\n$`, 'm'))
})

test('check --format json prints the same mistakes as data, check --format github as annotations', async () => {
  const files = { 'broken.yaml': BROKEN }
  const json = await run(['check', '--format', 'json', 'broken.yaml'], files)
  assert.equal(json.code, 78)
  const rows = JSON.parse(json.stdout) as {
    code: string
    line: number
    column: number
    severity: string
    file: string
  }[]
  assert.deepEqual(
    [...new Set(rows.map(({ line }) => line))].sort((a, b) => a - b),
    MISTAKES,
  )
  for (const row of rows) {
    assert.equal(row.file, 'broken.yaml')
    assert.equal(row.severity, 'error')
    assert.match(row.code, /^[A-Z]+_[A-Z_]+$/)
    assert.ok(row.column >= 1)
  }
  const github = await run(['check', '--format', 'github', 'broken.yaml'], files)
  assert.equal(github.code, 78)
  const notes = github.stdout.trimEnd().split('\n')
  assert.equal(notes.length, rows.length)
  for (const note of notes) assert.match(note, /^::error file=broken\.yaml,line=\d+,col=\d+,endColumn=\d+,title=\w+::/)
})

test('check of a valid file says so and exits 0, whether or not its media exists', async () => {
  const { code, stdout, stderr, left } = await run(['check', 'good.yaml'], { 'good.yaml': GOOD })
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
  assert.match(
    stdout,
    /^good\.yaml: ok, 1 pipeline, 3 nodes, 1 service\none\/out: at most [\d.]+ GiB of memory for its viewers\n$/,
  )
  assert.deepEqual(left, ['good.yaml'])
  const json = await run(['check', '--format', 'json', 'good.yaml'], { 'good.yaml': GOOD })
  const rows = JSON.parse(json.stdout) as { severity: string; node: string; memoryBoundBytes: number }[]
  const bounds = rows.map(({ severity, node, memoryBoundBytes }) => [severity, node, memoryBoundBytes > 64 * 2 ** 20])
  assert.deepEqual({ code: json.code, bounds }, { code: 0, bounds: [['info', 'one/out', true]] })
})

test('check of a missing file, or one that is not YAML, exits 78 and names it', async () => {
  const missing = await run(['check', 'nowhere.yaml'])
  assert.equal(missing.code, 78)
  assert.match(missing.stderr, /nowhere\.yaml/)
  const torn = await run(['check', 'torn.yaml'], { 'torn.yaml': 'version: 1\npipelines: { one: [ }\n' })
  assert.equal(torn.code, 78)
  assert.match(torn.stderr, /--> torn\.yaml:2:\d+/)
})

test('run with a broken file starts nothing and exits 78', async () => {
  const { code, stderr, left } = await run(['run', 'broken.yaml'], { 'broken.yaml': BROKEN })
  assert.equal(code, 78)
  assert.match(stderr, /errors in broken\.yaml\n$/)
  assert.doesNotMatch(stderr, /is running|"level"/)
  assert.deepEqual(left, ['broken.yaml'])
})

test('an unknown verb, option or argument is a usage error, exit 2, with nothing on stdout', async () => {
  for (const args of [['fly'], ['run'], ['run', '--fast', 'a.yaml'], ['check', '--format', 'xml', 'a.yaml'], []]) {
    const { code, stdout, stderr } = await run(args)
    assert.deepEqual({ code, stdout }, { code: 2, stdout: '' }, args.join(' '))
    assert.notEqual(stderr, '', args.join(' '))
  }
  assert.match((await run(['rnu'])).stderr, /Did you mean run\?/)
})

test('help and version are printed on stdout, exit 0', async () => {
  const help = await run(['--help'])
  assert.deepEqual({ code: help.code, stderr: help.stderr }, { code: 0, stderr: '' })
  for (const verb of ['run', 'check', 'status']) assert.match(help.stdout, new RegExp(`^ +${verb} `, 'm'))
  const version = await run(['--version'])
  assert.deepEqual({ code: version.code, stderr: version.stderr }, { code: 0, stderr: '' })
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/)
})

test('the program survives a closed stdout', async () => {
  await using folder = await TempFolder.make()
  await using child = runCommandLine(['--help'], folder.path)
  child.closeStdout()
  assert.deepEqual(await child.exited, { code: 0, signal: null })
})

test('status shows users and scripts what is running, and exits 0 if ready, 1 if not, 69 if unreachable', async () => {
  await using engine = await startEngine({ yaml: GOOD })
  const at = ['--api', engine.api]
  const waiting = await run(['status', ...at])
  assert.equal(waiting.code, 1)
  assert.match(waiting.stdout, /not ready/)
  assert.match(waiting.stdout, /waiting.*a\.ts/)
  await engine.folder.write('a.ts', clip)
  await engine.ready()
  const url = await engine.url()
  const ready = await run(['status', ...at])
  assert.deepEqual({ code: ready.code, stderr: ready.stderr }, { code: 0, stderr: '' })
  assert.ok(ready.stdout.includes(url), ready.stdout)
  const byName = await run(['status'], {}, { ENGINE_API: engine.api })
  assert.equal(byName.code, 0)
  const json = await run(['status', '--json', ...at])
  assert.equal(json.code, 0)
  const status = JSON.parse(json.stdout) as EngineStatus
  assert.equal(status.pid, engine.child.pid)
  assert.equal(status.ready, true)
  await engine.stop()
  const gone = await run(['status', ...at])
  assert.deepEqual({ code: gone.code, stdout: gone.stdout }, { code: 69, stdout: '' })
  assert.match(gone.stderr, /ECONNREFUSED/)
})

test('output is coloured only on terminals, and never with NO_COLOR', async () => {
  const plain = await run(['check', 'broken.yaml'], { 'broken.yaml': BROKEN })
  const forbidden = await run(['check', 'broken.yaml'], { 'broken.yaml': BROKEN }, { NO_COLOR: '1', FORCE_COLOR: '1' })
  await using engine = await startEngine({ yaml: GOOD, files: { 'a.ts': clip } })
  await engine.ready()
  const status = await run(['status', '--api', engine.api], {}, { NO_COLOR: '1', FORCE_COLOR: '1' })
  await engine.stop()
  for (const text of [plain.stderr, forbidden.stderr, status.stdout, engine.child.stderr]) {
    assert.notEqual(text, '')
    assert.ok(!text.includes('\u001b'), JSON.stringify(text.slice(0, 200)))
  }
})
