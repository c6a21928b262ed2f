import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LimitAlarm } from './limit-alarm.js'

test('reports once that a limit is reached, and once that it no longer is, a twentieth below', () => {
  const alarm = new LimitAlarm()
  const events = [...range(0, 45), 39, 40, 38, 37, 40].flatMap((count) => {
    const event = alarm.update(count, 40)
    return event === undefined ? [] : [`${count} ${event}`]
  })
  assert.deepEqual(events, ['40 limit_hit', '38 limit_miss', '40 limit_hit'])
})

test('one viewer fewer is enough for a small limit', () => {
  const alarm = new LimitAlarm()
  assert.equal(alarm.update(1, 1), 'limit_hit')
  assert.equal(alarm.update(0, 1), 'limit_miss')
})

test('follows a limit that changes; 0 is no limit', () => {
  const alarm = new LimitAlarm()
  assert.equal(alarm.update(10, 0), undefined)
  assert.equal(alarm.update(10, 5), 'limit_hit')
  assert.equal(alarm.isHit, true)
  assert.equal(alarm.update(10, 0), 'limit_miss')
  assert.equal(alarm.update(10, 20), undefined)
})

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, at) => from + at)
}
