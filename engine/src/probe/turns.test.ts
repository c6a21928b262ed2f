import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { test } from 'node:test'
import { Turns } from './turns.js'

test('no more than the limit run at a time, in the order of the calls, and a failure frees its turn', async () => {
  const turns = new Turns(2)
  const started: number[] = []
  let running = 0
  let most = 0
  const all = Array.from({ length: 6 }, (_, number) =>
    turns.take(async () => {
      started.push(number)
      most = Math.max(most, ++running)
      await setImmediate()
      running--
      if (number === 1) throw new Error('one fails')
      return number
    }),
  )
  const results = await Promise.allSettled(all)
  assert.deepEqual(started, [0, 1, 2, 3, 4, 5])
  assert.equal(most, 2)
  assert.deepEqual(
    results.map(({ status }) => status === 'fulfilled'),
    [true, false, true, true, true, true],
  )
})
