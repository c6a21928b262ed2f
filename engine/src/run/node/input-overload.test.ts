import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { CONTINUITY_ERROR, MARK_FLAGS, MARK_SIZE, SYNC_LOSS } from '@millrace/media/mpegts'
import type { AnyChunk, Boundary } from '../../plugin/contract.js'
import { FakeClock } from '../../testing/fake-clock.js'
import { buildTs } from '../../testing/index.js'
import { Edge } from '../edge/edge.js'
import { bytesInputOf, RunnerFixture, ScriptedSource, settings, testError } from '../run.test.kit.js'
import { InputOverload } from './input-overload.js'
import { InputRunner } from './input-runner.js'

/** Whatever is done takes time: each look at the clock takes some. */
class SlowClock extends FakeClock {
  stepMs = 0
  #passedMs = 0

  override nowMs(): number {
    this.#passedMs += this.stepMs
    return super.nowMs() + this.#passedMs
  }
}

class Harness implements AsyncDisposable {
  readonly clock = new SlowClock()
  readonly fixture = new RunnerFixture(this.clock)
  readonly source: ScriptedSource<Uint8Array | Boundary>
  readonly input: InputRunner
  readonly got: AnyChunk[] = []

  constructor(canHold: boolean) {
    this.source = new ScriptedSource<Uint8Array | Boundary>({ canHold })
    const definition = bytesInputOf(() => this.source)
    this.input = new InputRunner(settings('one/main', definition, { timeline: 'source' }), this.fixture.services)
    const edge = new Edge({ id: 'one/main.out', enter: (run) => run(), fail: assert.ifError })
    edge.inlet.chunks.subscribe((chunk) => this.got.push(chunk))
    this.input.port.connect(edge)
  }

  get bytes(): number {
    return this.got.reduce((sum, { bytes }) => sum + bytes.length, 0)
  }

  /** Every packet that has been received is processed. */
  async settle(): Promise<void> {
    for (let before = -1; before !== this.input.packets;) {
      before = this.input.packets
      await nextTurn()
      await nextTurn()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.input.stop('test')
    this.fixture[Symbol.dispose]()
  }
}

const stream = buildTs({ durationS: 8, muxRate: 8_000_000 }).bytes
const PIECE = 188 * 64

function send(harness: Harness): void {
  for (let at = 0; at < stream.length; at += PIECE) harness.source.next(stream.slice(at, at + PIECE))
}

describe('an input that receives more than can be processed', () => {
  test('drops what its source cannot hold back, and marks the loss', async () => {
    await using harness = new Harness(false)
    await harness.input.start()
    harness.clock.stepMs = 1
    send(harness)
    await harness.settle()
    send(harness)
    await harness.settle()
    harness.clock.stepMs = 0
    harness.source.complete()
    await harness.settle()
    assert.ok(harness.input.losses > 0 && harness.bytes < stream.length * 2, `${harness.bytes} bytes`)
    const lost = harness.got.filter(({ discontinuity }) => discontinuity === 'lost')
    assert.ok(lost.length > 0 && lost.length <= harness.input.losses, `${lost.length} marks`)
    let faults = 0
    for (const { marks } of harness.got)
      for (let at = 0; at < marks.length; at += MARK_SIZE)
        if ((marks[at + MARK_FLAGS]! & (CONTINUITY_ERROR | SYNC_LOSS)) !== 0) faults++
    assert.equal(faults, 0, 'what the engine has dropped is no fault of the stream')
  })

  test('sends everything, in order, that came before its failure and its end', async () => {
    await using harness = new Harness(true)
    await harness.input.start()
    harness.clock.stepMs = 1
    const part = stream.slice(0, 188 * 2000)
    harness.source.next(part)
    harness.source.error(testError('TEST_RETRY', 'gone'))
    await harness.settle()
    harness.clock.stepMs = 0
    harness.clock.advance(30_000)
    harness.clock.stepMs = 1
    harness.source.next(part)
    harness.source.complete()
    assert.equal(harness.input.state, 'ended')
    await harness.settle()
    assert.equal(harness.bytes, 2 * part.length)
    assert.deepEqual([...new Set(harness.got.map(({ origin }) => origin.generation))], [0, 1])
  })
})

describe('an input is degraded', () => {
  for (const [name, isOverRate, why] of [
    ['its bytes wait for 2 s', false, 'takes more time than it may'],
    ['it exceeds its rate', true, 'sends more than maxRate'],
  ] as const) {
    test(`while ${name}, and until that has been over for 5 s`, () => {
      const clock = new FakeClock()
      const waiting = { lostBytes: 0, waitingSinceMs: Infinity, isOverRate }
      const reported: (string | undefined)[] = []
      const overload = new InputOverload(waiting, clock, (reason) => reported.push(reason))
      const pass = (seconds: number): void => {
        for (let second = 0; second < seconds; second++) {
          clock.advance(1000)
          overload.sweep()
        }
      }
      pass(10)
      waiting.waitingSinceMs = clock.nowMs()
      pass(1)
      assert.deepEqual(reported, [])
      pass(10)
      assert.deepEqual(reported, [why])
      waiting.waitingSinceMs = Infinity
      pass(4)
      waiting.lostBytes = 100
      pass(4)
      assert.deepEqual(reported, [why])
      pass(2)
      assert.deepEqual(reported, [why, undefined])
    })
  }
})
