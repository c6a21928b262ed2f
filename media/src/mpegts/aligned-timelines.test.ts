import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AlignedTimelines } from './aligned-timelines.js'
import type { TsChunk } from './chunk.js'
import { Framer } from './framer.js'
import { PACKET_SIZE, readPid } from './packet.js'
import { AUDIO_PID, joined, packetOf, pesOf, tablesOf } from './packets.test.kit.js'
import { readPts } from './pes.js'

const STEP = 1920

/** Audio from `pts` on, after the tables; one packet per unit. */
function audioOf(pts: number, count: number): Uint8Array {
  const unit = (index: number): Uint8Array =>
    packetOf({ pid: AUDIO_PID, counter: index, unitStart: true, payload: pesOf(0xc0, pts + index * STEP, 178) })
  return joined(tablesOf(0, false), ...Array.from({ length: count }, (_, index) => unit(index)))
}

function chunksOf(bytes: Uint8Array, nowMs: number, generation: number): readonly TsChunk[] {
  const framer = new Framer({ generation })
  return [...framer.push(bytes, nowMs), ...framer.finish(nowMs)]
}

function ptsOf(chunks: readonly TsChunk[]): number[] {
  const bytes = joined(...chunks.map((chunk) => chunk.bytes))
  const found: number[] = []
  for (let at = 0; at < bytes.length; at += PACKET_SIZE) {
    if (readPid(bytes, at) === AUDIO_PID) found.push(readPts(bytes, at + 4, at + PACKET_SIZE))
  }
  return found
}

class Streams {
  readonly got: TsChunk[][]
  readonly timelines: AlignedTimelines

  constructor(count: number) {
    this.got = Array.from({ length: count }, () => [])
    this.timelines = new AlignedTimelines(count, (stream, chunk) => this.got[stream]?.push(chunk))
  }

  push(stream: number, chunks: readonly TsChunk[]): void {
    for (const chunk of chunks) this.timelines.push(stream, chunk)
  }

  pts(stream: number): number[] {
    return ptsOf(this.got[stream] ?? [])
  }
}

test('the first generation passes unchanged, without waiting for other streams', () => {
  const streams = new Streams(2)
  streams.push(0, chunksOf(audioOf(9000, 2), 0, 0))
  assert.deepEqual([streams.pts(0), streams.pts(1)], [[9000, 9000 + STEP], []])
})

test('after a restart all streams are shifted by what the latest of them needs', () => {
  const streams = new Streams(2)
  streams.push(0, chunksOf(audioOf(9000, 4), 0, 0))
  // The second was ahead of the first.
  streams.push(1, chunksOf(audioOf(9000, 10), 0, 0))
  streams.timelines.endGeneration([[], []], { timeline: 'contiguous' })
  streams.push(0, chunksOf(audioOf(500, 2), 1000, 1))
  assert.equal(streams.pts(0).length, 4, 'it waits for the second stream')
  streams.push(1, chunksOf(audioOf(500, 2), 1000, 1))
  const after = [9000 + 10 * STEP, 9000 + 11 * STEP]
  assert.deepEqual(streams.pts(0).slice(4), after)
  assert.deepEqual(streams.pts(1).slice(10), after)
})

test('the time that has passed counts once for all', () => {
  const streams = new Streams(2)
  for (const stream of [0, 1]) streams.push(stream, chunksOf(audioOf(9000, 4), 1000, 0))
  streams.timelines.endGeneration([[], []], { timeline: 'elapsed' })
  streams.push(0, chunksOf(audioOf(700_000, 2), 3000, 1))
  streams.push(1, chunksOf(audioOf(700_000, 2), 3500, 1))
  const first = 9000 + 3 * STEP + 2500 * 90
  assert.deepEqual([streams.pts(0)[4], streams.pts(1)[4]], [first, first])
})

test('a stream that is late follows by the same offset, and holds the others back for a second at most', () => {
  const streams = new Streams(2)
  for (const stream of [0, 1]) streams.push(stream, chunksOf(audioOf(9000, 4), 0, 0))
  streams.timelines.endGeneration([[], []], { timeline: 'contiguous' })
  streams.push(0, chunksOf(audioOf(500, 2), 1000, 1))
  streams.timelines.flush(1999)
  assert.equal(streams.pts(0).length, 4)
  streams.timelines.flush(2000)
  assert.equal(streams.pts(0).length, 6)
  streams.push(1, chunksOf(audioOf(500 + 50 * STEP, 2), 3000, 1))
  assert.equal(streams.pts(1)[4], (streams.pts(0)[4] ?? 0) + 50 * STEP)
})

test('a stream that has never sent anything, or has ended, is not waited for', () => {
  const streams = new Streams(3)
  for (const stream of [0, 2]) streams.push(stream, chunksOf(audioOf(9000, 4), 0, 0))
  streams.timelines.end(2)
  streams.timelines.endGeneration([[], [], []], { timeline: 'contiguous' })
  streams.push(0, chunksOf(audioOf(500, 2), 1000, 1))
  assert.equal(streams.pts(0).length, 6)
  streams.push(1, chunksOf(audioOf(500, 2), 1100, 1))
  assert.deepEqual(streams.pts(1), streams.pts(0).slice(4))
})

test('a generation that ends before its offset is known is sent', () => {
  const streams = new Streams(2)
  for (const stream of [0, 1]) streams.push(stream, chunksOf(audioOf(9000, 4), 0, 0))
  streams.timelines.endGeneration([[], []], { timeline: 'contiguous' })
  streams.timelines.endGeneration([chunksOf(audioOf(500, 2), 1000, 1), []], { timeline: 'contiguous' })
  assert.deepEqual(streams.pts(0).slice(4), [9000 + 4 * STEP, 9000 + 5 * STEP])
  for (const stream of [0, 1]) streams.push(stream, chunksOf(audioOf(7, 1), 2000, 2))
  assert.deepEqual([streams.pts(0)[6], streams.pts(1)[4]], [9000 + 6 * STEP, 9000 + 6 * STEP])
})

test('whatever the streams do, those of one generation keep equal offsets and no clock goes back', () => {
  const lengths = fc.array(fc.tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 8 })), {
    minLength: 1,
    maxLength: 6,
  })
  fc.assert(
    fc.property(lengths, fc.integer({ min: 0, max: 2 ** 29 }), (generations, base) => {
      const streams = new Streams(2)
      for (const [generation, counts] of generations.entries()) {
        for (const stream of [0, 1]) {
          streams.push(stream, chunksOf(audioOf(base + generation, counts[stream] ?? 1), generation * 100, generation))
        }
        const [first, second] = [0, 1].map((stream) => {
          const own = (streams.got[stream] ?? []).filter(({ origin }) => origin.generation === generation)
          return ptsOf(own)[0]
        })
        assert.equal(first, second, `generation ${generation}`)
        streams.timelines.endGeneration([[], []], { timeline: 'contiguous' })
      }
      for (const stream of [0, 1]) {
        const all = streams.pts(stream)
        assert.deepEqual(
          all,
          [...all].sort((a, b) => a - b),
        )
        assert.equal(new Set(all).size, all.length)
      }
    }),
    { numRuns: 200 },
  )
})

test('clocks that go on are left as they are, and no stream waits for another', () => {
  const streams = new Streams(2)
  for (const stream of [0, 1]) streams.push(stream, chunksOf(audioOf(9000, 4), 1000, 0))
  streams.timelines.endGeneration([[], []], { timeline: 'kept' })
  streams.push(0, chunksOf(audioOf(700_000, 2), 9000, 1))
  assert.deepEqual(streams.pts(0).slice(4), [700_000, 700_000 + STEP])
  assert.equal(streams.got[0]?.at(-1)?.discontinuity, 'source')
})
