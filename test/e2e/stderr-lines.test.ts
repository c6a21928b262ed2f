// stderr of `engine run` where it is no terminal: lines of JSON alone, whatever happens, so that `| jq` works.
import assert from 'node:assert/strict'
import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import { ReloadHarness } from './kit/reload-harness.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { runCommandLine } from './kit/start-engine.js'
import { TempFolder } from './kit/temp-folder.js'

/** Writes to stderr in the ways of plugins. */
const PLUGIN = `
import { defineTransform } from '@millrace/engine/plugin'
import process from 'node:process'
import { z } from 'zod'
export default defineTransform({
  type: 'loud', summary: 'Passes chunks on.', consumes: ['ts'], inlets: 'one', ports: [{ name: 'out', kind: 'ts' }],
  options: z.strictObject({}), metrics: [], examples: [],
  open() {
    console.warn('said by the console\\nin two lines')
    process.emitWarning('said by Node', { type: 'DeprecationWarning', code: 'LOUD1' })
    return { apply: ([inlet]) => ({ out: inlet.chunks }), [Symbol.asyncDispose]: () => Promise.resolve() }
  },
})
`

const yaml = (transform: string): string => `version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state }
listeners: { web: { address: "127.0.0.1:0" } }
plugins: [./loud.mjs]
pipelines:
  one:
    inputs: { main: { type: file, path: a.ts, loop: true } }
    transforms: { loud: { type: ${transform}, from: main } }
    outputs: { out: { type: http-ts, from: loud, listener: web, path: /one.ts } }
`

function messages(stderr: string): readonly string[] {
  return stderr
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { level, time, msg } = JSON.parse(line) as Readonly<Record<string, unknown>>
      assert.match(String(level), /^(info|warn|error|fatal)$/, line)
      assert.ok(!Number.isNaN(Date.parse(String(time))), line)
      return String(msg)
    })
}

test('a start, what a plugin says, a reload that fails and a stop are lines of JSON each', async () => {
  await using harness = await ReloadHarness.start('', [], async (folder) => {
    await folder.write('loud.mjs', PLUGIN)
    await symlink(join(REPOSITORY_ROOT, 'node_modules'), join(folder.path, 'node_modules'))
    await folder.write('live.yaml', yaml('loud'))
  })
  await harness.engine.ready()
  await harness.save(yaml('lout'))
  await harness.untilStatus('the mistake is not noticed', ({ last }) => last?.result === 'invalid')
  await harness.engine.stop()
  const said = messages(harness.engine.child.stderr)
  for (const expected of [
    /^Millrace \S+ is running live\.yaml$/,
    /^said by the console\nin two lines$/,
    /^Node warns: said by Node$/,
    /has mistakes; the running one stays in place$/,
  ]) {
    assert.equal(said.filter((msg) => expected.test(msg)).length, 1, `${expected.source}\n${said.join('\n')}`)
  }
})

test('wrong usage, a mistake, and a bug at the start are lines of JSON each, and text on request', async () => {
  await using folder = await TempFolder.make()
  await folder.write('wrong.yaml', 'version: 1\npipelines: { one: { inputs: { main: { type: flie } } } }\n')
  await folder.write('bug.mjs', 'setTimeout(() => { throw new Error("too early") }); await new Promise(() => {})')
  await folder.write('bug.yaml', 'version: 1\nplugins: [./bug.mjs]\npipelines: {}\n')
  for (const [args, code, expected] of [
    [['--loop', 'wrong.yaml'], 2, /unknown option '--loop'[^]*engine run --help/],
    [['wrong.yaml'], 78, /CONFIG_UNKNOWN_TYPE/],
    [['bug.yaml'], 70, /bug[^]*too early/],
  ] as const) {
    await using child = runCommandLine(['run', ...args], folder.path)
    assert.equal((await child.exited).code, code, child.stderr)
    assert.match(messages(child.stderr).join('\n'), expected)
    await using text = runCommandLine(['run', '--log-format', 'text', ...args], folder.path)
    assert.equal((await text.exited).code, code, text.stderr)
    assert.match(text.stderr, expected)
    assert.doesNotMatch(text.stderr, /"level"/)
  }
})

test('--log-level leaves out what is below it, also what is said beside the log', async () => {
  await using folder = await TempFolder.make()
  await folder.write('a.ts', buildTs({ durationS: 1 }).bytes)
  const ends = yaml('gop').replace('plugins: [./loud.mjs]\n', '').replace('loop: true', 'pace: none')
  await folder.write('live.yaml', ends)
  for (const [level, lines] of [
    ['info', true],
    ['error', false],
  ] as const) {
    await using child = runCommandLine(['run', '--log-level', level, 'live.yaml'], folder.path)
    assert.equal((await child.exited).code, 0, child.stderr)
    assert.equal(child.stderr !== '', lines, child.stderr)
  }
  await using wrong = runCommandLine(['run', '--log-level', 'loud', 'live.yaml'], folder.path)
  assert.equal((await wrong.exited).code, 2)
  assert.match(messages(wrong.stderr).join(), /Allowed choices are .*debug/)
})
