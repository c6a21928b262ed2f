import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BoundedCache } from './bounded-cache.js'
import { FailureLimit } from './failure-limit.js'

test('a bounded number of failing addresses is remembered', () => {
  const limit = new FailureLimit(100)
  for (let index = 0; index < 1000; index++) limit.record(`10.0.${index >> 8}.${index & 255}`, 0)
  assert.equal(limit.size, 100)
})

test('failures far apart do not add up', () => {
  const limit = new FailureLimit()
  for (let minute = 0; minute < 30; minute++) limit.record('10.0.0.1', minute * 61_000)
  assert.equal(limit.refusedFor('10.0.0.1', 30 * 61_000), 0)
})

test('failures during a refusal do not extend it', () => {
  const limit = new FailureLimit()
  for (let count = 0; count < 100; count++) limit.record('10.0.0.1', count * 100)
  assert.equal(limit.refusedFor('10.0.0.1', 10_000), 51)
  assert.equal(limit.refusedFor('10.0.0.1', 61_000), 0)
})

test('a cache evicts entries after their time, and the oldest when it is full', () => {
  const cache = new BoundedCache<number>(2, 1000)
  cache.set('a', 1, 0)
  cache.set('b', 2, 0)
  cache.set('c', 3, 500)
  assert.deepEqual([cache.get('a', 500), cache.get('b', 500), cache.get('c', 500)], [undefined, 2, 3])
  assert.equal(cache.get('b', 1000), undefined)
  assert.equal(cache.size, 1)
})
