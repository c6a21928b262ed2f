import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineErrors } from '../errors.js'
import { keepStreams } from './cli-streams.test.kit.js'
import { type Commands, runCli } from './program.js'

const testError = defineErrors({
  TEST_CONFIG: { sentence: 'Wrong.', hint: 'write it right', reaction: 'config' },
  TEST_BUSY: { sentence: 'Busy.', hint: 'stop the other', reaction: 'retry' },
})

function recordCommands(calls: unknown[], result: () => Promise<number> = async () => 0): Commands {
  const record = (...call: unknown[]): Promise<number> => {
    calls.push(call)
    return result()
  }
  return {
    run: (files, options) => record('run', files, options),
    check: (files, options) => record('check', files, options),
    status: (options) => record('status', options),
  }
}

test('verbs get their files and options, and their exit code is the result', async () => {
  const calls: unknown[] = []
  const commands = recordCommands(calls, async () => 78)
  const streams = keepStreams()
  assert.equal(await runCli(['run', 'a.yaml', 'b.yaml'], streams, commands), 78)
  await runCli(['check', 'a.yaml'], streams, commands)
  await runCli(['check', '--format', 'github', 'a.yaml'], streams, commands)
  await runCli(['run', '--set', 'a.b=1', '--env-file', 'x.env', '--set', 'c=d=e', 'a.yaml'], streams, commands)
  await runCli(['run', '--no-watch', '--last-good', 'a.yaml'], streams, commands)
  await runCli(['check', '--against', 'http://x', 'a.yaml'], streams, commands)
  await runCli(['check', '--no-env', '--strict', '--set', 'a=1', 'a.yaml'], streams, commands)
  await runCli(['status', '--json', '--api', 'http://x'], streams, commands)
  assert.deepEqual(calls, [
    ['run', ['a.yaml', 'b.yaml'], { watch: true }],
    ['check', ['a.yaml'], { format: 'text', env: true }],
    ['check', ['a.yaml'], { format: 'github', env: true }],
    ['run', ['a.yaml'], { watch: true, set: ['a.b=1', 'c=d=e'], envFile: ['x.env'] }],
    ['run', ['a.yaml'], { watch: false, lastGood: true }],
    ['check', ['a.yaml'], { format: 'text', env: true, against: 'http://x' }],
    ['check', ['a.yaml'], { format: 'text', env: false, strict: true, set: ['a=1'] }],
    ['status', { json: true, api: 'http://x' }],
  ])
})

const usageErrors = [
  { args: [], text: /Usage: engine/ },
  { args: ['rnu', 'x'], text: /Did you mean run\?/ },
  { args: ['run'], text: /missing required argument 'file'/ },
  { args: ['run', '--loop', 'a.yaml'], text: /unknown option '--loop'/ },
  { args: ['check', '--format', 'xml', 'a.yaml'], text: /Allowed choices are text, json, github/ },
  { args: ['config', '--diff', 'a.yaml'], text: /--diff and --api are for a running engine/ },
  { args: ['status', 'extra'], text: /too many arguments/ },
]

for (const { args, text } of usageErrors) {
  test(`"engine ${args.join(' ')}" is wrong usage, exit 2, said on stderr`, async () => {
    const streams = keepStreams()
    assert.equal(await runCli(args, streams, recordCommands([])), 2)
    assert.match(streams.errText(), text)
    assert.equal(streams.outText(), '')
  })
}

for (const args of [['--help'], ['help'], ['run', '--help'], ['--version'], ['help', 'status']]) {
  test(`"engine ${args.join(' ')}" answers on stdout, exit 0`, async () => {
    const streams = keepStreams()
    assert.equal(await runCli(args, streams, recordCommands([])), 0)
    assert.notEqual(streams.outText(), '')
    assert.equal(streams.errText(), '')
  })
}

test('what a verb throws is shown for people and decides the exit code', async () => {
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
      error: new TypeError('undefined is no function'),
      code: 70,
      text: /bug[^]*TypeError: undefined is no function\n +at /,
    },
  ]
  for (const { error, code, text } of cases) {
    const streams = keepStreams()
    assert.equal(
      await runCli(
        ['run', 'x'],
        streams,
        recordCommands([], () => Promise.reject(error)),
      ),
      code,
    )
    assert.match(streams.errText(), text)
  }
})
