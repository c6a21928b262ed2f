import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { difference33, mod33, msFromTicks, ticksFromMs, Unwrapper, WRAP_90K } from './timestamps.js'

const ticks = fc.integer({ min: 0, max: WRAP_90K - 1 })
const anyTicks = fc.integer({ min: -4 * WRAP_90K, max: 4 * WRAP_90K })
const HALF = WRAP_90K / 2

test('mod33 stays within 33 bits', () => {
  const rows = [
    { name: 'zero', value: 0, expected: 0 },
    { name: 'the last tick', value: WRAP_90K - 1, expected: WRAP_90K - 1 },
    { name: 'the wrap', value: WRAP_90K, expected: 0 },
    { name: 'one before zero', value: -1, expected: WRAP_90K - 1 },
    { name: 'a whole turn back', value: -WRAP_90K, expected: 0 },
  ]
  for (const { name, value, expected } of rows) assert.equal(mod33(value), expected, name)
  fc.assert(fc.property(anyTicks, (value) => mod33(value) >= 0 && mod33(value) < WRAP_90K))
})

test('difference33 takes the shortest way across the wrap', () => {
  assert.equal(difference33(5, WRAP_90K - 5), 10)
  assert.equal(difference33(WRAP_90K - 5, 5), -10)
  assert.equal(difference33(HALF, 0), HALF)
  assert.equal(difference33(HALF + 1, 0), -HALF + 1)
  assert.equal(difference33(0, HALF), HALF)
  fc.assert(
    fc.property(anyTicks, anyTicks, (a, b) => {
      const difference = difference33(a, b)
      assert.equal(mod33(b + difference), mod33(a))
      assert.ok(difference > -HALF && difference <= HALF)
    }),
  )
})

test('an unwrapper follows a clock across the wrap in both directions', () => {
  const steps = fc.array(fc.integer({ min: -HALF + 1, max: HALF }), { maxLength: 50 })
  fc.assert(
    fc.property(ticks, steps, (start, differences) => {
      const unwrapper = new Unwrapper()
      let expected = start
      assert.equal(unwrapper.unwrap(start), expected)
      for (const step of differences) {
        expected += step
        assert.equal(unwrapper.unwrap(mod33(expected)), expected)
      }
    }),
  )
})

test('after a reset an unwrapper returns the next value unchanged', () => {
  const unwrapper = new Unwrapper()
  unwrapper.unwrap(WRAP_90K - 1)
  assert.equal(unwrapper.unwrap(0), WRAP_90K)
  unwrapper.reset()
  assert.equal(unwrapper.unwrap(7), 7)
})

test('a millisecond is 90 ticks', () => {
  assert.equal(ticksFromMs(40), 3600)
  assert.equal(ticksFromMs(33.3667), 3003)
  assert.equal(msFromTicks(3600), 40)
})
