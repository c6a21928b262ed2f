import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ResetLimit } from './reset-limit.js'

function takeAll(limit: ResetLimit, address: string, nowMs: number): number {
  let taken = 0
  while (limit.take(address, nowMs)) taken++
  return taken
}

test('an address can reset 1000 streams at once, and 33 a second after that, those over the limit included', () => {
  const limit = new ResetLimit()
  assert.equal(limit.isUsedUp('192.0.2.1', 0), false)
  assert.equal(takeAll(limit, '192.0.2.1', 0), 1000)
  assert.deepEqual([limit.isUsedUp('192.0.2.1', 0), limit.isUsedUp('192.0.2.2', 0)], [true, false])
  assert.equal(takeAll(limit, '192.0.2.1', 1000), 32)
  // What was too many has to be waited for.
  for (let reset = 0; reset < 330; reset++) limit.take('192.0.2.1', 1000)
  assert.deepEqual([limit.isUsedUp('192.0.2.1', 11_000), limit.isUsedUp('192.0.2.1', 12_000)], [true, false])
  assert.equal(takeAll(limit, '192.0.2.1', 3_600_000), 1000)
})

test('the addresses of one /64 of IPv6 share a budget', () => {
  const limit = new ResetLimit()
  for (let reset = 0; reset < 1000; reset++) assert.equal(limit.take(`2001:db8::${reset.toString(16)}`, 0), true)
  assert.equal(limit.take('2001:db8::ffff', 0), false)
  assert.equal(limit.take('2001:db8:0:1::1', 0), true)
})

test('a bounded number of addresses is remembered, those that reset last', () => {
  const limit = new ResetLimit(100)
  takeAll(limit, '192.0.2.1', 0)
  for (let host = 0; host < 99; host++) limit.take(`198.51.100.${host}`, 1)
  assert.equal(limit.isUsedUp('192.0.2.1', 1), true)
  for (let host = 0; host < 50; host++) limit.take(`203.0.113.${host}`, 2)
  assert.equal(limit.size, 100)
  assert.equal(limit.isUsedUp('192.0.2.1', 2), false)
})
