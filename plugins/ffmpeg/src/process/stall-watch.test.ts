import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { StallWatch } from './stall-watch.js'

/** One output, which has given its first byte at 0; input flows. */
function watch(): (nowMs: number) => number | undefined {
  const stall = new StallWatch({ outputs: 1, silentMs: () => 5000, firstMs: 20_000 }, 0)
  stall.noteOutput(0, 0)
  stall.noteInput(0)
  return (nowMs) => {
    stall.noteInput(nowMs)
    return stall.check(nowMs, 1000)
  }
}

describe('an output that is silent', () => {
  test('is found by the check at which it has been so for long enough', () => {
    const check = watch()
    for (const nowMs of [1000, 2000, 3000, 4000]) assert.equal(check(nowMs), undefined)
    assert.equal(check(5000), 0)
  })

  test('is found by the next check where one is late: what it has given may still be in the pipe', () => {
    const check = watch()
    for (const nowMs of [1000, 2000, 3000, 4000]) assert.equal(check(nowMs), undefined)
    assert.equal(check(5100), undefined)
    assert.equal(check(6100), 0)
  })

  test('is found by the next check also if that is late as well', () => {
    const check = watch()
    for (const nowMs of [1000, 2000, 3000, 4000]) assert.equal(check(nowMs), undefined)
    assert.equal(check(5200), undefined)
    assert.equal(check(6400), 0)
  })
})
