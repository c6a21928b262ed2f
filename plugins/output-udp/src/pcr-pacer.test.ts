import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Framer, type TsChunk } from '@millrace/media/mpegts'
import { buildTs } from '@millrace/engine/testing'
import { PcrPacer } from './pcr-pacer.js'

const LATENCY_MS = 200
const TICK_MS = 5
const stream = buildTs({ durationS: 6, video: { bitrate: 4e6 } }).bytes
const BYTES_PER_MS = stream.length / 6000

interface Piece {
  readonly atMs: number
  readonly bytes: number
}

/** Chunks of a stream that comes at its own rate, in bursts of `burstMs`. */
function arrivals(burstMs: number, lateMs: (atMs: number) => number = () => 0): { chunks: TsChunk[]; nowMs: number }[] {
  const framer = new Framer({ generation: 0 })
  const bursts = []
  for (let atMs = burstMs; atMs <= 6000; atMs += burstMs) {
    const nowMs = 1000 + atMs + lateMs(atMs)
    const part = stream.subarray(Math.floor((atMs - burstMs) * BYTES_PER_MS), Math.floor(atMs * BYTES_PER_MS))
    bursts.push({ nowMs, chunks: [...framer.push(part, nowMs), ...framer.flush(nowMs)] })
  }
  return bursts
}

/** What is sent in each tick. */
function run(bursts: ReturnType<typeof arrivals>, pacer = new PcrPacer(), canWait = false): Piece[] {
  const sent: Piece[] = []
  const queue = [...bursts]
  for (let nowMs = 1000; queue.length > 0 || !pacer.isEmpty; nowMs += TICK_MS) {
    while (queue[0] !== undefined && queue[0].nowMs <= nowMs) {
      for (const chunk of queue.shift()?.chunks ?? []) pacer.push(chunk, nowMs, LATENCY_MS, canWait)
    }
    let bytes = 0
    pacer.take(nowMs, (_, start, end) => (bytes += end - start))
    sent.push({ atMs: nowMs, bytes })
  }
  return sent
}

function total(sent: readonly Piece[]): number {
  return sent.reduce((sum, { bytes }) => sum + bytes, 0)
}

/** The most bytes within any `overMs`, compared with the rate of the stream. */
function peak(sent: readonly Piece[], overMs: number, fromMs = 0): number {
  const ticks = overMs / TICK_MS
  const later = sent.filter(({ atMs }) => atMs >= fromMs)
  const sums = later.map((_, at) => total(later.slice(at, at + ticks)))
  return Math.max(...sums) / (overMs * BYTES_PER_MS)
}

describe('the pacer', () => {
  for (const burstMs of [20, 50, 100, 180]) {
    test(`sends bursts of ${burstMs} ms evenly, every byte once, within the latency`, () => {
      const pacer = new PcrPacer()
      const sent = run(arrivals(burstMs), pacer)
      assert.equal(
        total(sent),
        total(
          arrivals(burstMs).map(({ chunks, nowMs: atMs }) => ({
            atMs,
            bytes: chunks.reduce((sum, { bytes }) => sum + bytes.length, 0),
          })),
        ),
      )
      assert.equal(pacer.anchors, 1)
      assert.ok(peak(sent, 100, 2000) < 1.6, `peak ${peak(sent, 100, 2000)}`)
      const lastMs = sent.findLast(({ bytes }) => bytes > 0)?.atMs ?? 0
      assert.ok(lastMs <= 7000 + 2 * LATENCY_MS + 100, `the last byte left at ${lastMs}`)
    })
  }

  test('evens out jitter that is shorter than the latency', () => {
    const pacer = new PcrPacer()
    const sent = run(
      arrivals(50, (atMs) => (atMs % 300 === 0 ? 120 : 0)).sort((a, b) => a.nowMs - b.nowMs),
      pacer,
    )
    assert.equal(pacer.anchors, 1)
    assert.ok(peak(sent, 100, 2000) < 1.7, `peak ${peak(sent, 100, 2000)}`)
  })

  test('a source that stalls for longer than the latency is sent from then on without a burst of all', () => {
    const pacer = new PcrPacer()
    const sent = run(
      arrivals(50, (atMs) => (atMs > 3000 ? 1500 : 0)),
      pacer,
    )
    assert.ok(pacer.anchors >= 2)
    assert.ok(peak(sent, 500, 2000) < 2, `peak ${peak(sent, 500, 2000)}`)
  })

  test('a source that is far ahead of time is not held for longer than twice the latency, unless it can wait', () => {
    const early = arrivals(50, (atMs) => -atMs * 0.9)
    const pacer = new PcrPacer()
    const sent = run(early, pacer)
    assert.ok((sent.at(-1)?.atMs ?? 0) < 1000 + 600 + 3 * LATENCY_MS, `the last byte left at ${sent.at(-1)?.atMs}`)
    const waiting = run(early, new PcrPacer(), true)
    assert.ok(peak(waiting, 500) < 2.2, `peak ${peak(waiting, 500)}`)
  })

  test('without PCR, bytes leave as far apart as they came', () => {
    const bursts = arrivals(50).map(({ nowMs, chunks }) => ({
      nowMs,
      chunks: chunks.map((chunk) => ({ ...chunk, marks: new Int32Array(0) })),
    }))
    const sent = run(bursts)
    assert.ok(peak(sent, 200, 2000) < 1.5, `peak ${peak(sent, 200, 2000)}`)
    assert.ok((sent.at(-1)?.atMs ?? 0) <= 7000 + 2 * LATENCY_MS)
  })

  test('a jump of the clock of the stream continues where the last byte was planned', () => {
    const bursts = arrivals(50)
    const pacer = new PcrPacer()
    const twice = [...bursts, ...bursts.map(({ nowMs, chunks }) => ({ chunks, nowMs: nowMs + 6000 }))]
    const sent = run(twice, pacer)
    assert.equal(pacer.anchors, 2)
    assert.ok(peak(sent, 200, 2000) < 1.7, `peak ${peak(sent, 200, 2000)}`)
  })
})
