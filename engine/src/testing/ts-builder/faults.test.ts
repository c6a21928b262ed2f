import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildTs } from './build-ts.js'
import * as faults from './faults.js'

const { bytes } = buildTs({ durationS: 2 })
const choice = { every: 4, skip: 2, max: 5 }

test('damage is done to a copy, as many times as reported', () => {
  const before = bytes.slice()
  for (const damage of Object.values(faults)) {
    const damaged = damage(bytes, choice)
    assert.equal(damaged.count, damaged.offsets.length)
    assert.equal(damaged.count, 5, damage.name)
    assert.notDeepEqual(damaged.bytes, bytes)
  }
  assert.deepEqual(bytes, before)
})

test('lengths change by what is removed and inserted', () => {
  assert.equal(faults.dropPackets(bytes, choice).bytes.length, bytes.length - 5 * 188)
  assert.equal(faults.duplicatePackets(bytes, { ...choice, copies: 2 }).bytes.length, bytes.length + 10 * 188)
  assert.equal(faults.junkBetween(bytes, { ...choice, size: 7 }).bytes.length, bytes.length + 35)
  assert.equal(faults.cutMidPacket(bytes, { ...choice, keep: 8 }).bytes.length, bytes.length - 5 * 180)
})

test('only packets of the wanted PID are chosen, and none without payload', () => {
  for (const offset of faults.setTei(bytes, { pid: 0x101, every: 1, skip: 0 }).offsets) {
    assert.equal(bytes[offset + 2], 0x01)
    assert.equal((bytes[offset + 3] ?? 0) & 0x10, 0x10)
  }
})
