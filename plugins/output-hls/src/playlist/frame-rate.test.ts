import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FrameRate } from './frame-rate.js'

const SECOND = 90_000

const rows = [
  { name: 'fixed headers are believed', format: { frameRate: 25, isRateFixed: true }, units: 10, rate: 25 },
  { name: 'headers that agree with what comes are believed', format: { frameRate: 29.97 }, units: 60, rate: 29.97 },
  { name: 'others are not: what comes counts', format: { frameRate: 90_000 }, units: 50, rate: 25 },
  { name: 'a header with twice the rate is not believed', format: { frameRate: 50 }, units: 50, rate: 25 },
  {
    name: 'a field in each PES packet is half a picture',
    format: { frameRate: 25, isInterlaced: true },
    units: 100,
    rate: 25,
  },
  { name: 'without headers it is measured', format: {}, units: 120, rate: 60 },
  { name: 'near a usual rate it is that one', format: {}, units: 48, ticks: 2.002 * SECOND, rate: 24_000 / 1001 },
  { name: 'far from one it is as measured', format: {}, units: 34, rate: 17 },
  { name: 'a few pictures tell nothing', format: {}, units: 7, rate: undefined },
]

for (const { name, format, units, ticks = 2 * SECOND, rate } of rows) {
  test(name, () => {
    const frameRate = new FrameRate()
    frameRate.note({ name: 'avc1.64001f', ...format }, units, ticks)
    assert.equal(frameRate.value, rate)
  })
}

test('what is measured stays as it is until it differs by more than a twentieth', () => {
  const frameRate = new FrameRate()
  const values = [50, 51, 49, 60, 59, 30].map((units) => {
    frameRate.note(undefined, units, 2 * SECOND)
    return frameRate.value
  })
  assert.deepEqual(values, [25, 25, 25, 30, 30, 15])
  frameRate.clear()
  assert.equal(frameRate.value, undefined)
})
