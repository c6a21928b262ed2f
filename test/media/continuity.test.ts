import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildTs, dropPackets, duplicatePackets, renumberCounter, scramble, setTei } from '@millrace/engine/testing'
import type { Damaged } from '@millrace/engine/testing'
import {
  CONTINUITY_ERROR,
  CRC_ERROR,
  MARK_FLAGS,
  MARK_PID,
  MARK_SIZE,
  SCRAMBLED,
  TRANSPORT_ERROR,
} from '@millrace/media/mpegts'
import { checkTs } from '../oracle/check-ts.js'
import { frame } from './frame.js'
import { allStreams, builtStreams, PACKET } from './streams.js'

const VIDEO = 0x100
const { bytes } = buildTs({ durationS: 4, video: { bFrames: 2 }, nullEvery: 11 })

interface Found {
  readonly continuity: number
  readonly transport: number
  readonly scrambled: number
  readonly crc: number
  readonly continuityOf: Readonly<Record<number, number>>
}

const faults: readonly { name: string; damaged: Damaged; expected: Partial<Found> }[] = [
  { name: 'lost packets', damaged: dropPackets(bytes, { every: 13 }), expected: { transport: 0 } },
  { name: 'packets sent twice', damaged: duplicatePackets(bytes, { every: 13 }), expected: { continuity: 0 } },
  { name: 'packets sent three times', damaged: duplicatePackets(bytes, { every: 13, copies: 2 }), expected: {} },
  { name: 'packets sent five times', damaged: duplicatePackets(bytes, { every: 13, copies: 4 }), expected: {} },
  { name: 'counters that jump', damaged: renumberCounter(bytes, { pid: VIDEO, every: 7 }), expected: {} },
  { name: 'transport errors', damaged: setTei(bytes, { every: 13 }), expected: { continuity: 0 } },
  { name: 'scrambled packets', damaged: scramble(bytes, { every: 13 }), expected: { continuity: 0 } },
]

for (const { name, damaged, expected } of faults) {
  test(`${name} are counted exactly, and as the checker counts them`, () => {
    for (const flushEvery of [Infinity, 1]) {
      const found = countFlags(damaged.bytes, flushEvery)
      const report = checkTs(damaged.bytes)
      assert.equal(found.continuity, report.continuityErrors)
      assert.deepEqual(found.continuityOf, report.continuityErrorsByPid)
      assert.equal(found.transport, report.transportErrors)
      assert.equal(found.scrambled, report.scrambled)
      assert.deepEqual({ ...found, ...expected }, found)
      if (name.startsWith('lost') || name.startsWith('counters')) assert.equal(found.continuity, damaged.count)
      if (name.endsWith('three times')) assert.equal(found.continuity, damaged.count)
      if (name.endsWith('five times')) assert.equal(found.continuity, 3 * damaged.count)
      if (name.startsWith('transport')) assert.equal(found.transport, damaged.count)
      if (name.startsWith('scrambled')) assert.equal(found.scrambled, damaged.count)
    }
  })
}

test('complete streams have no errors, whatever their PIDs carry', () => {
  for (const { name, bytes: whole } of allStreams()) {
    const { continuity, crc } = countFlags(whole, 3)
    assert.deepEqual(
      { continuity, crc, oracle: checkTs(whole).continuityErrors },
      { continuity: 0, crc: 0, oracle: 0 },
      name,
    )
  }
})

test('losses are counted as the checker counts them, in streams of every kind', () => {
  for (const { name, bytes: whole } of builtStreams()) {
    const damaged = dropPackets(whole, { every: 17, skip: 40 })
    assert.equal(countFlags(damaged.bytes, 5).continuity, checkTs(damaged.bytes).continuityErrors, name)
  }
})

function countFlags(stream: Uint8Array, flushEvery: number): Found {
  const { chunks } = frame(stream, { piece: 50 * PACKET, flushEvery })
  const counts = { continuity: 0, transport: 0, scrambled: 0, crc: 0 }
  const continuityOf: Record<number, number> = {}
  for (const { marks } of chunks) {
    for (let at = 0; at < marks.length; at += MARK_SIZE) {
      const flags = marks[at + MARK_FLAGS] ?? 0
      const pid = marks[at + MARK_PID] ?? 0
      if ((flags & TRANSPORT_ERROR) !== 0) counts.transport++
      if ((flags & SCRAMBLED) !== 0) counts.scrambled++
      if ((flags & CRC_ERROR) !== 0) counts.crc++
      if ((flags & CONTINUITY_ERROR) === 0) continue
      counts.continuity++
      continuityOf[pid] = (continuityOf[pid] ?? 0) + 1
    }
  }
  return { ...counts, continuityOf }
}
