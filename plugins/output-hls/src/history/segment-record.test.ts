import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeStore } from '@millrace/engine/testing'
import fc from 'fast-check'
import { INDEX_FILE, periodOf, timesOf } from './period.js'
import { readIndex } from './read-period.js'
import { restore } from './restored.js'
import { type IndexRecord, parseRecord, renderRecord, type SegmentRecord } from './segment-record.js'

function record(sequence: number): SegmentRecord {
  const key = { id: '0123456789abcdef', iv: '00'.repeat(16) }
  const file = { bytes: 1000, isIndependent: true, key, iframe: { offset: 376, length: 500, init: 'init-1.ts' } }
  return {
    ...{ kind: 'segment', life: '3.x', target: 3, sequence, discontinuity: 1, name: String(sequence), ticks: 180_000 },
    ...{
      isNew: false,
      dateMs: 1000 * sequence,
      media: { main: file },
      total: 1000,
      extra: ['#EXT-X-DATERANGE:ID="1"'],
    },
  }
}

test('a record is read as it was written, with all that others add to it', () => {
  const text = renderRecord(record(7))
  assert.deepEqual(parseRecord(text.trim()), record(7))
})

const RANGE: IndexRecord = {
  ...({ kind: 'range', id: 'splice-00000007-1000', event: '00000007', startMs: 1000 } as const),
  ...({ plannedMs: 8000, durationMs: 7900, isAutoReturn: true } as const),
  sections: { 'SCTE35-OUT': 'x'.repeat(5464), 'SCTE35-IN': 'x'.repeat(5464) },
}

test('a date range is read as it was written, however long its messages are', () => {
  assert.deepEqual(parseRecord(renderRecord(RANGE).trim()), RANGE)
})

test('a line that was torn or changed anywhere is left out', () => {
  const line = renderRecord(record(7)).trim()
  for (let length = 0; length < line.length; length++) assert.equal(parseRecord(line.slice(0, length)), undefined)
  fc.assert(
    fc.property(fc.nat(line.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, other) => {
      const changed = line.slice(0, at) + other + line.slice(at + 1)
      if (changed !== line) assert.equal(parseRecord(changed), undefined)
    }),
  )
})

test('a record with a wrong value is left out, whole as it is', () => {
  const file = record(7).media['main']!
  const fields = ['life', 'target', 'sequence', 'discontinuity', 'name', 'ticks', 'isNew', 'dateMs', 'media', 'total']
  const wrong = fields.flatMap((name) => [undefined, null, -1, '../x', []].map((value) => ({ [name]: value })))
  const changes: readonly object[] = [
    ...[...wrong, { target: 3601 }, { target: 1.5 }, { ticks: 0 }, { ticks: 2 ** 32 }, { dateMs: 9e15 }, { lost: 1 }],
    ...[{ sequence: 2 ** 53 }, { floor: -1 }, { media: { '../x': file } }, { media: { main: null } }, { kind: 'x' }],
    ...[{ media: { main: { ...file, bytes: -1 } } }, { media: { main: { bytes: 1 } } }],
  ]
  const others: readonly unknown[] = [
    ...[
      { kind: 'end', life: '' },
      { kind: 'init', bytes: '!' },
      { kind: 'init', bytes: 'A'.repeat(4100) },
      ...[
        { ...RANGE, id: 'a"b' },
        { ...RANGE, event: '' },
        { ...RANGE, startMs: 0.5 },
        { ...RANGE, startMs: 9e15 },
      ],
      ...[
        { ...RANGE, plannedMs: -1 },
        { ...RANGE, durationMs: '1' },
        { ...RANGE, isCancelled: false },
      ],
      ...[
        { ...RANGE, sections: undefined },
        { ...RANGE, sections: { X: 'AA==' } },
      ],
      ...[
        { ...RANGE, sections: { 'SCTE35-IN': '"' } },
        { ...RANGE, sections: { 'SCTE35-IN': 'A'.repeat(5465) } },
      ],
    ],
    ...[{ kind: 'multivariant', text: 1 }, [], null, 7],
  ]
  for (const value of [...changes.map((change) => ({ ...record(7), ...change })), ...others]) {
    assert.equal(parseRecord(renderRecord(value as SegmentRecord).trim()), undefined, JSON.stringify(value))
  }
  assert.ok(parseRecord(renderRecord({ kind: 'end', life: '3.x' }).trim()) !== undefined)
})

test('whatever is in an index, reading it neither throws nor invents segments', async () => {
  await using store = new FakeStore()
  const folder = await store.media('segments')
  const period = periodOf(Date.UTC(2026, 0, 2, 3, 4))
  const junk = fc.oneof(fc.string(), fc.constant('\n'), fc.constant('\0'.repeat(5000)), fc.constant('x'.repeat(40_000)))
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(junk, fc.nat(50)), { maxLength: 30 }), async (parts) => {
      await folder.remove(period)
      const expected: number[] = []
      for (const part of parts) {
        if (typeof part === 'number') expected.push(part)
        const text = typeof part === 'number' ? renderRecord(record(part)) : part
        await folder.append(`${period}/${INDEX_FILE}`, new TextEncoder().encode(text))
      }
      const found = await readIndex(folder, period)
      assert.deepEqual(
        found.map((each) => (each as SegmentRecord).sequence),
        expected,
      )
      const { segments } = await restore(folder)
      assert.ok(
        segments.every(({ media }) => Object.keys(media).length === 0),
        'there is no file',
      )
    }),
    { numRuns: 30 },
  )
})

test('a folder is named by the ten minutes that begin in it', () => {
  const dateMs = Date.UTC(2026, 10, 30, 2, 29, 59)
  assert.equal(periodOf(dateMs), '20261130T0220')
  assert.deepEqual(timesOf('20261130T0220'), {
    fromMs: Date.UTC(2026, 10, 30, 2, 20),
    toMs: Date.UTC(2026, 10, 30, 2, 30),
  })
  for (const name of [
    '',
    '20261330T0220',
    '2026113T0220',
    'segments.index',
    '20261130T022',
    '20261130T9920',
    '20261131T0220',
  ]) {
    assert.equal(timesOf(name), undefined, name)
  }
})
