// Trials with a real ffmpeg, in simulated time.
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { FakeClock, FakeContext, TestProcesses } from '@millrace/engine/testing'
import { INPUT } from './encoder-command.js'
import type { FeedTrack } from './feed-plan.js'
import { InletStream } from './inlet-stream.js'
import type { Entry } from './inlet-stream.js'
import { chunksOf, makeClip, withNoise } from './transcode.test.kit.js'
import { TrackTrial } from './track-trial.js'

const AUDIO = 0x101
const SECONDS = 4

let whole: Buffer

before(async () => {
  whole = await makeClip({ size: '32x32', seconds: SECONDS })
})

class Bench implements AsyncDisposable {
  readonly clock = new FakeClock()
  readonly processes = new TestProcesses()
  readonly decoded: FeedTrack[] = []
  readonly trial: TrackTrial
  starts = 0
  command: readonly string[] = []
  #track: FeedTrack | undefined

  constructor() {
    this.trial = new TrackTrial({
      context: new FakeContext(),
      clock: this.clock,
      processes: {
        convert: (options) => {
          this.starts++
          this.command = options.command
          return this.processes.convert(options)
        },
      },
      program: ['ffmpeg'],
      candidates: () => (this.#track === undefined ? [] : [this.#track]),
      onDecoded: (track) => void this.decoded.push(track),
    })
  }

  /** At its own speed, by the clock; resolves when what is tried for it has been judged. */
  async feed(bytes: Uint8Array, mayRun = true): Promise<void> {
    const stream = new InletStream()
    const entries: readonly Entry[] = chunksOf(bytes).map((chunk) => stream.push(chunk))
    this.#track = stream.plan(0, Infinity)?.audio.find(({ pid }) => pid === AUDIO)
    for (const entry of entries) {
      this.trial.push(entry, mayRun)
      this.clock.advance((SECONDS * 1000) / entries.length)
    }
    await this.trial.idle
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.trial[Symbol.asyncDispose]()
    await this.processes[Symbol.asyncDispose]()
  }
}

describe('a track that was left out', () => {
  test('can be decoded again when it is mended, which some seconds of it tell; it is tried once a minute', async () => {
    await using bench = new Bench()
    const broken = withNoise(whole, [AUDIO])
    await bench.feed(broken)
    assert.deepEqual([bench.starts, bench.decoded.length], [1, 0])
    await bench.feed(whole)
    assert.equal(bench.starts, 1, 'a minute has not passed')
    bench.clock.advance(60_000)
    await bench.feed(whole)
    assert.deepEqual([bench.starts, bench.decoded.map(({ pid, codec }) => [pid, codec])], [2, [[AUDIO, 'aac']]])
  })

  test('is tried ever less often once it has come back: it may come and go', async () => {
    await using bench = new Bench()
    await bench.feed(whole)
    assert.equal(bench.decoded.length, 1)
    bench.clock.advance(61_000)
    await bench.feed(whole)
    assert.equal(bench.starts, 2, 'decided before it came back')
    bench.clock.advance(61_000)
    await bench.feed(whole)
    assert.equal(bench.starts, 2)
  })

  test('is tried with the input options of the encoder', async () => {
    await using bench = new Bench()
    await bench.feed(whole)
    const { command } = bench
    assert.deepEqual(command.slice(command.indexOf(INPUT[0]!)).slice(0, INPUT.length), INPUT)
  })

  test('is not tried beside something else that the node tries', async () => {
    await using bench = new Bench()
    await bench.feed(whole, false)
    assert.equal(bench.starts, 0)
  })
})
