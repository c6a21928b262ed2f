import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FakeContext } from '@millrace/engine/testing'
import { SpeedWatch } from '../process/speed-watch.js'
import type { EncoderRun } from './encoder-run.js'
import { Slowness } from './slowness.js'

const SLOW = /^degraded: the machine is too slow for these renditions: speed 0\.50, whole GOPs are dropped$/

class Bench {
  readonly context = new FakeContext()
  readonly slowness: Slowness
  drops = 0
  #nowMs = 0
  #mediaMs = 0

  constructor(isPausable = false) {
    const { context } = this
    const onFastEnough = (): void => context.ready()
    this.slowness = new Slowness({ context, speed: new SpeedWatch(), isPausable: () => isPausable, onFastEnough })
  }

  run(seconds: number, speed: number, isFull: boolean): void {
    for (let second = 0; second < seconds; second++) {
      this.#nowMs += 1000
      this.#mediaMs += 1000 * speed
      const run: Partial<EncoderRun> = { isFull, drops: this.drops, hasBegun: true }
      this.slowness.judge(run as EncoderRun, this.#nowMs, this.#mediaMs)
    }
  }
}

describe('an encoder', () => {
  test('that input waits for is too slow after half a minute, until it keeps up again', () => {
    const bench = new Bench()
    bench.run(29, 0.5, true)
    assert.deepEqual(bench.context.reported, [])
    bench.run(10, 0.5, true)
    assert.equal(bench.context.reported.length, 1)
    assert.match(bench.context.reported[0] ?? '', SLOW)
    bench.run(1, 1, false)
    assert.deepEqual(bench.context.reported.slice(1), ['ready'])
  })

  test('is too slow at once when GOPs are dropped, and half a minute longer', () => {
    const bench = new Bench()
    bench.run(10, 0.5, false)
    bench.drops = 1
    bench.run(1, 0.5, false)
    assert.match(bench.context.reported[0] ?? '', SLOW)
    bench.run(29, 1, false)
    assert.equal(bench.context.reported.length, 1)
    bench.run(1, 1, false)
    assert.deepEqual(bench.context.reported.slice(1), ['ready'])
  })

  test('is not too slow if its source waits for it, or is slow itself', () => {
    const [waiting, idle] = [new Bench(true), new Bench()]
    waiting.run(120, 0.5, true)
    idle.run(120, 0.5, false)
    assert.deepEqual([...waiting.context.reported, ...idle.context.reported], [])
  })

  test('that is started again is judged by the drops of its run', () => {
    const bench = new Bench()
    bench.drops = 3
    bench.run(1, 0.5, false)
    bench.run(40, 1, false)
    bench.slowness.reset()
    bench.drops = 0
    bench.run(60, 1, false)
    assert.equal(bench.context.reported.length, 2)
    bench.drops = 1
    bench.run(1, 1, false)
    assert.equal(bench.context.reported.length, 3)
  })
})
