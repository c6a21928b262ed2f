import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Session } from '@millrace/engine/plugin'
import { PlayerReports } from './player-reports.js'

interface OpenSession extends Session {
  isOver: boolean
}

function session(): OpenSession {
  const busy = (): Disposable => ({ [Symbol.dispose]: () => undefined })
  return { id: '1', isOver: false, sent: () => undefined, end: () => undefined, busy }
}

class Bench {
  readonly reports = new PlayerReports()
  readonly buffers: number[] = []
  readonly throughputs: number[] = []
  readonly histograms = {
    observeBuffer: (seconds: number) => void this.buffers.push(seconds),
    observeThroughput: (rate: number) => void this.throughputs.push(rate),
  }
  nowMs = 0

  note(viewer: Session, report: Parameters<PlayerReports['note']>[1]): void {
    this.reports.note(viewer, report, { nowMs: this.nowMs, histograms: this.histograms })
  }
}

test('the last value of each kind is kept, and stalls are counted', () => {
  const bench = new Bench()
  const viewer = session()
  bench.note(viewer, { bufferMs: 5000, bitrateKbps: 950, throughputKbps: 8000, isStarved: false })
  bench.nowMs = 500
  bench.note(viewer, { bufferMs: 0, isStarved: true })
  assert.deepEqual(bench.reports.of(viewer), {
    ...{ bufferMs: 0, bitsPerSecond: 950_000, throughputBitsPerSecond: 8_000_000, stalls: 1 },
  })
  assert.deepEqual([bench.reports.stalls, bench.buffers, bench.throughputs], [1, [5], [8_000_000]])
  assert.equal(bench.reports.of(session()), undefined)
})

test('a viewer that reports with every request counts once a second', () => {
  const bench = new Bench()
  const viewer = session()
  for (bench.nowMs = 0; bench.nowMs < 3000; bench.nowMs += 50) bench.note(viewer, { bufferMs: 1, isStarved: true })
  assert.deepEqual([bench.reports.stalls, bench.buffers.length], [3, 3])
})

test('viewers that have gone count no longer, but for their stalls', () => {
  const bench = new Bench()
  const [first, second] = [session(), session()]
  bench.note(first, { bitrateKbps: 1000, isStarved: true })
  bench.note(second, { bitrateKbps: 3000, isStarved: false })
  assert.deepEqual([bench.reports.players, bench.reports.averageBitsPerSecond], [2, 2_000_000])
  first.isOver = true
  assert.deepEqual([bench.reports.players, bench.reports.averageBitsPerSecond], [1, 3_000_000])
  second.isOver = true
  assert.deepEqual([bench.reports.averageBitsPerSecond, bench.reports.stalls], [0, 1])
})
