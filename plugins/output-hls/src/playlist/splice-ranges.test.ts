import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseSpliceInfo } from '@millrace/media/scte35'
import { cancel, hexOf, insert, rangesIn, SECOND, segmentation, timeSignal } from '../splice-streams.test.kit.js'
import { SpliceRanges } from './splice-ranges.js'

/** At second 0 of the stream. */
const DATE_MS = Date.UTC(2026, 0, 1)

function hex32(event: number): string {
  return event.toString(16).toUpperCase().padStart(8, '0')
}

class Bench {
  readonly ranges = new SpliceRanges()

  hear(message: readonly number[], atS: number): this {
    const section = Uint8Array.from(message)
    const info = parseSpliceInfo(section) ?? assert.fail('it is not read')
    assert.equal(this.ranges.hear({ info, section }, atS * SECOND), true)
    return this
  }

  /** A segment that begins there is listed, behind one that begins `fromS`. */
  settle(atS: number, fromS = 0): this {
    this.ranges.settle({ start90k: atS * SECOND, dateMs: DATE_MS + atS * 1000 }, DATE_MS + fromS * 1000)
    return this
  }

  tags(fromS = 0): readonly ReadonlyMap<string, string>[] {
    return rangesIn(
      this.ranges
        .tags(DATE_MS + fromS * 1000)
        .map((tag) => `${tag}\n`)
        .join(''),
    )
  }
}

test('a splice is cut at once, not again when the 33-bit clock comes by a day later', () => {
  const ranges = new SpliceRanges()
  const info = { command: 'time', pts90k: 900_000, insert: undefined, segmentations: [] } as const
  assert.equal(ranges.hear({ info, section: new Uint8Array(20) }, 450_000), true)
  assert.ok((ranges.ticksAfter(450_000) ?? 0) > 0)
  const hour = 3600 * 90_000
  for (let hours = 1; hours <= 14; hours++) ranges.settle({ start90k: hours * hour, dateMs: hours * 3_600_000 }, 0)
  assert.equal(ranges.ticksAfter(14 * hour), undefined)
})

describe('descriptors of segmentation', () => {
  for (const type of [0x34, 0x36, 0x38, 0x3a]) {
    test(`0x${type.toString(16)} and 0x${(type + 1).toString(16)} are the out and the in of one break`, () => {
      const out = timeSignal(10 * SECOND, segmentation(9, type, 30 * SECOND))
      const back = timeSignal(40 * SECOND, segmentation(9, type + 1))
      const [range, ...more] = new Bench().hear(out, 5).settle(6).hear(back, 35).settle(36).tags()
      assert.equal(more.length, 0)
      assert.deepEqual(Object.fromEntries(range!), {
        ID: `"splice-00000009-${DATE_MS + 10_000}"`,
        'START-DATE': '"2026-01-01T00:00:10.000Z"',
        DURATION: '30.000',
        'PLANNED-DURATION': '30.000',
        'SCTE35-OUT': hexOf(out),
        'SCTE35-IN': hexOf(back),
      })
    })
  }

  test('others are ranges of their own, with the whole message; those of one message have one each', () => {
    const message = timeSignal(10 * SECOND, segmentation(9, 0x10), segmentation(10, 0x30, 5 * SECOND))
    const tags = new Bench().hear(message, 5).settle(6).tags()
    assert.deepEqual(
      tags.map((range) => [range.get('ID'), range.get('PLANNED-DURATION'), range.get('SCTE35-CMD')]),
      [
        [`"splice-00000009-10-${DATE_MS + 10_000}"`, undefined, hexOf(message)],
        [`"splice-0000000A-30-${DATE_MS + 10_000}"`, '5.000', hexOf(message)],
      ],
    )
  })

  test('that only cancel are no signal', () => {
    assert.deepEqual(
      new Bench()
        .hear(timeSignal(10 * SECOND, segmentation(9)), 5)
        .settle(6)
        .tags(),
      [],
    )
  })
})

for (const [name, out, cancelled] of [
  ['splice_insert', insert(9, true, 10 * SECOND, { ticks: SECOND, isAutoReturn: true }), cancel(9)],
  ['a placement opportunity', timeSignal(10 * SECOND, segmentation(9, 0x34)), timeSignal(7 * SECOND, segmentation(9))],
  ['another signal', timeSignal(10 * SECOND, segmentation(9, 0x10)), timeSignal(7 * SECOND, segmentation(9))],
] as const) {
  test(`${name} that is cancelled before its time is not listed any more, and nothing is cut; afterwards it stays`, () => {
    assert.deepEqual(new Bench().hear(out, 5).hear(cancelled, 6).settle(6).tags(), [])
    const bench = new Bench().hear(out, 5).settle(6)
    assert.equal(bench.tags().length, 1)
    assert.ok((bench.ranges.ticksAfter(8 * SECOND) ?? 0) > 0)
    const tags = bench.hear(cancelled, 7).tags()
    assert.equal(bench.ranges.ticksAfter(8 * SECOND), undefined)
    // Until the next segment, the texts of other renditions are built of the same ones.
    assert.equal(tags.length, 1)
    assert.deepEqual(bench.settle(7).tags(), [])
    const { version } = bench.ranges
    assert.equal(bench.hear(cancelled, 7.5).settle(8).ranges.version, version, 'it is not cancelled again')
    // Another range, whatever it is: IDs are not used again.
    const [again] = bench.hear(out, 8).settle(8).tags()
    assert.match(again!.get('ID')!, /-2"$/)
    assert.equal(new Bench().hear(out, 5).settle(6).hear(cancelled, 11).settle(12).tags().length, 1)
  })
}

test('an in that nothing precedes is a range of its own, once', () => {
  const bench = new Bench().hear(insert(9, false, 10 * SECOND), 5).settle(6)
  bench.hear(insert(9, false, 10.02 * SECOND), 7).settle(8)
  assert.deepEqual(
    bench.tags().map((range) => [...range.keys()]),
    [['ID', 'START-DATE', 'SCTE35-IN']],
  )
})

test('a break that returns by itself can return earlier, and its own end may be told too', () => {
  const out = insert(9, true, 10 * SECOND, { ticks: 20 * SECOND, isAutoReturn: true })
  for (const [endS, expected] of [
    [15, '5.000'],
    [30, '20.000'],
  ] as const) {
    const back = insert(9, false, endS * SECOND)
    const bench = new Bench()
      .hear(out, 5)
      .settle(6)
      .hear(back, endS - 1)
      .settle(endS)
      .settle(32)
    const [range, ...more] = bench.tags()
    assert.equal(more.length, 0)
    assert.equal(range!.get('DURATION'), expected)
    assert.equal(range!.get('SCTE35-IN'), hexOf(back))
  }
  // The end has come before its message.
  const late = new Bench()
    .hear(out, 5)
    .settle(6)
    .settle(31)
    .hear(insert(9, false, 30 * SECOND), 31)
    .settle(32)
  assert.deepEqual(
    late.tags().map((range) => [range.get('DURATION'), range.has('SCTE35-IN')]),
    [['20.000', true]],
  )
})

test('the same event again is another break when the first is over', () => {
  const lasting = { ticks: 5 * SECOND, isAutoReturn: true }
  const bench = new Bench()
  for (const startS of [10, 20, 30])
    bench.hear(insert(1, true, startS * SECOND, lasting), startS - 4).settle(startS - 3)
  assert.deepEqual(
    bench
      .settle(40)
      .tags()
      .map((range) => range.get('DURATION')),
    ['5.000', '5.000', '5.000'],
  )
  assert.equal(bench.tags(26).length, 1)
})

test('an out behind a lost in is another break, though the encoder uses one event for all', () => {
  const bench = new Bench()
  for (const startS of [10, 210]) bench.hear(insert(1, true, startS * SECOND), startS - 4).settle(startS - 3)
  bench.hear(insert(1, false, 240 * SECOND), 236).settle(237)
  assert.deepEqual(
    bench.tags().map((range) => [range.get('START-DATE'), range.get('DURATION')]),
    [
      ['"2026-01-01T00:00:10.000Z"', undefined],
      ['"2026-01-01T00:03:30.000Z"', '30.000'],
    ],
  )
  // One that says each time that it is now goes on.
  const repeated = new Bench()
  for (let atS = 10; atS < 300; atS += 20) repeated.hear(insert(1, true, atS * SECOND), atS).settle(atS)
  assert.equal(repeated.tags().length, 1)
})

test('a break that is longer than planned is listed until its in', () => {
  const bench = new Bench().hear(insert(9, true, 10 * SECOND, { ticks: 20 * SECOND }), 5).settle(6)
  assert.equal(bench.settle(60, 40).tags(40).length, 1)
  const [range, ...more] = bench
    .hear(insert(9, false, 70 * SECOND), 65)
    .settle(66, 46)
    .tags(46)
  assert.deepEqual(more, [])
  assert.deepEqual(
    [range?.get('PLANNED-DURATION'), range?.get('DURATION'), range?.has('SCTE35-OUT'), range?.has('SCTE35-IN')],
    ['20.000', '60.000', true, true],
  )
})

test('what a cancelled event has begun keeps no cut that comes, unless a break ends there by itself', () => {
  const both = (type: number, atS: number): readonly number[] => timeSignal(atS * SECOND, segmentation(9, type))
  const bench = new Bench().hear(both(0x10, 10), 5).hear(both(0x11, 20), 5).settle(6)
  bench.hear(timeSignal(15 * SECOND, segmentation(9)), 15).settle(16)
  assert.equal(bench.ranges.ticksAfter(16 * SECOND), undefined)
  assert.equal(bench.tags().length, 1)
  const out = insert(9, true, 10 * SECOND, { ticks: 10 * SECOND, isAutoReturn: true })
  const alone = new Bench().hear(out, 5).settle(6).hear(cancel(9), 15).settle(16)
  assert.ok((alone.ranges.ticksAfter(16 * SECOND) ?? 0) > 0)
})

test('of too many splices that are announced, those that come first are cut', () => {
  const bench = new Bench()
  for (let event = 0; event < 40; event++)
    bench.hear(timeSignal((100 + 10 * event) * SECOND, segmentation(event, 0x10)), 50).settle(50)
  const [first, behind] = [50, 405].map((fromS) => bench.ranges.ticksAfter(fromS * SECOND))
  assert.ok(Math.abs(first! - 50 * SECOND) < 2000, String(first))
  assert.ok(Math.abs(behind! - 5 * SECOND) < 2000, String(behind))
  assert.equal(bench.ranges.ticksAfter(411 * SECOND), undefined)
})

test('a splice that is moved is cut where its range begins', () => {
  const bench = new Bench().hear(insert(9, true, 10 * SECOND), 5).settle(6)
  bench.hear(insert(9, true, 11 * SECOND), 7).settle(8)
  assert.equal(bench.ranges.ticksAfter(10 * SECOND), undefined)
  bench.hear(insert(9, false, 30 * SECOND), 12).settle(13)
  bench.hear(insert(9, false, 31 * SECOND), 14).settle(15)
  assert.ok((bench.ranges.ticksAfter(15 * SECOND) ?? 0) > 0)
  assert.equal(bench.ranges.ticksAfter(30 * SECOND), undefined)
  // Not so where the one before is cancelled.
  const again = new Bench().hear(insert(9, true, 10 * SECOND), 5).settle(6)
  again
    .hear(cancel(9), 7)
    .hear(insert(9, true, 12 * SECOND), 7)
    .settle(8)
  assert.ok((again.ranges.ticksAfter(10 * SECOND) ?? 0) > 0)
})

test('a playlist that has ended has no ranges that begin behind it', () => {
  const { ranges } = new Bench().hear(insert(9, true, 20 * SECOND), 5).settle(6)
  assert.equal(ranges.tags(DATE_MS, DATE_MS + 20_001).length, 1)
  assert.deepEqual(ranges.tags(DATE_MS, DATE_MS + 20_000), [])
})

test('breaks of the last process are cut at too, when it is known where they are', () => {
  const before = new Bench().hear(insert(9, true, 10 * SECOND, { ticks: 20 * SECOND, isAutoReturn: true }), 5).settle(6)
  const bench = new Bench()
  for (const range of before.ranges.lasting(DATE_MS)) bench.ranges.restore(range)
  assert.deepEqual(bench.tags(), [], 'reading changes nothing between two segments')
  bench.ranges.show()
  assert.deepEqual(bench.tags(), before.tags())
  bench.settle(15)
  const ticks = bench.ranges.ticksAfter(15 * SECOND) ?? assert.fail('there is no cut')
  assert.ok(Math.abs(ticks - 15 * SECOND) < 2000, String(ticks))
})

test('what a stream can fill with messages is bounded', () => {
  const bench = new Bench()
  for (let index = 0; index < 5000; index++) {
    const atS = 10 + index
    bench.hear(timeSignal(atS * SECOND, segmentation(index, 0x10)), atS)
    if (index % 16 === 0) bench.settle(atS)
  }
  const tags = bench.settle(5010).tags()
  const events = tags.map((range) => range.get('ID')!.slice(8, 16))
  // The newest.
  assert.deepEqual([events.length, events[0], events.at(-1)], [4096, hex32(904), hex32(4999)])
  // Breaks without an end, whose beginning is not listed.
  for (let index = 0; index < 100; index++)
    bench.hear(insert(index, true, (30_000 + index) * SECOND), 30_000).settle(30_000)
  assert.equal(bench.settle(31_000, 31_000).tags().length, 32)
})

test('of breaks whose end is not told, the newest stay, in whatever order they are heard', () => {
  const bench = new Bench()
  for (let index = 99; index >= 0; index--) bench.hear(insert(index, true, (3000 + index) * SECOND), 2990).settle(2990)
  const events = bench
    .settle(4000, 4000)
    .tags()
    .map((range) => range.get('ID')!.slice(8, 16))
  assert.deepEqual([events.length, events[0], events.at(-1)], [32, hex32(68), hex32(99)])
})

test('all ranges together have 1 MiB of text', () => {
  const bench = new Bench()
  const descriptors = Array.from({ length: 30 }, (_, event) => segmentation(event, 0x10))
  for (let atS = 10; atS < 110; atS++) bench.hear(timeSignal(atS * SECOND, ...descriptors), atS).settle(atS)
  const tags = bench.ranges.tags(0)
  const bytes = tags.reduce((sum, { length }) => sum + length, 0)
  assert.ok(bytes <= 1024 * 1024 && bytes > 1024 * 1024 - tags[0]!.length, String(bytes))
  assert.ok(tags.at(-1)!.includes('START-DATE="2026-01-01T00:01:49.000Z"'))
})
