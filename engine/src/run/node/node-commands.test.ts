import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { isEngineError } from '../../errors.js'
import type { Commands, Json } from '../../plugin/contract.js'
import { defineCommand, defineTransform } from '../../plugin/define.js'
import { flushPromises, never, PassingTransform, RunnerFixture, settings, testError } from '../run.test.kit.js'
import { common } from '../scripted-nodes.test.kit.js'
import { TransformRunner } from './transform-runner.js'

class Switch extends PassingTransform {
  readonly switched: string[] = []
}

const INPUT = z.strictObject({
  to: z.string().meta({ description: 'For tests.' }),
  times: z.number().min(1).default(1).meta({ description: 'For tests.' }),
})

/** A node whose command `switch` does what the test says. */
class CommandHarness implements AsyncDisposable {
  readonly fixture = new RunnerFixture()
  readonly node = new Switch()
  readonly runner: TransformRunner
  does: (given: z.output<typeof INPUT>, node: Switch) => unknown = ({ to }, node) => {
    node.switched.push(to)
    return { to }
  }

  constructor() {
    const commands: Commands = {
      switch: defineCommand({
        summary: 'For tests.',
        input: INPUT,
        run: (node: Switch, given) => this.does(given, node) as Json,
      }),
      stop: defineCommand({ summary: 'For tests.', input: z.strictObject({}), run: () => undefined }),
    }
    const definition = defineTransform({
      ...common,
      type: 'test-switch',
      consumes: ['ts'],
      inlets: 'one',
      ports: [{ name: 'out', kind: 'ts' }],
      commands,
      open: () => this.node,
    })
    this.runner = new TransformRunner(settings('one/pick', definition), this.fixture.services)
  }

  static async open(): Promise<CommandHarness> {
    const harness = new CommandHarness()
    await harness.runner.start()
    return harness
  }

  run(name: string, given: unknown = {}): Promise<Json> {
    return this.runner.commands.run(name, given)
  }

  /** The code and message of the error. */
  async refusal(name: string, given: unknown = {}): Promise<readonly [code: string, message: string]> {
    const error: unknown = await this.run(name, given).then(
      () => assert.fail('it was carried out'),
      (thrown: unknown) => thrown,
    )
    assert.ok(isEngineError(error))
    return [error.code, error.message]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.runner.stop('test')
    this.fixture[Symbol.dispose]()
  }
}

describe('a command of a node', () => {
  test('runs on the open node with its checked input, and answers with a copy', async () => {
    await using harness = await CommandHarness.open()
    const answer = { to: 'b', list: [1] }
    harness.does = (given, node) => {
      assert.deepEqual(given, { to: 'b', times: 1 })
      assert.equal(node, harness.node)
      return Promise.resolve(answer)
    }
    const result = await harness.run('switch', { to: 'b' })
    assert.deepEqual(result, answer)
    assert.notEqual(result, answer)
    assert.equal(await harness.run('stop'), null)
    const logged = harness.fixture.lines.find(({ msg }) => msg === 'a command was carried out')
    assert.deepEqual(
      [logged?.node, logged?.['command'], logged?.['input'], logged?.['result']],
      ['one/pick', 'switch', '{"to":"b","times":1}', '{"to":"b","list":[1]}'],
    )
  })

  test('is refused with every problem of its input, before it runs', async () => {
    await using harness = await CommandHarness.open()
    const [code, message] = await harness.refusal('switch', { to: 7, times: 0, more: true })
    assert.equal(code, 'COMMAND_INPUT')
    for (const problem of [/to: /, /times: /, /more/]) assert.match(message, problem)
    assert.equal((await harness.refusal('switch', 'text'))[0], 'COMMAND_INPUT')
    assert.deepEqual(harness.node.switched, [])
  })

  test('that does not exist is refused with the names that do', async () => {
    await using harness = await CommandHarness.open()
    const [code, message] = await harness.refusal('swich')
    assert.deepEqual(
      [code, message],
      ['COMMAND_UNKNOWN', 'transform test-switch has no command "swich": did you mean "switch"?'],
    )
    assert.match((await harness.refusal('constructor'))[1], /its commands: switch, stop/)
  })

  test('is refused while the node is not open', async () => {
    const harness = new CommandHarness()
    assert.equal((await harness.refusal('stop'))[0], 'COMMAND_NODE_CLOSED')
    await harness.runner.start()
    assert.equal(await harness.run('stop'), null)
    await harness[Symbol.asyncDispose]()
    assert.equal((await harness.refusal('stop'))[0], 'COMMAND_NODE_CLOSED')
  })

  test('that throws fails nobody: the error is the answer, without secrets', async () => {
    await using harness = await CommandHarness.open()
    harness.does = () => {
      throw testError('TEST_CONFIG', 'no source hunter22')
    }
    assert.deepEqual(await harness.refusal('switch', { to: 'b' }), ['TEST_CONFIG', 'no source ***'])
    harness.does = () => Promise.reject(new Error('broken'))
    assert.deepEqual(await harness.refusal('switch', { to: 'b' }), ['COMMAND_FAILED', 'broken'])
    harness.does = () => {
      throw Object.create(null)
    }
    assert.equal((await harness.refusal('switch', { to: 'b' }))[0], 'COMMAND_FAILED')
    assert.equal(harness.runner.state, 'ready')
  })

  test('whose answer is not JSON, or is huge, is a failed one', async () => {
    await using harness = await CommandHarness.open()
    for (const answer of [1n, 'x'.repeat(70_000), () => undefined, Object.assign([], { toJSON: () => never })]) {
      harness.does = () => answer
      assert.equal((await harness.refusal('switch', { to: 'b' }))[0], 'COMMAND_FAILED')
    }
    const loop: Record<string, unknown> = {}
    loop['loop'] = loop
    harness.does = () => loop
    assert.equal((await harness.refusal('switch', { to: 'b' }))[0], 'COMMAND_FAILED')
    harness.does = () => ({ secret: 'hunter22' })
    assert.deepEqual(await harness.run('switch', { to: 'b' }), { secret: '***' })
  })

  test('whose answer is far too large costs no more than reading its beginning', async () => {
    await using harness = await CommandHarness.open()
    let read = 0
    const part = Object.defineProperty({}, 'text', { enumerable: true, get: () => `part ${read++}` })
    for (const answer of [Array.from({ length: 100_000 }, () => part), { nested: Array(100_000).fill(part) }]) {
      read = 0
      harness.does = () => answer
      assert.equal((await harness.refusal('switch', { to: 'b' }))[0], 'COMMAND_FAILED')
      assert.ok(read > 1000 && read < 10_000, String(read))
    }
    const most = Array(32_767).fill(1)
    harness.does = () => most
    assert.deepEqual(await harness.run('switch', { to: 'b' }), most)
  })

  test('that fails with a long reason is answered with its beginning', async () => {
    await using harness = await CommandHarness.open()
    for (const error of [new Error('x'.repeat(1_000_000)), testError('TEST_CONFIG', 'y'.repeat(1_000_000))]) {
      harness.does = () => Promise.reject(error)
      const [, message] = await harness.refusal('switch', { to: 'b' })
      assert.ok(message.length > 100 && message.length <= 2000, String(message.length))
    }
  })

  test('waits for the one before; of many that wait, the last are refused', async () => {
    await using harness = await CommandHarness.open()
    let finish: () => void = () => undefined
    harness.does = async ({ to }, node) => {
      node.switched.push(to)
      if (to === '0') await new Promise<void>((resolve) => (finish = resolve))
      node.switched.push(`${to} done`)
    }
    const eight = Array.from({ length: 8 }, (_, n) => harness.run('switch', { to: String(n) }))
    assert.equal((await harness.refusal('switch', { to: '9' }))[0], 'COMMAND_BUSY')
    await flushPromises()
    assert.deepEqual(harness.node.switched, ['0'])
    finish()
    await Promise.all(eight)
    assert.deepEqual(
      harness.node.switched,
      [...eight.keys()].flatMap((n) => [String(n), `${n} done`]),
    )
    assert.equal(await harness.run('stop'), null)
  })

  test('that takes longer than 10 s is answered, keeps its turn, and those that waited for it never run', async () => {
    await using harness = await CommandHarness.open()
    let finish: () => void = () => undefined
    harness.does = () => new Promise<void>((resolve) => (finish = resolve))
    const [slow, waiting] = [harness.refusal('switch', { to: 'a' }), harness.refusal('stop')]
    await flushPromises()
    harness.fixture.clock.advance(10_000)
    assert.deepEqual(await slow, ['COMMAND_TIMEOUT', 'command "switch" is not finished after 10 s'])
    assert.deepEqual(await waiting, ['COMMAND_TIMEOUT', 'command "stop" waits for "switch" after 10 s'])
    finish()
    await flushPromises()
    assert.equal(await harness.run('stop'), null)
  })

  test('that hangs for a minute loses its turn, which is logged', async () => {
    await using harness = await CommandHarness.open()
    harness.does = () => never()
    const [hanging, waiting] = [harness.refusal('switch', { to: 'a' }), harness.refusal('stop')]
    await flushPromises()
    harness.fixture.clock.advance(10_000)
    assert.deepEqual([(await hanging)[0], (await waiting)[0]], ['COMMAND_TIMEOUT', 'COMMAND_TIMEOUT'])
    const early = harness.refusal('stop')
    harness.fixture.clock.advance(49_999)
    assert.equal((await early)[0], 'COMMAND_TIMEOUT')
    const next = harness.run('stop')
    harness.fixture.clock.advance(1)
    assert.equal(await next, null)
    assert.equal(harness.fixture.lines.filter(({ msg }) => msg.startsWith('a command hangs')).length, 1)
  })

  test('is refused while eight hang, until one of them ends', async () => {
    await using harness = await CommandHarness.open()
    const ends: (() => void)[] = []
    harness.does = () => new Promise<void>((resolve) => void ends.push(resolve))
    for (let count = 0; count < 8; count++) {
      const hanging = harness.refusal('switch', { to: 'a' })
      await flushPromises()
      harness.fixture.clock.advance(60_000)
      assert.equal((await hanging)[0], 'COMMAND_TIMEOUT')
      await flushPromises()
    }
    assert.equal((await harness.refusal('stop'))[0], 'COMMAND_BUSY')
    ends[0]?.()
    await flushPromises()
    assert.equal(await harness.run('stop'), null)
  })

  test('that hangs does not hold up those of the node that is opened next', async () => {
    await using harness = await CommandHarness.open()
    harness.does = () => never()
    const hanging = harness.refusal('switch', { to: 'a' })
    await flushPromises()
    harness.runner.fail(testError('TEST_RETRY', 'again'))
    harness.fixture.clock.advance(1000)
    await flushPromises()
    assert.equal(await harness.run('stop'), null)
    harness.fixture.clock.advance(10_000)
    assert.equal((await hanging)[0], 'COMMAND_TIMEOUT')
  })
})
