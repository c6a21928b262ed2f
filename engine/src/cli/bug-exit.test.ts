import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { createLog } from '../observe/log.js'
import { exitOnBugs } from './bug-exit.js'
import { keepStreams } from './cli-streams.test.kit.js'
import { unreadableErrors } from '../unreadable-errors.test.kit.js'

class Target extends EventEmitter {
  readonly exits: number[] = []
  exit(code: number): void {
    this.exits.push(code)
  }
}

test('an uncaught exception is reported with its stack and ends the process with 70', () => {
  const target = new Target()
  const streams = keepStreams()
  exitOnBugs(target, streams.err)
  target.emit('uncaughtException', new Error('not expected'))
  assert.deepEqual(target.exits, [70])
  assert.match(streams.errText(), /bug[^]*Error: not expected\n +at /)
})

test('once there is a log, bugs are logged there', () => {
  const target = new Target()
  const streams = keepStreams()
  const lines: string[] = []
  const report = exitOnBugs(target, streams.err)
  report.log = createLog({ level: 'info', stream: { write: (line) => void lines.push(line) } })
  target.emit('unhandledRejection', 'only a text')
  assert.deepEqual(target.exits, [70])
  assert.match(lines[0] ?? '', /"level":"fatal".*only a text/)
  assert.equal(streams.errText(), '')
})

test('a contained error does not end the process; a failure to contain does', () => {
  const target = new Target()
  const report = exitOnBugs(target, keepStreams().err)
  const contained: unknown[] = []
  report.contain = (error) => {
    contained.push(error)
    if (error === 'worse') throw new Error('containing it failed')
    return error !== 'ours'
  }
  target.emit('uncaughtException', 'of a plugin')
  target.emit('unhandledRejection', 'of a plugin, too')
  assert.deepEqual(target.exits, [])
  target.emit('uncaughtException', 'ours')
  target.emit('uncaughtException', 'worse')
  assert.deepEqual([target.exits, contained.length], [[70, 70], 4])
})

test('beforeExit is called before the process ends, which ends even if that throws', () => {
  const target = new Target()
  const report = exitOnBugs(target, keepStreams().err)
  const calls: unknown[] = []
  report.beforeExit = (error) => {
    calls.push(error, target.exits.length)
    throw new Error('no room on the disk')
  }
  assert.throws(() => target.emit('uncaughtException', 'ours'), /no room/)
  assert.deepEqual([calls, target.exits], [['ours', 0], [70]])
})

test('an error that cannot be read is reported in a readable line, before there is a log and after', () => {
  for (const error of unreadableErrors())
    for (const hasLog of [false, true]) {
      const [target, streams, lines] = [new Target(), keepStreams(), [] as string[]]
      const report = exitOnBugs(target, streams.err)
      if (hasLog) report.log = createLog({ level: 'info', stream: { write: (line) => void lines.push(line) } })
      target.emit('uncaughtException', error)
      assert.deepEqual(target.exits, [70])
      assert.match(hasLog ? lines.join('') : streams.errText(), /bug.*please report it/)
    }
})
