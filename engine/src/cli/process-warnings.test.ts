import assert from 'node:assert/strict'
import { Console } from 'node:console'
import { EventEmitter } from 'node:events'
import { describe, test } from 'node:test'
import { createLog } from '../observe/log.js'
import { keepStreams } from './cli-streams.test.kit.js'
import { logConsole, logWarnings } from './process-warnings.js'

function keptLog() {
  const lines: string[] = []
  const log = createLog({ level: 'info', stream: { write: (line) => void lines.push(line) } })
  return { log, lines }
}

/** As Node emits it. */
const warning = Object.assign(new Error('it is deprecated'), { name: 'DeprecationWarning', code: 'DEP0001' })

/** A process with Node's own listener. */
function warningSource(): EventEmitter {
  return new EventEmitter().on('warning', () => assert.fail('Node itself has written it'))
}

describe('a warning of Node', () => {
  test('is a line of the log once there is one', () => {
    const source = warningSource()
    const streams = keepStreams()
    const { log, lines } = keptLog()
    logWarnings(source, { log }, streams.err)
    source.emit('warning', warning)
    const { level, msg, warning: of } = JSON.parse(lines.join('')) as Record<string, unknown>
    assert.deepEqual([level, msg], ['warn', 'Node warns: it is deprecated'])
    assert.match(JSON.stringify(of), /DeprecationWarning.*DEP0001.*process-warnings/)
    assert.equal(streams.errText(), '')
  })

  test('is a record or a text before, in the format of stderr', () => {
    for (const [format, expected] of [
      ['json', /^\{"level":"warn","time":".*Node warns: it is deprecated"\}\n$/],
      ['text', /^warning: DeprecationWarning: it is deprecated\n$/],
    ] as const) {
      const source = warningSource()
      const streams = keepStreams()
      logWarnings(source, { log: undefined, format }, streams.err)
      source.emit('warning', warning)
      assert.match(streams.errText(), expected)
    }
  })

  test('stays unsaid where Node is told to say none', () => {
    const source = new EventEmitter()
    const streams = keepStreams()
    logWarnings(source, { log: undefined }, streams.err)
    source.emit('warning', warning)
    assert.equal(streams.errText(), '')
  })
})

test('what code writes to stderr by the console is in the log, until that ends', () => {
  const before = keepStreams()
  const write = (text: string): boolean => before.err.write(text) !== false
  const stream = Object.assign(new EventEmitter(), { write }) as unknown as NodeJS.WritableStream
  const target = new Console({ stdout: stream, stderr: stream })
  const { log, lines } = keptLog()
  {
    using _lines = logConsole(target, log)
    target.error('one %d\nof two lines', 1)
    target.warn({ two: 2 })
    target.trace('three')
    target.assert(false, 'four')
  }
  target.error('five')
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { msg: string }).msg.split('\n')[0]),
    ['one 1', '{ two: 2 }', 'Trace: three', 'Assertion failed: four'],
  )
  assert.equal(before.errText(), 'five\n')
})
