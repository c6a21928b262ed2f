import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DiskTurns } from './disk-turns.js'

test('operations on disks leave two threads free, whatever the environment says', async () => {
  for (const [threads, expected] of [
    [4, 2],
    [8, 6],
    [1, 2],
    [Number.NaN, 2],
  ] as const) {
    const turns = new DiskTurns(threads)
    let [running, most] = [0, 0]
    const run = async (): Promise<void> => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
    }
    await Promise.all(Array.from({ length: 20 }, () => turns.run(run)))
    assert.equal(most, expected, `${threads} threads`)
  }
})

test('what can wait has its turn after what cannot, and now and then before it', async () => {
  const turns = new DiskTurns(4)
  const order: string[] = []
  const run = (name: string, canWait: boolean): Promise<void> =>
    turns.run(
      async () => {
        order.push(name)
        await new Promise((resolve) => setImmediate(resolve))
      },
      { canWait },
    )
  const first = [run('a', true), run('b', true)]
  const patient = Array.from({ length: 4 }, () => run('patient', true))
  const urgent = Array.from({ length: 10 }, () => run('urgent', false))
  await Promise.all([...first, ...patient, ...urgent])
  assert.deepEqual(order.slice(2, 7), ['urgent', 'urgent', 'urgent', 'urgent', 'patient'])
  assert.deepEqual(order.slice(7, 12), ['urgent', 'urgent', 'urgent', 'urgent', 'patient'])
  assert.equal(order.length, 16)
})
