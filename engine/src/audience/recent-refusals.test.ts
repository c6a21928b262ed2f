import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecentRefusals } from './recent-refusals.js'

test('refusals are kept for a minute, the newest of each reason first, and bounded', () => {
  const refusals = new RecentRefusals()
  refusals.note('denied', 403, 0)
  refusals.note('no-credentials', 401, 10_000)
  refusals.note('denied', 403, 20_000)
  const [denied, none] = [
    { reason: 'denied', status: 403 },
    { reason: 'no-credentials', status: 401 },
  ]
  assert.deepEqual(refusals.list(69_999), [denied, none])
  assert.deepEqual(refusals.list(70_000), [denied])
  assert.deepEqual(refusals.list(80_000), [])
  for (let i = 0; i < 1000; i++) refusals.note(`reason ${i}`, 403, 90_000)
  assert.equal(refusals.list(90_000).length, 32)
})
