// Clocks: what is a discontinuity and what is none.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isRandomAccessPoint } from '@millrace/engine/plugin'
import { isPesStart, isUnitStart, PACKET_SIZE, payloadOffset, readPid, readPts } from '@millrace/media/mpegts'
import { paced, PresentationBench, type TimedChunk } from './presentation.test.kit.js'

const FPS = 25
const FRAME = 3600
const WRAP = 2 ** 33
const HOURS = 3 * 3600 * 90_000
const VIDEO = 256

interface Stamped {
  readonly bytes: Uint8Array
  readonly at: number
  readonly isPoint: boolean
}

/** Where pictures begin, in the order of the stream. */
function pictures(chunks: readonly TimedChunk[]): readonly Stamped[] {
  return chunks.flatMap(({ chunk }) => {
    const found: Stamped[] = []
    for (let at = 0; at < chunk.bytes.length; at += PACKET_SIZE) {
      const payload = payloadOffset(chunk.bytes, at)
      const isPicture = readPid(chunk.bytes, at) === VIDEO && isUnitStart(chunk.bytes, at)
      if (!isPicture || !isPesStart(chunk.bytes, payload, at + PACKET_SIZE)) continue
      found.push({ bytes: chunk.bytes, at: payload, isPoint: isRandomAccessPoint(chunk) && found.length === 0 })
    }
    return found
  })
}

/** Adds to the PTS of a PES header. */
function shift({ bytes, at }: Stamped, by90k: number): void {
  const pts = (readPts(bytes, at, bytes.length) + by90k + WRAP) % WRAP
  const top = Math.floor(pts / 2 ** 30)
  bytes[at + 9] = (bytes[at + 9]! & 0xf1) | ((top & 7) << 1)
  bytes[at + 10] = (pts >>> 22) & 0xff
  bytes[at + 11] = ((pts >>> 14) & 0xfe) | 1
  bytes[at + 12] = (pts >>> 7) & 0xff
  bytes[at + 13] = ((pts << 1) & 0xfe) | 1
}

function plan(more: object = {}) {
  return { durationS: 24, video: { gopFrames: 2 * FPS, fps: FPS, bFrames: 2 }, ...more }
}

function secondsOf(bench: PresentationBench): readonly number[] {
  return bench.playlist().segments.map(({ seconds }) => seconds)
}

describe('no discontinuity, and no other cut, is', () => {
  const usual = secondsOf(new PresentationBench({ windowMs: 60_000 }).play([paced(plan())]))

  for (const from of [-2, -1, 1]) {
    test(`the wrap of the 33-bit clock ${from} pictures from a key frame, with B pictures`, () => {
      const startPts90k = WRAP - (4 * 2 * FPS + from) * FRAME
      const bench = new PresentationBench({ windowMs: 60_000 }).play([paced(plan({ startPts90k }))])
      assert.deepEqual(secondsOf(bench), usual)
      assert.equal(bench.presentation.counters.discontinuities, 1)
      assert.equal(bench.presentation.counters.forcedCuts, 0)
    })
  }

  test('a first PTS of exactly 0', () => {
    const naming = { by: 'timestamp', granularity: 1 } as const
    const bench = new PresentationBench({ windowMs: 60_000, naming }).play([paced(plan({ startPts90k: 0 }))])
    assert.match(bench.playlist().segments[0]!.uri, /-0_\d+\.ts$/)
    assert.deepEqual(secondsOf(bench), usual)
  })

  for (const [name, find] of [
    ['picture', ({ isPoint }: Stamped) => !isPoint],
    ['key frame', ({ isPoint }: Stamped) => isPoint],
  ] as const) {
    for (const by90k of [HOURS, -HOURS]) {
      test(`one ${name} whose time is ${by90k / 90_000 / 3600} hours off`, () => {
        const chunks = paced(plan())
        const [stamped] = pictures(chunks).slice(120).filter(find)
        shift(stamped!, by90k)
        const bench = new PresentationBench({ windowMs: 60_000 }).play([chunks])
        assert.equal(bench.presentation.counters.discontinuities, 1)
        assert.equal(bench.presentation.counters.forcedCuts, 0)
        const total = secondsOf(bench).reduce((sum, each) => sum + each, 0)
        assert.ok(Math.abs(total - usual.reduce((sum, each) => sum + each, 0)) < 0.2, `${total} s`)
      })
    }
  }

  test('a clock that runs at ten times the speed', () => {
    const chunks = paced(plan({ durationS: 60 })).map(({ atMs, chunk }) => ({ atMs: atMs / 10, chunk }))
    const bench = new PresentationBench({ windowMs: 60_000 }).play([chunks])
    assert.equal(bench.presentation.counters.discontinuities, 1)
    assert.ok(secondsOf(bench).every((seconds) => seconds === 2))
  })
})

describe('a discontinuity is', () => {
  for (const from of [100, 120]) {
    test(`a clock that goes on hours later, from picture ${from} on`, () => {
      const chunks = paced(plan({ durationS: 30 }))
      for (const each of pictures(chunks).slice(from)) shift(each, HOURS)
      const bench = new PresentationBench({ windowMs: 60_000 }).play([chunks])
      assert.equal(bench.presentation.counters.discontinuities, 2)
      assert.equal(bench.presentation.counters.forcedCuts, 0)
      const total = secondsOf(bench).reduce((sum, each) => sum + each, 0)
      assert.ok(total > 24 && total < 31, `${total} s`)
    })
  }
})

describe('a clock of the machine that is set', () => {
  for (const slicing of ['keyframe', 'aligned'] as const) {
    for (const byMs of [3_600_000, -3_600_000]) {
      test(`by ${byMs / 60_000} min makes no cut and no discontinuity, with slicing: ${slicing}`, () => {
        const settings = { windowMs: 60_000, slicing, startMs: 0 }
        const stream = paced(plan())
        const usual = new PresentationBench(settings).play([stream]).playlist()
        const bench = new PresentationBench(settings).play([stream.slice(0, stream.length / 2)])
        bench.clock.stepWall(byMs)
        const playlist = bench.play([stream.slice(stream.length / 2)]).playlist()
        const shown = (all: typeof usual): unknown =>
          all.segments.map(({ seconds, sequence, hasTag, isGap }) => [seconds, sequence, hasTag, isGap])
        assert.deepEqual(shown(playlist), shown(usual))
      })
    }
  }

  test('shows in dates from the next discontinuity on, and dates never go back', () => {
    for (const byMs of [3_600_000, -3_600_000]) {
      const bench = new PresentationBench({ windowMs: 60_000 }).play([paced(plan())])
      bench.clock.stepWall(byMs)
      const fromMs = bench.clock.nowMs() + 1000
      bench.play([paced(plan({ startPts90k: HOURS }), { fromMs, generation: 1, discontinuity: 'source' })])
      const dates = bench.playlist().segments.flatMap(({ dateMs }) => (dateMs === undefined ? [] : [dateMs]))
      assert.ok(dates.length > 1)
      for (const [at, date] of dates.entries()) assert.ok(at === 0 || date > dates[at - 1]!, dates.join())
      if (byMs > 0) assert.ok(Math.abs(dates.at(-1)! - bench.clock.wallMs(bench.clock.nowMs())) < 60_000)
    }
  })
})
