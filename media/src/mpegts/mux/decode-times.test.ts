import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DecodeTimes } from './decode-times.js'

function run(rows: readonly (readonly [pts: number, dts: number])[]): (readonly [number, number])[] {
  const times = new DecodeTimes()
  return rows.map(([pts, dts]) => {
    times.next(pts, dts)
    return [times.pts90k, times.dts90k]
  })
}

test('times in order stay as they are', () => {
  const rows = [
    [7200, 0],
    [18_000, 3600],
    [10_800, 7200],
  ] as const
  assert.deepEqual(run(rows), rows)
})

test('a presentation time before its decoding time moves all later decoding times', () => {
  const rows = [
    [0, 0],
    [10_800, 3600],
    [3600, 7200],
    [7200, 10_800],
  ] as const
  const expected = [
    [0, 0],
    [10_800, 3600],
    [3601, 3601],
    [7200, 7200],
  ]
  assert.deepEqual(run(rows), expected)
})
