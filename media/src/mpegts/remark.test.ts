import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CONTINUITY_ERROR, LAST_OF_PID, MARK_FLAGS, MARK_MS, MARK_OFFSET, MARK_SIZE, SYNC_LOSS } from './marks.js'
import { PACKET_SIZE } from './packet.js'
import { Remarker } from './remark.js'

/** Packets of one PID with payload only, by their counters. */
function packets(counters: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(counters.length * PACKET_SIZE)
  counters.forEach((counter, index) => bytes.set([0x47, 0x01, 0x00, 0x10 | counter], index * PACKET_SIZE))
  return bytes
}

function records(marks: Int32Array): number[][] {
  return Array.from({ length: marks.length / MARK_SIZE }, (_, index) => {
    const at = index * MARK_SIZE
    return [marks[at + MARK_OFFSET]! / PACKET_SIZE, marks[at + MARK_FLAGS]!, marks[at + MARK_MS]!]
  })
}

describe('recomputed marks', () => {
  test('keep what a scan cannot find: arrival times, and flags such as lost synchronisation', () => {
    const known = { ms: Int32Array.of(0, 3, 3, 8), flags: Int32Array.of(0, 0, SYNC_LOSS, 0) }
    const marks = new Remarker().remark(packets([0, 1, 2, 4]), known)
    assert.deepEqual(records(marks), [
      [2, SYNC_LOSS, 3],
      [3, CONTINUITY_ERROR | LAST_OF_PID, 8],
    ])
  })

  test('have the same time for all packets if no times are known', () => {
    assert.deepEqual(records(new Remarker().remark(packets([0, 1, 3]))), [[2, CONTINUITY_ERROR | LAST_OF_PID, 0]])
  })

  test('continue from the previous chunk, but not across a break', () => {
    const remarker = new Remarker()
    remarker.remark(packets([0, 1]))
    assert.deepEqual(records(remarker.remark(packets([3]))), [[0, CONTINUITY_ERROR | LAST_OF_PID, 0]])
    remarker.reset()
    assert.deepEqual(records(remarker.remark(packets([9]))), [[0, LAST_OF_PID, 0]])
  })
})
