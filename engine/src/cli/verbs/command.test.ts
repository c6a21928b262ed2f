import assert from 'node:assert/strict'
import { test } from 'node:test'
import { statusSource } from '../../api/status-fixture.test.kit.js'
import { commandError } from '../../observe/command-errors.js'
import type { Json } from '../../plugin/contract.js'
import { keepStreams } from '../cli-streams.test.kit.js'
import { TestApi, TOKEN } from '../control-api.test.kit.js'
import { commandVerb, switchVerb } from './command.js'

class CommandLine implements AsyncDisposable {
  readonly asked: unknown[][] = []
  streams = keepStreams({ ENGINE_TOKEN: TOKEN })
  readonly #api: TestApi

  private constructor(api: TestApi, answer: (name: string) => Promise<Json>) {
    this.#api = api
    api.source = {
      ...statusSource,
      command: (node, name, input) => {
        this.asked.push([node, name, input])
        return answer(name)
      },
    }
  }

  static async start(answer: (name: string) => Promise<Json>): Promise<CommandLine> {
    return new CommandLine(await TestApi.start(), answer)
  }

  run(node: string, name: string, values: readonly string[] = [], json = false): Promise<number> {
    this.streams = keepStreams({ ENGINE_TOKEN: TOKEN })
    const options = json ? { api: this.#api.url, json } : { api: this.#api.url }
    return commandVerb.run({ streams: this.streams, folder: '/nowhere' }, node, name, values, options)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#api[Symbol.asyncDispose]()
  }
}

test('values are text, or JSON where they are JSON, and reach the node', async () => {
  await using line = await CommandLine.start(() => Promise.resolve(null))
  const values = ['to=backup', 'after=2s', 'times=3', 'now=true', 'list=[1,"a"]', 'text="7"', 'empty=', 'url=a=b']
  assert.equal(await line.run('one/pick', 'switch', values), 0)
  const input = { to: 'backup', after: '2s', times: 3, now: true, list: [1, 'a'], text: '7', empty: '', url: 'a=b' }
  assert.deepEqual(line.asked, [['one/pick', 'switch', input]])
  assert.equal(line.streams.errText(), 'one/pick: switch is done\n')
  assert.equal(await line.run('one@key.1/pick', 'switch'), 0)
  assert.equal(await line.run('services/hook', 'send'), 0)
  assert.deepEqual(
    line.asked.slice(1).map(([node]) => node),
    ['one@key.1/pick', 'services/hook'],
  )
})

test('the answer goes to stdout as JSON', async () => {
  await using line = await CommandLine.start(() => Promise.resolve({ to: 'backup' }))
  assert.equal(await line.run('one/pick', 'switch'), 0)
  assert.deepEqual(JSON.parse(line.streams.outText()), { to: 'backup' })
  await using nothing = await CommandLine.start(() => Promise.resolve(null))
  assert.equal(await nothing.run('one/pick', 'switch', [], true), 0)
  assert.equal(nothing.streams.outText(), 'null\n')
})

test('what is not carried out is 1, wrong input 2, and the reason is on stderr', async () => {
  await using line = await CommandLine.start((name) =>
    Promise.reject(
      name === 'swich'
        ? commandError('COMMAND_UNKNOWN', 'it has no command "swich": did you mean "switch"?')
        : commandError('COMMAND_INPUT', 'command "switch": to: expected text'),
    ),
  )
  assert.equal(await line.run('one/pick', 'swich'), 1)
  assert.match(line.streams.errText(), /did you mean "switch"/)
  assert.equal(await line.run('one/pick', 'switch', ['to=1']), 2)
  assert.match(line.streams.errText(), /to: expected text/)
})

test('an id without its pipeline, and a value without a name, are usage errors', async () => {
  await using line = await CommandLine.start(() => Promise.resolve(null))
  for (const [node, values] of [
    ['pick', []],
    ['one/', []],
    ['one/pick', ['backup']],
    ['one/pick', ['=backup']],
    ['one/pick', ['to=a', 'to=b']],
  ] as const) {
    assert.equal(await line.run(node, 'switch', values), 2)
    assert.notEqual(line.streams.errText(), '')
  }
  assert.deepEqual(line.asked, [])
})

test('switch is the command of that name, and says which node cannot', async () => {
  await using api = await TestApi.start()
  const asked: unknown[][] = []
  api.source = {
    ...statusSource,
    command: (...call) => {
      asked.push(call)
      if (call[0] === 'one/pick') return Promise.resolve(null)
      return Promise.reject(commandError('COMMAND_UNKNOWN', 'input file has no command "switch"'))
    },
  }
  const run = async (node: string): Promise<[number, string]> => {
    const streams = keepStreams({ ENGINE_TOKEN: TOKEN })
    const code = await switchVerb.run({ streams, folder: '/nowhere' }, node, 'backup', { api: api.url })
    return [code, streams.errText()]
  }
  assert.deepEqual(await run('one/pick'), [0, 'one/pick: switch is done\n'])
  assert.deepEqual(asked, [['one/pick', 'switch', { to: 'backup' }]])
  const [code, said] = await run('one/main')
  assert.equal(code, 1)
  assert.match(said, /input file has no command "switch"/)
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
  const path = '/api/v1/pipelines/one/nodes/pick/switch'
  const response = await fetch(api.url + path, { method: 'POST', headers, body: '{"to":"main"}' })
  assert.deepEqual([response.status, await response.json()], [200, { result: null }])
  assert.deepEqual(asked.at(-1), ['one/pick', 'switch', { to: 'main' }])
})
