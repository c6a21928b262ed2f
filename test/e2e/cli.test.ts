// The command line for users and scripts: what is printed where, and with which exit code.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import process from 'node:process'
import { promisify } from 'node:util'
import { buildTs } from '@millrace/engine/testing'
import type { EngineStatus } from '@millrace/engine/api'
import { Child } from './kit/child.js'
import { engineYaml } from './kit/engine-yaml.js'
import { ENGINE_BIN, runCommandLine, startEngine } from './kit/start-engine.js'
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

const execute = promisify(execFile)

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
  const { code, stdout, stderr } = await run(['check', 'broken.yaml'], { 'broken.yaml': BROKEN, 'a.ts': '' })
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
  const files = { 'broken.yaml': BROKEN, 'a.ts': '' }
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

test('check of a valid file says so and exits 0, and warns of media that does not exist', async () => {
  const without = await run(['check', 'good.yaml'], { 'good.yaml': GOOD })
  assert.equal(without.code, 0)
  assert.match(without.stdout, /^good\.yaml: ok, /)
  assert.match(
    without.stderr,
    /^warning\[CONFIG_MISSING_FILE\]: "path" of input "main" names .*a\.ts, which does not exist$/m,
  )
  const files = { 'good.yaml': GOOD, 'a.ts': '' }
  const { code, stdout, stderr, left } = await run(['check', 'good.yaml'], files)
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
  assert.match(
    stdout,
    /^good\.yaml: ok, 1 pipeline, 3 nodes, 1 service\none\/out: at most [\d.]+ GiB of memory for its viewers: 64 MiB shared by all, .+\n$/,
  )
  assert.deepEqual(left, ['a.ts', 'good.yaml'])
  const json = await run(['check', '--format', 'json', 'good.yaml'], files)
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
  const lines = stderr.trim().split('\n')
  for (const line of lines)
    assert.match(String((JSON.parse(line) as { msg: string }).msg), /^(error|warning)\[CONFIG_\w+\]: broken\.yaml:\d/)
  assert.doesNotMatch(stderr, /is running/)
  const text = await run(['run', '--log-format', 'text', 'broken.yaml'], { 'broken.yaml': BROKEN })
  assert.match(text.stderr, /errors in broken\.yaml\n$/)
  assert.doesNotMatch(text.stderr, /is running|"level"/)
  assert.deepEqual(left, ['broken.yaml'])
})

test('an input whose options turn out to be wrong while it runs ends the engine with 78, if it is the last one', async () => {
  await using folder = await TempFolder.make()
  // Matroska: the input `file` plays transport streams.
  await folder.write('a.ts', Uint8Array.of(0x1a, 0x45, 0xdf, 0xa3, ...new Uint8Array(4000)))
  await folder.write('good.yaml', GOOD)
  await using child = runCommandLine(['run', 'good.yaml'], folder.path)
  assert.equal((await child.exited).code, 78, child.stderr)
  assert.match(child.stderr, /is running[^]*FILE_OTHER_FORMAT/)
})

test('a full disk refuses the start with the reason, and leaves no lock behind; doctor sees who has it', async () => {
  await using folder = await TempFolder.make()
  await folder.write('a.ts', clip)
  await folder.write('good.yaml', GOOD)
  // As on a full disk, files can be made, and take no bytes.
  const limited = ['-c', 'ulimit -f 0; exec "$0" run good.yaml', ENGINE_BIN]
  await using full = new Child('sh', limited, { cwd: folder.path })
  assert.equal((await full.exited).code, 1, full.stderr)
  assert.match(full.stderr, /STATE_UNUSABLE.*EFBIG/)
  const state = join(folder.path, 'state')
  assert.deepEqual(await readdir(join(state, 'lock')), [])
  assert.deepEqual(await readdir(state), ['lock'])
  await using again = runCommandLine(['run', 'good.yaml'], folder.path)
  await again.untilStderr(/is running/)
  await using doctor = runCommandLine(['doctor', 'good.yaml'], folder.path)
  await doctor.exited
  assert.match(doctor.stdout, new RegExp(`in use by process ${again.pid};`))
  again.signal('SIGTERM')
  assert.equal((await again.exited).code, 0, again.stderr)
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
  const plain = await run(['check', 'broken.yaml'], { 'broken.yaml': BROKEN, 'a.ts': '' })
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

test('FORCE_COLOR colours output that goes to no terminal, of every verb', async () => {
  const colour = { FORCE_COLOR: '1' }
  const check = await run(['check', 'broken.yaml'], { 'broken.yaml': BROKEN, 'a.ts': '' }, colour)
  assert.ok(check.stderr.includes('\u001b['))
  const graph = await run(['graph', 'good.yaml'], { 'good.yaml': GOOD, 'a.ts': '' }, colour)
  assert.equal(graph.code, 0)
  await using engine = await startEngine({ yaml: GOOD, files: { 'a.ts': clip } })
  await engine.ready()
  assert.ok((await run(['status', '--api', engine.api], {}, colour)).stdout.includes('\u001b['))
  const off = await run(['status', '--api', engine.api], {}, { FORCE_COLOR: '0' })
  assert.ok(!off.stdout.includes('\u001b'))
})

test('output is complete for a reader that begins late', async () => {
  // More than the pipe holds has been written by then.
  const { stdout } = await execute('sh', ['-c', '"$ENGINE" inspect --json | (sleep 1; cat)'], {
    env: { ...process.env, ENGINE: ENGINE_BIN },
    maxBuffer: 16 * 1024 * 1024,
  })
  const types = JSON.parse(stdout) as readonly unknown[]
  assert.ok(types.length > 10)
})

test('the completion of bash offers the commands and options of this version', async () => {
  await using folder = await TempFolder.make()
  const script = await folder.write('engine.bash', (await run(['completion', 'bash'])).stdout)
  const line = [
    'source "$0"; with=$(complete -p "$1"); with=${with##*-F }; with=${with%% *}',
    'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); $with; printf "%s\\n" "${COMPREPLY[@]}"',
  ].join('\n')
  const offered = async (...words: readonly string[]): Promise<readonly string[]> => {
    const { stdout } = await execute('bash', ['-c', line, script, ...words])
    return stdout.trim().split('\n')
  }
  assert.deepEqual(await offered('engine', 'rel'), ['reload'])
  assert.deepEqual(await offered('engine', 'reload', '--f'), ['--force'])
  assert.deepEqual(await offered('millrace', 'plugins', ''), ['ls', 'manifest'])
})
