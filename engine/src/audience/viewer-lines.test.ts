import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeptLog } from '../listen/loopback.test.kit.js'
import type { SessionEnd } from '../observe/viewer-events.js'
import { FakeClock } from '../testing/fake-clock.js'
import { ViewerLines } from './viewer-lines.js'

function end(node = 'one/ts', reason = 'left'): SessionEnd {
  const who = { id: '1', node, path: '/a', client: '192.0.2.1:1', user: undefined, userAgent: '' }
  return { ...who, status: 200, bytes: 7, durationMs: 8000, skips: 0, skippedBytes: 0, reason }
}

test('each viewer has a line while they are few, and beyond the budget one line per output and second counts them', () => {
  const [clock, kept] = [new FakeClock(), new KeptLog()]
  const lines = new ViewerLines(clock, kept.log)
  for (let i = 0; i < 1000; i++) lines.add(end('one/ts', i % 2 === 0 ? 'left' : 'slow'))
  lines.add(end('two/ts'))
  assert.equal(kept.lines.length, 200)
  clock.advance(1000)
  assert.deepEqual(kept.lines.slice(200), [
    {
      level: 'info',
      data: { node: 'one/ts', viewers: 800, reasons: { left: 400, slow: 400 } },
      text: '800 viewers have left',
    },
    { level: 'info', data: { node: 'two/ts', viewers: 1, reasons: { left: 1 } }, text: '1 viewers have left' },
  ])
  for (let i = 0; i < 60; i++) lines.add(end())
  assert.equal(kept.lines.length, 252)
  clock.advance(1000)
  assert.equal(kept.lines.length, 253)
  clock.advance(10_000)
  assert.equal(kept.lines.length, 253)
})

test('a flush logs at once what has been counted', () => {
  const kept = new KeptLog()
  const lines = new ViewerLines(new FakeClock(), kept.log)
  lines.count(end())
  assert.equal(kept.lines.length, 0)
  lines.flush()
  lines.flush()
  assert.deepEqual(
    kept.lines.map(({ text }) => text),
    ['1 viewers have left'],
  )
})
