import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../testing/fake-clock.js'
import { LogLimit } from './log-limit.js'

test('one line per period is written, and the next one states how many were left out', () => {
  const clock = new FakeClock()
  const limit = new LogLimit(clock)
  const seen: unknown[] = []
  const log = (): void => limit.log((leftOut) => seen.push(leftOut))
  for (let i = 0; i < 5; i++) log()
  clock.advance(999)
  log()
  assert.deepEqual(seen, [{}])
  clock.advance(1)
  log()
  clock.advance(1000)
  log()
  assert.deepEqual(seen, [{}, { leftOut: 5 }, {}])
})
