import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PluginCode } from '../plugin/plugin-code.js'
import { containFault } from './contain-fault.js'
import { LogLimit } from '../observe/log-limit.js'
import { FakeClock } from '../testing/fake-clock.js'
import type { ScopedNode } from './node/node-scope.js'
import { inputOf, recordingLog, ScriptedSource, settings, type LogLine } from './run.test.kit.js'
import { unreadableErrors } from '../unreadable-errors.test.kit.js'

const ours = inputOf(() => new ScriptedSource())
const others = inputOf(() => new ScriptedSource())
const FOLDER = '/plugins/ours'

class Member implements ScopedNode {
  readonly settings
  readonly failures: unknown[] = []

  readonly id: string
  readonly isUnproven: boolean

  constructor(id: string, definition = ours, isUnproven = false) {
    this.id = id
    this.isUnproven = isUnproven
    this.settings = settings(id, definition)
  }

  fail(error: unknown): void {
    this.failures.push(error)
  }

  failUncaught(error: unknown): void {
    this.failures.push(error)
  }

  noteStall(): void {
    assert.fail('nothing stalls here')
  }
}

function contain(
  error: unknown,
  members: readonly Member[],
  current?: Member,
  limit = new LogLimit(new FakeClock()),
): { done: boolean; failed: string[]; lines: LogLine[] } {
  const lines: LogLine[] = []
  const plugins: readonly PluginCode[] = [
    { name: 'ours', loaded: '', onDisk: '', definitions: [ours], entry: `${FOLDER}/index.js`, folder: FOLDER },
  ]
  const scope = { current, members: new Set(members), ownerOf: () => undefined }
  const done = containFault(error, { scope, plugins, log: recordingLog(lines), lines: limit })
  return { done, failed: members.filter(({ failures }) => failures.includes(error)).map(({ id }) => id), lines }
}

function errorIn(file: string): Error {
  const error = new Error('broken')
  error.stack = `Error: broken\n    at file://${file}:1:1`
  return error
}

test('an error fails the node whose code caused it, whatever its stack', () => {
  const [one, two] = [new Member('one'), new Member('two')]
  assert.deepEqual(contain('a text', [one, two], one).failed, ['one'])
  assert.deepEqual(contain(errorIn('/elsewhere.js'), [one, two], two).failed, ['two'])
})

test('if the node is not known, all nodes of the plugin in the stack fail, and the log lists them', () => {
  const members = [new Member('one'), new Member('two'), new Member('other', others)]
  const { done, failed, lines } = contain(errorIn(`${FOLDER}/lib/x.js`), members)
  assert.deepEqual([done, failed], [true, ['one', 'two']])
  assert.deepEqual([lines[0]?.['plugins'], lines[0]?.['nodes']], [['ours'], ['one', 'two']])
})

test('if a reload has just opened or changed some of them, only those fail', () => {
  const members = [new Member('old'), new Member('new', ours, true), new Member('other', others, true)]
  assert.deepEqual(contain(errorIn(`${FOLDER}/index.js`), members).failed, ['new'])
})

test('an error of a plugin without nodes fails nothing; an error of no plugin is not contained', () => {
  const other = new Member('other', others)
  assert.equal(contain(errorIn(`${FOLDER}/index.js`), [other]).done, true)
  for (const error of [errorIn('/elsewhere.js'), 'a text', undefined]) assert.equal(contain(error, [other]).done, false)
  assert.deepEqual(other.failures, [])
})

test('errors whose node is not known have one line a second, and every one fails its nodes', () => {
  const clock = new FakeClock()
  const limit = new LogLimit(clock)
  const lines: LogLine[] = []
  for (let i = 0; i < 1000; i++) {
    const member = new Member('one')
    const contained = contain(errorIn(`${FOLDER}/index.js`), [member], undefined, limit)
    assert.deepEqual([contained.done, contained.failed], [true, ['one']])
    lines.push(...contained.lines)
  }
  clock.advance(1000)
  lines.push(...contain(errorIn(`${FOLDER}/index.js`), [], undefined, limit).lines)
  assert.deepEqual(
    lines.map((line) => line['leftOut']),
    [undefined, 999],
  )
})

test('no error makes the search for its plugin throw', () => {
  for (const error of unreadableErrors()) assert.equal(contain(error, [new Member('one')]).done, false)
})

test('the plugin of an error is known from call sites too, which `Error.prepareStackTrace` can return', () => {
  const error = errorIn('/elsewhere.js')
  const places = ['/engine.js:1:1', `f (file://${FOLDER}/index.js:2:3)`].map((text) => ({ toString: () => text }))
  Object.assign(error, { stack: places })
  assert.deepEqual(contain(error, [new Member('one')]).failed, ['one'])
})
