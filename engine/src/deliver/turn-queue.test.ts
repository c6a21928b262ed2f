import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TurnQueue } from './turn-queue.js'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('does a few at once and the rest a few per turn, in order', async () => {
  const done: number[] = []
  const queue = new TurnQueue<number>(3, (item) => done.push(item))
  for (let item = 0; item < 8; item++) queue.add(item)
  assert.deepEqual(done, [0, 1, 2])
  assert.equal(queue.length, 5)
  await turn()
  assert.deepEqual(done, [0, 1, 2, 3, 4, 5])
  queue.add(8)
  assert.equal(done.length, 6)
  await turn()
  assert.deepEqual(done, [0, 1, 2, 3, 4, 5, 6, 7, 8])
  assert.equal(queue.length, 0)
})
