import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TimeSlices } from './time-slices.js'

/** A turn of the event loop takes `othersMs` beside what is measured. */
async function work(steps: number, stepMs: number, othersMs: number, workers = 1) {
  let nowMs = 0
  const turns: number[] = []
  let used = 0
  const slices = new TimeSlices(
    () => nowMs,
    (run) =>
      setImmediate(() => {
        turns.push(used)
        used = 0
        nowMs += othersMs
        run()
      }),
  )
  const one = async (): Promise<void> => {
    for (let step = 0; step < steps; step++) {
      while (slices.isOver) await slices.next()
      nowMs += stepMs
      used += stepMs
    }
  }
  await Promise.all(Array.from({ length: workers }, one))
  return turns
}

test('long work takes three milliseconds of each turn of an engine that has little to do', async () => {
  const turns = await work(210, 1, 2)
  assert.equal(turns.length, 70)
  assert.ok(Math.max(...turns) <= 3)
})

test('it takes a fifth of what others take where turns are long, and never more than 10 ms', async () => {
  assert.ok(Math.max(...(await work(200, 1, 40))) <= 8)
  assert.ok(Math.max(...(await work(200, 1, 4000))) <= 10)
})

test('many take one slice together', async () => {
  const turns = await work(50, 1, 2, 8)
  assert.ok(Math.max(...turns) <= 3, String(turns))
})
