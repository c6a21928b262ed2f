import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { defineErrors } from '../errors.js'
import { type KeptStreams, keepStreams } from './cli-streams.test.kit.js'
import { withCommandName } from './command-name.js'
import { type LoadVerbs, runCli, VERBS } from './program.js'
import type { Verb, VerbContext } from './verb.js'

const testError = defineErrors({
  TEST_CONFIG: { sentence: 'Wrong.', hint: 'write it right', reaction: 'config' },
  TEST_NAMED: { sentence: 'Old.', hint: '`engine reload` reads it again', reaction: 'config' },
  TEST_BUSY: { sentence: 'Busy.', hint: 'stop the other', reaction: 'retry' },
})

function contextOf(streams: KeptStreams): VerbContext {
  return {
    streams,
    folder: '/nowhere',
    input: () => assert.fail('no secret is needed'),
    signals: { on: () => undefined, off: () => undefined, exit: () => undefined },
    bugs: { log: undefined },
  }
}

/** Verbs that record their arguments and options in place of running. */
function recordVerbs(calls: unknown[], result: () => Promise<number> = async () => 0): typeof VERBS {
  const record = (verb: Verb): Verb => {
    let name = ''
    return {
      declare(program) {
        const command = verb.declare(program)
        name = command.name()
        return command
      },
      run: async (_context, ...parsed) => {
        calls.push([name, ...parsed])
        return result()
      },
    }
  }
  const recording =
    (load: LoadVerbs): LoadVerbs =>
    () =>
      load().then((verbs) => verbs.map(record))
  return Object.fromEntries(Object.entries(VERBS).map(([name, load]) => [name, recording(load)]))
}

const commandLines: readonly { readonly args: string; readonly call: readonly unknown[] }[] = [
  { args: 'run a.yaml b.yaml', call: ['run', ['a.yaml', 'b.yaml'], { watch: true }] },
  {
    args: 'run --set a.b=1 --env-file x.env --set c=d=e a.yaml',
    call: ['run', ['a.yaml'], { watch: true, set: ['a.b=1', 'c=d=e'], envFile: ['x.env'] }],
  },
  { args: 'run --no-watch --last-good a.yaml', call: ['run', ['a.yaml'], { watch: false, lastGood: true }] },
  { args: 'check a.yaml', call: ['check', ['a.yaml'], { format: 'text', env: true }] },
  { args: 'check --format github a.yaml', call: ['check', ['a.yaml'], { format: 'github', env: true }] },
  {
    args: 'check --against http://x a.yaml',
    call: ['check', ['a.yaml'], { format: 'text', env: true, against: 'http://x' }],
  },
  {
    args: 'check --no-env --strict --set a=1 a.yaml',
    call: ['check', ['a.yaml'], { format: 'text', env: false, strict: true, set: ['a=1'] }],
  },
  { args: 'status --json --api http://x', call: ['status', { json: true, api: 'http://x' }] },
  { args: 'graph --format dot a.yaml', call: ['graph', ['a.yaml'], { format: 'dot' }] },
  { args: 'inspect -f a.yaml input/file', call: ['inspect', 'input/file', { file: 'a.yaml' }] },
  { args: 'schema --write s.json', call: ['schema', { write: 's.json' }] },
  { args: 'plugins ls --verify --json', call: ['ls', { verify: true, json: true }] },
  { args: 'plugins manifest', call: ['manifest', '.', {}] },
  { args: 'config --diff', call: ['config', [], { env: true, diff: true }] },
  { args: 'doctor --no-env a.yaml', call: ['doctor', ['a.yaml'], { env: false }] },
  { args: 'reload --plan', call: ['reload', [], { plan: true }] },
  { args: 'clients --node a/b', call: ['clients', { node: 'a/b' }] },
  { args: 'kick k3f9-7', call: ['kick', 'k3f9-7', {}] },
  { args: 'hash', call: ['hash', {}] },
  { args: 'link --key k http://x', call: ['link', 'http://x', { key: 'k', for: '1h' }] },
]

for (const { args, call } of commandLines) {
  test(`"engine ${args}" calls its verb with its arguments and options, and exits with its code`, async () => {
    const calls: unknown[] = []
    const verbs = recordVerbs(calls, async () => 78)
    assert.equal(await runCli(args.split(' '), contextOf(keepStreams()), verbs), 78)
    assert.deepEqual(calls, [call])
  })
}

const usageErrors = [
  { args: [], text: /Usage: engine/ },
  { args: ['rnu', 'x'], text: /Did you mean run\?/ },
  { args: ['run'], text: /missing required argument 'file'/ },
  { args: ['run', '--loop', 'a.yaml'], text: /unknown option '--loop'/ },
  { args: ['check', '--format', 'xml', 'a.yaml'], text: /Allowed choices are text, json, github/ },
  { args: ['config', '--diff', 'a.yaml'], text: /--diff and --api apply to a running engine/ },
  { args: ['status', 'extra'], text: /too many arguments/ },
]

for (const { args, text } of usageErrors) {
  test(`"engine ${args.join(' ')}" is wrong usage, exit 2, reported on stderr`, async () => {
    const streams = keepStreams()
    assert.equal(await runCli(args, contextOf(streams)), 2)
    assert.match(streams.errText(), text)
    assert.equal(streams.outText(), '')
  })
}

for (const args of [['--help'], ['help'], ['run', '--help'], ['--version'], ['help', 'status']]) {
  test(`"engine ${args.join(' ')}" prints on stdout, exit 0`, async () => {
    const streams = keepStreams()
    assert.equal(await runCli(args, contextOf(streams)), 0)
    assert.notEqual(streams.outText(), '')
    assert.equal(streams.errText(), '')
  })
}

test('the help lists every verb by the name that loads it', async () => {
  const streams = keepStreams()
  await runCli(['--help'], contextOf(streams))
  const listed = [...streams.outText().matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name)
  assert.deepEqual(listed, [...Object.keys(VERBS), 'help'])
})

test('an error that a verb throws is shown for people and decides the exit code', async () => {
  const cases = [
    {
      error: testError('TEST_CONFIG', 'it is wrong', { at: 'a.yaml:3:4' }),
      code: 78,
      text: /error\[TEST_CONFIG\]: it is wrong\n {2}--> a.yaml:3:4\n {2}= help: write it right\n/,
    },
    {
      error: testError('TEST_BUSY', 'port 80'),
      code: 1,
      text: /error\[TEST_BUSY\]: port 80\n {2}= help: stop the other/,
    },
    {
      error: Object.assign(new Error('listen EADDRINUSE'), { syscall: 'listen' }),
      code: 1,
      text: /^error: listen EADDRINUSE\n$/,
    },
    {
      error: new TypeError('undefined is not a function'),
      code: 70,
      text: /bug[^]*TypeError: undefined is not a function\n +at /,
    },
  ]
  for (const { error, code, text } of cases) {
    const streams = keepStreams()
    const verbs = recordVerbs([], () => Promise.reject(error))
    assert.equal(await runCli(['check', 'x'], contextOf(streams), verbs), code)
    assert.match(streams.errText(), text)
    const run = keepStreams()
    assert.equal(await runCli(['run', 'x'], contextOf(run), verbs), code)
    const { level, msg } = JSON.parse(run.errText()) as Readonly<Record<string, string>>
    assert.deepEqual([level, `${msg}\n`], ['fatal', streams.errText()])
  }
})

test('started by npx, the program is called what runs it again', async () => {
  const streams = keepStreams({ npm_command: 'exec' })
  assert.equal(await runCli(['status', '--wach'], contextOf(streams)), 2)
  assert.match(streams.errText(), /\(npx millrace status --help /)
  const help = keepStreams({ npm_command: 'exec' })
  await runCli(['run', '--help'], contextOf(help))
  assert.match(help.outText(), /^Usage: npx millrace run /)
})

/** The commands of this program, as a user who has installed it types them. */
const OWN_COMMAND = new RegExp(`(?:\`engine\\s+|\\bengine )(?:${Object.keys(VERBS).join('|')})\\b`)

test('started by npx, the help of every verb has no command that is not there', async () => {
  const streams = keepStreams({ npm_command: 'exec' })
  for (const name of [[], ...Object.keys(VERBS).map((verb) => [verb]), ['plugins', 'ls'], ['plugins', 'manifest']])
    assert.equal(await runCli([...name, '--help'], contextOf(streams)), 0)
  assert.ok(streams.outText().includes('npx millrace inspect TYPE'))
  assert.doesNotMatch(streams.outText(), OWN_COMMAND)
  await runCli(['completion', 'bash'], contextOf(streams))
  assert.match(streams.outText(), /^# npx millrace completion bash /m)
})

test('started by npx, no hint of an error has a command that is not there', async () => {
  const page = await readFile(new URL('../../../docs/errors.md', import.meta.url), 'utf8')
  const rows = page.split('\n').filter((line) => line.startsWith('| `'))
  assert.ok(rows.length > 100 && rows.some((row) => OWN_COMMAND.test(row)))
  for (const row of rows) assert.doesNotMatch(withCommandName(row, { npm_command: 'exec' }), OWN_COMMAND)
  const streams = keepStreams({ npm_command: 'exec' })
  const failing = recordVerbs([], () => Promise.reject(testError('TEST_NAMED', 'it is old')))
  assert.equal(await runCli(['status'], contextOf(streams), failing), 78)
  assert.match(streams.errText(), /= help: `npx millrace reload` reads it again\n/)
})

test('status --watch takes a number of seconds, or none', async () => {
  for (const [args, watch] of [
    [['status', '--watch'], true],
    [['status', '--watch', '5'], '5'],
  ] as const) {
    const calls: unknown[] = []
    assert.equal(await runCli(args, contextOf(keepStreams()), recordVerbs(calls)), 0)
    assert.deepEqual(calls, [['status', { watch }]])
  }
})

test('wrong usage points at the help of its verb', async () => {
  for (const [args, help] of [
    [['status', '--wach'], 'engine status --help'],
    [['plugins', 'ls', '--wrong'], 'engine plugins ls --help'],
    [['reload', '--against'], 'engine reload --help'],
    [['fly'], 'engine --help'],
  ] as const) {
    const streams = keepStreams()
    assert.equal(await runCli(args, contextOf(streams)), 2)
    assert.ok(streams.errText().includes(`(${help} `), streams.errText())
  }
})
