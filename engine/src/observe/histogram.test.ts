import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Histogram } from './histogram.js'

test('counts each value in the first bucket whose bound it does not exceed, cumulatively', () => {
  const histogram = new Histogram([1, 2, 5])
  for (const value of [0.5, 1, 1.5, 5, 7]) histogram.observe(value)
  assert.deepEqual(histogram.buckets(), [
    [1, 2],
    [2, 3],
    [5, 4],
    [Infinity, 5],
  ])
  assert.equal(histogram.count, 5)
  assert.equal(histogram.sum, 15)
})

test('ignores NaN', () => {
  const histogram = new Histogram([1])
  histogram.observe(Number.NaN)
  assert.equal(histogram.count, 0)
  assert.equal(histogram.sum, 0)
})

test('continues from another with the same bounds, and from nothing else', () => {
  const [before, next] = [new Histogram([1, 2]), new Histogram([1, 2])]
  before.observe(0.5)
  before.observe(1.5)
  next.observe(1.5)
  next.continueFrom(before)
  next.observe(5)
  assert.deepEqual([next.sum, next.count, before.count], [7, 3, 2])
  for (const other of [undefined, 7, new Histogram([1]), new Histogram([1, 3])]) next.continueFrom(other)
  assert.deepEqual(next.buckets(), [
    [1, 1],
    [2, 2],
    [Infinity, 3],
  ])
})

test('refuses bounds that do not increase', () => {
  assert.throws(() => new Histogram([1, 1]), RangeError)
})
