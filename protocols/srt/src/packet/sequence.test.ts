import assert from 'node:assert/strict'
import { test } from 'node:test'
import { indexOf, messageNumberOf, sequenceOf, timeOf, timestampOf } from './sequence.js'

test('a sequence number stands for the nearest packet index, across the wrap at 2^31', () => {
  const rows: [sequence: number, near: number, index: number][] = [
    [5, 3, 5],
    [3, 5, 3],
    [0, 0x7fff_ffff, 0x8000_0000],
    [0x7fff_ffff, 0x8000_0005, 0x7fff_ffff],
    [4, 5 * 0x8000_0000 + 1, 5 * 0x8000_0000 + 4],
    [0x7fff_fff0, 2, -16],
  ]
  for (const [sequence, near, index] of rows) {
    assert.equal(indexOf(sequence, near), index)
    assert.equal(sequenceOf(index), sequence)
  }
})

test('message numbers go from 1 to 2^26 - 1 and on with 1', () => {
  assert.deepEqual([0, 1, 0x03ff_fffe, 0x03ff_ffff].map(messageNumberOf), [1, 2, 0x03ff_ffff, 1])
})

test('timestamps wrap after 71.6 minutes, and are unwrapped to the nearest time', () => {
  const hour = 3_600_000_000
  assert.equal(timestampOf(2 * hour), (2 * hour) % 2 ** 32)
  for (const us of [0, hour, 2 * hour, 30 * hour]) {
    assert.equal(timeOf(timestampOf(us + 1000), us), us + 1000)
    assert.equal(timeOf(timestampOf(us + hour / 2), us), us + hour / 2)
    if (us > 0) assert.equal(timeOf(timestampOf(us - 1000), us), us - 1000)
  }
})
