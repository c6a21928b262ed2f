import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AudioClock } from './audio-clock.js'

const SYNC = 90

test('stamps within the limit do not disturb the count', () => {
  const clock = new AudioClock(SYNC)
  const times = [0, 1890, 3870, 5670].map((stamp) => clock.next(stamp, 1024, 48_000))
  assert.deepEqual(times, [0, 1920, 3840, 5760])
})

test('a stamp beyond the limit begins the count again, never before the last time', () => {
  const clock = new AudioClock(SYNC)
  assert.equal(clock.next(0, 1024, 48_000), 0)
  assert.equal(clock.next(9000, 1024, 48_000), 9000)
  assert.ok(clock.hasGap)
  assert.equal(clock.next(10_920, 1024, 48_000), 10_920)
  assert.ok(!clock.hasGap)
  assert.equal(clock.next(0, 1024, 48_000), 10_921)
})

test('a day of samples is counted without drift', () => {
  const clock = new AudioClock(SYNC)
  const frames = Math.floor((86_400 * 44_100) / 1024)
  let time = 0
  for (let at = 0; at < frames; at++) time = clock.next((at * 1024 * 90_000) / 44_100, 1024, 44_100)
  assert.equal(time, Math.round(((frames - 1) * 1024 * 90_000) / 44_100))
})
