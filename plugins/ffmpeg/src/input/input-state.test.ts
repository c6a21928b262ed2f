import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FakeContext } from '@millrace/engine/testing'
import { InputState } from './input-state.js'

const SLOW = /^degraded: speed 0\.50: the machine is too slow to encode this, or the source gives it too slowly$/

class Bench {
  readonly context = new FakeContext()
  readonly state: InputState
  #nowMs = 0
  #mediaMs = 0

  constructor(video: 'copy' | 'h264' = 'h264') {
    this.state = new InputState({ context: this.context, options: { video } })
  }

  run(seconds: number, speed: number, wasHeld = false): void {
    for (let second = 0; second < seconds; second++) {
      this.#nowMs += 1000
      this.#mediaMs += 1000 * speed
      this.state.noteProgress(this.#nowMs, this.#mediaMs, wasHeld)
    }
  }
}

describe('an input that encodes', () => {
  test('says that it is too slow, and when it no longer is', () => {
    const bench = new Bench()
    bench.run(60, 0.5)
    assert.equal(bench.context.reported.length, 1)
    assert.match(bench.context.reported[0] ?? '', SLOW)
    assert.equal(bench.state.speed, 0.5)
    bench.run(40, 1)
    assert.equal(bench.context.reported.length, 2)
    assert.equal(bench.context.reported[1], 'ready')
  })

  test('is not too slow for a moment, while its source pauses, or while readers hold it', () => {
    const bench = new Bench()
    bench.run(60, 1)
    bench.run(2, 0)
    bench.run(60, 1)
    bench.run(300, 0)
    bench.run(60, 1)
    bench.run(300, 0.5, true)
    bench.run(60, 1)
    assert.deepEqual(bench.context.reported, [])
  })

  test('says at once what no player reads, and keeps it when it is fast enough again', () => {
    const bench = new Bench()
    bench.state.noteLine('Stream 1, codec vorbis, is muxed as a private data stream and may not be recognized.')
    bench.run(60, 0.5)
    bench.run(60, 1)
    const [first, second, third] = bench.context.reported
    assert.match(first ?? '', /^degraded: a transport stream cannot carry vorbis/)
    assert.match(second ?? '', /^degraded: speed 0\.50: .*; a transport stream cannot carry vorbis/)
    assert.equal(third, first)
  })

  test('is not judged by its speed if it copies', () => {
    const bench = new Bench('copy')
    bench.run(300, 0.5)
    assert.deepEqual(bench.context.reported, [])
  })
})
