import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { ResourceWatch } from './resource-watch.js'

/** A watch that waits for a timer has seen it end each time; one that does not has to be held up that long by others. */
const ATTEMPTS = 20

describe('the resource watch', () => {
  test('names a timer of 300 ms, and does not wait until it ends by itself', async () => {
    for (let attempt = 1; ; attempt++) {
      using watch = new ResourceWatch(undefined)
      let hasEnded = false
      watch.run(() => setTimeout(() => (hasEnded = true), 300))
      const left = await watch.left()
      if (hasEnded && attempt < ATTEMPTS) continue
      assert.match(left.join(), /^a timer \(.*resource-watch\.test\.js:\d+\)$/)
      return
    }
  })

  test('waits for the thread of a worker that ends, and names what else is left meanwhile', async () => {
    using watch = new ResourceWatch(undefined)
    const worker = watch.run(() => new Worker('setInterval(() => undefined, 1000)', { eval: true }))
    await once(worker, 'online')
    watch.run(() => setInterval(() => undefined, 1000))
    void worker.terminate()
    assert.match((await watch.left()).join(), /^a timer \(.*resource-watch\.test\.js:\d+\)$/)
  })
})
