import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '@millrace/engine/testing'
import { type Waiter, WaitingViewers } from './waiting-viewers.js'

class Bench {
  readonly clock = new FakeClock()
  readonly waiting = new WaitingViewers(this.clock)
  gone = 0

  waiter(isReady = (): boolean => true): Waiter {
    return { address: '10.0.0.1', isReady, go: () => void this.gone++ }
  }
}

test('a viewer waits on as long as what it waits for is coming', () => {
  const bench = new Bench()
  const { clock, waiting } = bench
  let isComing = true
  waiting.open(() => isComing)
  waiting.wait(10_000, bench.waiter())
  clock.advance(15_500)
  assert.deepEqual([waiting.size, bench.gone], [1, 0])
  isComing = false
  clock.advance(1000)
  assert.deepEqual([waiting.size, bench.gone], [0, 1])
})

test('a viewer that waits on can be woken, and can leave', () => {
  const bench = new Bench()
  const { clock, waiting } = bench
  waiting.open(() => true)
  waiting.wait(1000, bench.waiter())
  const leave = waiting.wait(1000, bench.waiter())
  clock.advance(3000)
  leave()
  waiting.wakeReady()
  clock.advance(3000)
  assert.deepEqual([waiting.size, bench.gone], [0, 1])
})

test('a viewer whose playlist is not there yet waits on when others are', () => {
  const bench = new Bench()
  const { waiting } = bench
  waiting.open(() => false)
  let isReady = false
  waiting.wait(
    1000,
    bench.waiter(() => isReady),
  )
  waiting.wait(1000, bench.waiter())
  waiting.wakeReady()
  assert.deepEqual([waiting.size, bench.gone], [1, 1])
  isReady = true
  waiting.wakeReady()
  assert.deepEqual([waiting.size, bench.gone], [0, 2])
})

test('viewers wait on while one node replaces another, and no longer than there is one', () => {
  const bench = new Bench()
  const { clock, waiting } = bench
  const before = waiting.open(() => false)
  waiting.wait(
    10_000,
    bench.waiter(() => false),
  )
  const next = waiting.open(() => true)
  before[Symbol.dispose]()
  clock.advance(12_000)
  assert.deepEqual([waiting.size, bench.gone], [1, 0])
  next[Symbol.dispose]()
  assert.deepEqual([waiting.size, bench.gone], [0, 1])
  waiting.wait(10_000, bench.waiter())
  assert.deepEqual([waiting.size, bench.gone], [0, 2])
})
