// Streams of any kind, with outages, jumps and losses in any order: each version of each playlist follows the rules, which
// the bench checks, and what is shown is as long as what has passed.
import assert from 'node:assert/strict'
import process from 'node:process'
import { test } from 'node:test'
import type { Discontinuity } from '@millrace/engine/plugin'
import fc from 'fast-check'
import { paced, PresentationBench, type TimedChunk } from './presentation.test.kit.js'

const piece = fc.record({
  durationS: fc.integer({ min: 1, max: 12 }),
  gopFrames: fc.constantFrom(1, 12, 25, 50, 83, 125),
  bFrames: fc.constantFrom(0, 2),
  hasAudio: fc.boolean(),
  /** Time without data before it. */
  silenceMs: fc.constantFrom(0, 100, 900, 3000, 8000, 20_000, 50_000),
  /** By how much its clock jumps, beside the time that passes. */
  jump90k: fc.constantFrom(0, 0, 0, 4500, -90_000, 9_000_000, 2 ** 32),
  mark: fc.constantFrom<Discontinuity[]>('source', 'lost', 'marked', false),
  /** Whole chunks that are left out of it. */
  lost: fc.constantFrom(0, 0, 3, 20),
})

const settings = fc.record({
  segmentMs: fc.constantFrom(500, 2000, 6000),
  windowMs: fc.constantFrom(4000, 12_000, 60_000),
  targetDuration: fc.constantFrom(undefined, undefined, 2, 6),
  slicing: fc.constantFrom('keyframe' as const, 'keyframe' as const, 'aligned' as const),
  isIndependent: fc.boolean(),
  endAfterMs: fc.constantFrom(30_000, 300_000),
  keyRotation: fc.constantFrom(undefined, undefined, 0, 1, 3),
})

test('whatever comes, playlists follow the rules', () => {
  const runs = Number(process.env['FUZZ_RUNS'] ?? 25)
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 4 }), settings, fc.boolean(), (pieces, given, isLadder) => {
      const names = isLadder ? ['low', 'high'] : ['main']
      const bench = new PresentationBench(given, names)
      let nowMs = 0
      let pts = 900_000
      for (const [generation, one] of pieces.entries()) {
        nowMs += one.silenceMs
        pts += one.silenceMs * 90 + one.jump90k
        const { durationS, gopFrames, bFrames, hasAudio, mark, lost } = one
        const plan = { durationS, startPts90k: ((pts % 2 ** 33) + 2 ** 33) % 2 ** 33, video: { gopFrames, bFrames } }
        const timing = { generation, discontinuity: mark, fromMs: nowMs } as const
        const stream = paced({ ...plan, ...(hasAudio ? {} : { audio: false as const }) }, timing)
        bench.play(names.map((_, index) => (index === 0 ? stream : without(stream, lost))))
        nowMs = Math.max(nowMs + durationS * 1000, bench.clock.nowMs())
        pts += durationS * 90_000
      }
      bench.play([], nowMs + 10_000)
      bench.presentation.finish()
      bench.check()
      assert.ok(bench.presentation.renditions.every(({ collector }) => collector.bufferedBytes < 8e6))
    }),
    { numRuns: runs },
  )
})

function without(stream: readonly TimedChunk[], count: number): readonly TimedChunk[] {
  const from = stream.length >> 1
  return stream.flatMap((each, index) => {
    if (index >= from && index < from + count) return []
    const isAfter = count > 0 && index === from + count
    return [isAfter ? { ...each, chunk: { ...each.chunk, discontinuity: 'lost' as const } } : each]
  })
}
