import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bandwidth, measureNewest } from './bandwidth.js'

const SECOND = 90_000

test('the peak is that of segments in a row of about a target duration, the average that of all', () => {
  const bandwidth = new Bandwidth()
  const small = { ticks: 2 * SECOND, bytes: 250_000 }
  const segments = [small, { ticks: 2 * SECOND, bytes: 500_000 }, small, { ticks: SECOND / 5, bytes: 200_000 }]
  bandwidth.measure(segments, 3 * SECOND)
  // The last one is too short to count alone: with the one before it, 450000 bytes in 2.2 s.
  assert.equal(bandwidth.peak, 2_000_000)
  assert.equal(bandwidth.average, Math.ceil((1_200_000 * 8) / 6.2))
})

test('small changes are not declared, so that the playlist stays the same', () => {
  const bandwidth = new Bandwidth()
  bandwidth.measure([{ ticks: 2 * SECOND, bytes: 250_000 }], 3 * SECOND)
  bandwidth.measure([{ ticks: 2 * SECOND, bytes: 255_000 }], 3 * SECOND)
  assert.deepEqual([bandwidth.peak, bandwidth.average], [1_000_000, 1_000_000])
  bandwidth.measure([{ ticks: 2 * SECOND, bytes: 300_000 }], 3 * SECOND)
  assert.deepEqual([bandwidth.peak, bandwidth.average], [1_200_000, 1_200_000])
})

test('of a long list the newest entries are measured, those with media', () => {
  const entries = Array.from({ length: 9000 }, (_, sequence) => {
    return { sequence, name: `${sequence}`, ticks: SECOND, isNew: false, dateMs: 0, media: new Map() }
  })
  const measured = measureNewest(entries, ({ sequence }) => (sequence % 2 === 0 ? sequence : undefined))
  assert.ok(measured.length > 60 && measured.length < 1000)
  assert.equal(measured.at(-1)?.bytes, 8998)
})
