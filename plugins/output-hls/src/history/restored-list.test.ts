import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RestoredList } from './restored-list.js'
import type { SegmentRecord } from './segment-record.js'

function record(sequence: number, more: Partial<SegmentRecord> = {}): SegmentRecord {
  const media = { main: { bytes: 1000, isIndependent: true } }
  const numbers = { sequence, discontinuity: 1, total: 1000, target: 3 }
  const times = { ticks: 180_000, isNew: false, dateMs: 2000 * sequence }
  return { kind: 'segment', life: '3.x', name: String(sequence), ...numbers, ...times, media, ...more }
}

function restored(...records: readonly SegmentRecord[]): RestoredList {
  const list = new RestoredList(() => 90_000 * 3600)
  for (const each of records) list.add(each)
  return list
}

const LOST = { media: {}, lost: true } as const

for (const { name, records, floor, first, length } of [
  { name: 'nothing is lost', records: [record(1), record(2)], floor: 0, first: undefined, length: 0 },
  {
    name: 'a gap of the publisher is nothing lost',
    records: [record(1), record(2, { media: {} }), record(3)],
    ...{ floor: 0, first: undefined, length: 0 },
  },
  {
    name: 'what is behind the last that is lost',
    records: [record(1), record(2, LOST), record(3), record(4, LOST), record(5), record(6, { floor: 5 })],
    ...{ floor: 5, first: 5, length: 2 },
  },
  {
    name: 'what is lost is no longer in the index',
    records: [record(7, { floor: 5 }), record(8, { floor: 5 })],
    ...{ floor: 5, first: 7, length: 2 },
  },
  {
    name: 'the line of what is lost is damaged',
    records: [record(1), record(3), record(4), record(6, { floor: 4 })],
    ...{ floor: 4, first: 6, length: 1 },
  },
  { name: 'nothing is behind it', records: [record(1), record(2, LOST)], floor: 3, first: undefined, length: 0 },
]) {
  test(`the list of before the losses: ${name}`, () => {
    const list = restored(...records)
    assert.deepEqual([list.floor, list.before?.firstSequence, list.before?.length ?? 0], [floor, first, length])
    assert.equal(list.list.table.length, records.length)
  })
}

test('the list of before the losses is half an hour at most', () => {
  const { before } = restored(record(1, LOST), ...Array.from({ length: 2000 }, (_, at) => record(at + 2)))
  assert.equal(before?.length, 900)
  assert.equal(before.table.length, 900)
})
