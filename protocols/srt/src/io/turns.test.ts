import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'node:test'
import { Turns } from './turns.js'

test('two run at one time, the others in order, and one that fails makes room', async () => {
  const turns = new Turns(2)
  const begun: number[] = []
  const ends: ((error?: Error) => void)[] = []
  const results = [0, 1, 2, 3, 4].map((at) =>
    turns.run(() => {
      begun.push(at)
      return new Promise<number>((resolve, reject) => ends.push((error) => (error ? reject(error) : resolve(at))))
    }),
  )
  const failed = assert.rejects(results[1]!, /failed/)
  await turn()
  assert.deepEqual(begun, [0, 1])
  ends[1]!(new Error('failed'))
  await failed
  await turn()
  assert.deepEqual(begun, [0, 1, 2])
  for (let at = 0; at < 5; at++) {
    ends[at]?.()
    await turn()
  }
  assert.deepEqual(begun, [0, 1, 2, 3, 4])
  assert.deepEqual(await Promise.all([results[0], results[2], results[3], results[4]]), [0, 2, 3, 4])
  assert.equal(await turns.run(() => Promise.resolve(7)), 7)
})
