// Which hardware is tried again, and when: in simulated time.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FakeClock, FakeContext } from '@millrace/engine/testing'
import type { z } from 'zod'
import { ChosenEncoders } from './chosen-encoders.js'
import type { FeedPlan, FeedTrack } from './feed-plan.js'
import { transcodeOptions } from './transcode-options.js'

const FIVE_MINUTES = 5 * 60_000
const PICTURE = { width: 1280, height: 720 }
const track = (media: 'video' | 'audio'): FeedTrack => ({
  ...{ pid: 1, media, codec: 'any', streamType: 1, language: '', slot: 0 },
  descriptors: new Uint8Array(0),
})
const PLAN: FeedPlan = { program: 1, pcrPid: 1, video: track('video'), audio: [] }
const SESSIONS = [
  '[h264_nvenc @ 0x5] [error] OpenEncodeSessionEx failed: out of memory (10)',
  'Error initializing output stream 1:0 -- Error while opening encoder',
]

const CARDS = { one: { hardware: 'nvenc' }, two: { hardware: 'nvenc' }, plain: {} } as const

class Bench implements AsyncDisposable {
  readonly clock = new FakeClock()
  readonly chosen: ChosenEncoders
  works = true
  tried = 0
  /** Those that run. */
  running = 0
  most = 0
  /** By default each try ends at once. */
  hold: Promise<void> | undefined
  #told = (): void => undefined

  constructor(renditions: z.input<typeof transcodeOptions>['renditions'] = CARDS) {
    this.chosen = new ChosenEncoders({
      options: transcodeOptions.parse({ renditions }),
      context: new FakeContext(),
      clock: this.clock,
      probe: async () => {
        this.tried++
        this.most = Math.max(this.most, ++this.running)
        await this.hold
        this.running--
        return this.works ? undefined : 'there is no device'
      },
      onChosen: () => this.#told(),
    })
  }

  /** Resolves when the encoders are chosen that this begins to choose. */
  async choosing(begin: () => void): Promise<void> {
    const told = new Promise<void>((resolve) => (this.#told = resolve))
    begin()
    await told
  }

  start(isBeside = false): readonly string[] {
    return this.chosen.start(PLAN, PICTURE, isBeside).map(({ name }) => name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.chosen[Symbol.asyncDispose]()
  }
}

describe('hardware that fails during a run', () => {
  test('is tried again after five minutes, although all of it worked at the start', async () => {
    await using bench = new Bench()
    await bench.choosing(() => bench.chosen.choose())
    assert.deepEqual(bench.start(), ['one', 'two', 'plain'])
    bench.chosen.noteFailure(SESSIONS)
    assert.deepEqual(bench.start(), ['one', 'plain'])
    bench.works = false
    await bench.choosing(() => bench.clock.advance(FIVE_MINUTES))
    assert.equal(
      bench.chosen.reasonToRestart(() => PICTURE),
      undefined,
    )
    bench.works = true
    await bench.choosing(() => bench.clock.advance(FIVE_MINUTES))
    assert.equal(
      bench.chosen.reasonToRestart(() => PICTURE),
      'hardware',
    )
    assert.deepEqual(bench.start(), ['one', 'two', 'plain'])
  })

  test('is tried once in five minutes, however often it fails', async () => {
    await using bench = new Bench()
    await bench.choosing(() => bench.chosen.choose())
    const before = bench.tried
    for (let count = 0; count < 3; count++) {
      bench.start()
      bench.chosen.noteFailure(SESSIONS.slice(0, 1))
    }
    await bench.choosing(() => bench.clock.advance(FIVE_MINUTES))
    assert.equal(bench.tried, before + 1)
  })

  test('is not tried twice at the same time, however long a try takes', async () => {
    await using bench = new Bench()
    await bench.choosing(() => bench.chosen.choose())
    bench.start()
    bench.chosen.noteFailure(SESSIONS.slice(0, 1))
    let end = (): void => undefined
    bench.hold = new Promise((resolve) => (end = resolve))
    await bench.choosing(() => {
      bench.clock.advance(FIVE_MINUTES)
      bench.chosen.noteFailure(SESSIONS.slice(0, 1))
      bench.clock.advance(FIVE_MINUTES)
      end()
    })
    assert.equal(bench.most, 1)
  })

  test('while the run before still has its sessions is not given up', async () => {
    await using bench = new Bench()
    await bench.choosing(() => bench.chosen.choose())
    bench.start(true)
    bench.chosen.noteFailure(SESSIONS)
    assert.deepEqual(bench.start(), ['one', 'two', 'plain'])
    bench.chosen.noteFailure(SESSIONS)
    assert.deepEqual(bench.start(), ['one', 'plain'])
  })

  test('is not tried any more when the source has ended', async () => {
    await using bench = new Bench()
    await bench.choosing(() => bench.chosen.choose())
    bench.start()
    bench.chosen.noteFailure(SESSIONS)
    const before = bench.tried
    bench.chosen.end()
    bench.chosen.noteFailure(SESSIONS)
    bench.clock.advance(3 * FIVE_MINUTES)
    assert.equal(bench.tried, before)
  })
})

test('a rendition without sound has no place in a run for a radio', async () => {
  const radio: FeedPlan = { ...PLAN, video: undefined, audio: [track('audio')] }
  await using bench = new Bench({ mute: { audioCodec: 'none' }, loud: {} })
  assert.deepEqual(
    bench.chosen.start(radio, PICTURE, false).map(({ name }) => name),
    ['loud'],
  )
  await using mute = new Bench({ mute: { audioCodec: 'none' } })
  assert.deepEqual([mute.chosen.canCarry(radio), mute.chosen.canCarry(PLAN)], [false, true])
})

describe('hardware instead of which software is used', () => {
  const ANY = { one: { hardware: 'auto' } } as const
  const encoderOf = (bench: Bench): string | undefined => bench.chosen.start(PLAN, PICTURE, false)[0]?.encoder

  async function inSoftware(): Promise<Bench> {
    const bench = new Bench(ANY)
    bench.works = false
    await bench.choosing(() => bench.chosen.choose())
    assert.equal(encoderOf(bench), 'libx264')
    return bench
  }

  test('is used from the next start on, once it works; no run is ended for it', async () => {
    await using bench = await inSoftware()
    bench.works = true
    await bench.choosing(() => bench.clock.advance(FIVE_MINUTES))
    assert.equal(
      bench.chosen.reasonToRestart(() => PICTURE),
      undefined,
    )
    assert.equal(encoderOf(bench), 'h264_nvenc')
    bench.chosen.noteFailure(SESSIONS.slice(0, 1))
    assert.equal(encoderOf(bench), 'libx264')
  })

  test('is tried ever less often while it does not work: after 5, 10 and 20 minutes, then every hour', async () => {
    await using bench = await inSoftware()
    const waits: number[] = []
    for (const minutes of [5, 10, 20, 40, 60, 60]) {
      const before = bench.tried
      bench.clock.advance((minutes - 1) * 60_000)
      waits.push(bench.tried - before)
      await bench.choosing(() => bench.clock.advance(60_000))
      assert.ok(bench.tried > before, `after ${minutes} minutes`)
    }
    assert.deepEqual(waits, [0, 0, 0, 0, 0, 0])
  })
})
