import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SecretMask } from '../graph/secret-mask.js'
import { createLog, droppedLines, nodeLog, setLogLevel } from './log.js'

class Lines {
  readonly text: string[] = []
  write(line: string): void {
    this.text.push(line)
  }
}

test('a log writes JSON lines with level, time, node and message', () => {
  const lines = new Lines()
  const log = createLog({ level: 'info', stream: lines })
  nodeLog(log, 'live/main').warn({ count: 3 }, 'sync lost')
  log.debug('not this one')
  assert.equal(lines.text.length, 1)
  const line = JSON.parse(lines.text[0] ?? '') as Record<string, unknown>
  assert.match(String(line['time']), /^\d{4}-\d\d-\d\dT/)
  delete line['time']
  assert.deepEqual(line, { level: 'warn', node: 'live/main', count: 3, msg: 'sync lost' })
})

test('a log for people begins with the node, keeps data on the line and can be without colour', () => {
  const lines = new Lines()
  const log = createLog({ level: 'info', stream: lines, pretty: true, colour: false })
  nodeLog(log, 'live/main').info({ count: 3 }, 'sync lost')
  assert.match(lines.text[0] ?? '', /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: live\/main: sync lost \{"count":3\}\n$/)
})

test('control characters in a message do not reach the terminal', () => {
  const lines = new Lines()
  const log = createLog({ level: 'info', stream: lines, pretty: true, colour: false })
  log.info('agent \u001b[2J\u0007 came')
  assert.match(lines.text[0] ?? '', /agent \?\[2J\? came/)
})

test('an error whose message cannot be read is logged without it', () => {
  const lines = new Lines()
  const err = Object.defineProperty(new Error('x'), 'message', {
    get: () => {
      throw new Error('unreadable')
    },
  })
  createLog({ level: 'info', stream: lines }).error({ err }, 'it failed')
  const { err: shown, msg } = JSON.parse(lines.text[0] ?? '') as Record<string, unknown>
  assert.equal(msg, 'it failed')
  assert.equal((shown as Error).message, 'a value that cannot be shown as text')
})

test('an error with a stack of any type is logged', () => {
  const lines = new Lines()
  const log = createLog({ level: 'info', stream: lines, pretty: true, colour: false })
  const places = [{ toString: () => 'at x (/a.js:1:2)' }]
  for (const stack of [42, null, places]) log.error({ err: Object.assign(new Error('broken'), { stack }) }, 'it broke')
  assert.equal(lines.text.filter((line) => /it broke[^]*broken/.test(line)).length, 3)
  assert.match(lines.text[2] ?? '', /at x \(\/a\.js:1:2\)/)
})

test('a line is cut after secrets were masked', () => {
  const lines = new Lines()
  const secrets = new SecretMask()
  secrets.add('hunter2')
  createLog({ level: 'info', stream: lines, secrets }).info(`${'x'.repeat(2044)}hunter2${'x'.repeat(1_000_000)}`)
  assert.ok((lines.text[0] ?? '').length < 16_384)
  assert.match(lines.text[0] ?? '', /x\*\*\*/)
  assert.doesNotMatch(lines.text[0] ?? '', /hunt/)
})

test('lines that a stream has dropped are known to each descendant of the log', () => {
  const log = createLog({ level: 'info', stream: Object.assign(new Lines(), { dropped: 3 }) })
  assert.deepEqual([droppedLines(nodeLog(log, 'live/main')), droppedLines(log), droppedLines({})], [3, 3, 0])
})

test('an error is logged with its stack', () => {
  const lines = new Lines()
  createLog({ level: 'info', stream: lines }).error({ err: new Error('broken') }, 'it broke')
  assert.match(lines.text[0] ?? '', /"stack":"Error: broken/)
})

test('no line shows a secret, wherever it is in the line, and every line can still be parsed', () => {
  const lines = new Lines()
  const secrets = new SecretMask()
  const log = createLog({ level: 'info', stream: lines, secrets })
  for (const value of ['hunter2', 'p"q\\r', '54321', 'info', 'a/b?c']) secrets.add(value)
  nodeLog(log, 'live/main').info({ err: new Error('hunter2 is wrong'), hunter2: 1, port: 54321 }, 'p"q\\r')
  log.info({ deep: [{ url: 'http://x:a%2Fb%3Fc@h/' }] }, 'all is well')
  assert.doesNotMatch(lines.text.join(''), /hunter2|p\\"q|54321|a%2Fb/)
  const [first, second] = lines.text.map((line) => JSON.parse(line) as Record<string, unknown>)
  assert.deepEqual([first?.['level'], first?.['msg'], first?.['port'], first?.['***']], ['info', '***', '***', 1])
  assert.deepEqual(second?.['deep'], [{ url: 'http://x:***@h/' }])
})

test('lines for people are masked too', () => {
  const lines = new Lines()
  const secrets = new SecretMask()
  secrets.add('hunter2')
  createLog({ level: 'info', stream: lines, secrets, pretty: true, colour: false }).info({ a: 'hunter2' }, 'x hunter2')
  assert.match(lines.text[0] ?? '', /INFO: x \*\*\* \{"a":"\*\*\*"\}\n$/)
})

test('a new level applies at once to the log, to its existing children and to their later children', () => {
  const lines = new Lines()
  const log = createLog({ level: 'info', stream: lines })
  const child = nodeLog(log, 'live/main')
  const grandchild = child.child({ part: 'a' })
  for (const each of [log, child, grandchild]) each.debug('no')
  setLogLevel(log, 'debug')
  for (const each of [log, child, grandchild, child.child({ part: 'b' })]) each.debug('yes')
  assert.deepEqual(
    [child.level, child.isLevelEnabled('debug'), grandchild.isLevelEnabled('trace')],
    ['debug', true, false],
  )
  const written = lines.text.map((line) => JSON.parse(line) as Record<string, unknown>)
  assert.deepEqual(
    written.map(({ msg, level, node, part }) => [msg, level, node, part]),
    [
      ['yes', 'debug', undefined, undefined],
      ['yes', 'debug', 'live/main', undefined],
      ['yes', 'debug', 'live/main', 'a'],
      ['yes', 'debug', 'live/main', 'b'],
    ],
  )
  setLogLevel(log, 'error')
  for (const each of [log, child, grandchild]) each.warn('no')
  assert.equal(lines.text.length, 4)
})
