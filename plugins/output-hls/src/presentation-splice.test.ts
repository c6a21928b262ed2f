// Splice information: segments begin at splices, and playlists say what it is.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { PresentationBench, type TimedChunk } from './presentation.test.kit.js'
import { at, hexOf, insert, rangesIn, SECOND, spliced, timeSignal } from './splice-streams.test.kit.js'

function rangesOf(bench: PresentationBench): readonly ReadonlyMap<string, string>[] {
  return rangesIn(bench.presentation.life!.text('main')!.text)
}

/** Dates of its segments, seconds from the first. */
function startsOf(bench: PresentationBench): readonly number[] {
  const { segments } = bench.playlist()
  return segments.map(({ dateMs }) => Math.round((dateMs - segments[0]!.dateMs) / 1000))
}

/** A stream with one break from second 11 to 19; each message comes twice. */
function withBreak(durationS = 30): readonly TimedChunk[] {
  const out = insert(7, true, at(11), { ticks: 8 * SECOND })
  const back = insert(7, false, at(19))
  return spliced(durationS, [
    [5000, out],
    [6000, out],
    [15_000, back],
    [16_000, back],
  ])
}

describe('a break', () => {
  const bench = new PresentationBench({ windowMs: 60_000 }).play([withBreak()])
  const { segments } = bench.playlist()
  const [first] = segments

  test('begins and ends with a segment, at its key frames', () => {
    const starts = segments.map(({ dateMs }) => Math.round((dateMs - first!.dateMs) / 1000))
    assert.ok(starts.includes(11) && starts.includes(19), starts.join(', '))
    assert.ok(segments.every(({ seconds }) => seconds >= 1))
    assert.equal(bench.presentation.counters.forcedCuts, 0)
  })

  test('is one date range, with the messages of its beginning and its end', () => {
    const [range, ...more] = rangesOf(bench)
    assert.equal(more.length, 0)
    const startMs = Date.parse(range!.get('START-DATE')!.slice(1, -1))
    assert.ok(Math.abs(startMs - first!.dateMs - 11_000) < 50, `${startMs - first!.dateMs}`)
    assert.match(range!.get('ID')!, /^"splice-00000007-\d+"$/)
    assert.equal(range!.get('PLANNED-DURATION'), '8.000')
    assert.ok(Math.abs(Number(range!.get('DURATION')) - 8) < 0.05)
    assert.equal(range!.get('SCTE35-OUT'), hexOf(insert(7, true, at(11), { ticks: 8 * SECOND })))
    assert.equal(range!.get('SCTE35-IN'), hexOf(insert(7, false, at(19))))
  })
})

test('a date range is announced before it begins, and leaves with its segments', () => {
  const bench = new PresentationBench({ windowMs: 10_000 })
  const chunks = withBreak(50)
  bench.play([chunks.filter(({ atMs }) => atMs < 8500)])
  assert.equal(rangesOf(bench).length, 1)
  bench.play([chunks.filter(({ atMs }) => atMs >= 8500 && atMs < 28_000)])
  assert.equal(rangesOf(bench).length, 1)
  bench.play([chunks.filter(({ atMs }) => atMs >= 28_000)])
  assert.equal(rangesOf(bench).length, 0)
})

test('a splice where no key frame is ends the segment at the next one; one on another clock is left out and told', () => {
  const bench = new PresentationBench({ windowMs: 60_000 })
  bench.play([
    spliced(20, [
      [5000, insert(1, true, at(9.4))],
      [6000, insert(2, true, at(50_000))],
    ]),
  ])
  const { segments } = bench.playlist()
  const starts = segments.map(({ dateMs }) => Math.round((dateMs - segments[0]!.dateMs) / 1000))
  assert.ok(starts.includes(10), starts.join(', '))
  assert.equal(rangesOf(bench).length, 1)
  assert.deepEqual(bench.warned, ['splice'])
})

for (const movedS of [0.02, 0.04, 2]) {
  test(`messages that are repeated with times ${movedS} s later are the same break`, () => {
    const bench = new PresentationBench({ windowMs: 60_000 })
    bench.play([
      spliced(40, [
        [5000, insert(7, true, at(11.2), { ticks: 8 * SECOND })],
        [8000, insert(7, true, at(11.2 + movedS), { ticks: 9 * SECOND })],
        [15_000, insert(7, false, at(19.2))],
        [18_000, insert(7, false, at(19.2 + movedS))],
        [25_000, insert(7, true, at(29.2), { ticks: 8 * SECOND })],
      ]),
    ])
    const ranges = rangesOf(bench)
    assert.equal(ranges.length, 2)
    assert.equal(ranges[0]!.get('SCTE35-OUT'), hexOf(insert(7, true, at(11.2), { ticks: 8 * SECOND })))
    assert.equal(ranges[0]!.get('PLANNED-DURATION'), '8.000')
    assert.ok(Math.abs(Number(ranges[0]!.get('DURATION')) - 8) < 0.05)
    assert.notEqual(ranges[0]!.get('ID'), ranges[1]!.get('ID'))
  })
}

test('two signals in one second are two ranges', () => {
  const bench = new PresentationBench({ windowMs: 60_000 })
  bench.play([
    spliced(30, [
      [5000, timeSignal(at(10.1))],
      [6000, timeSignal(at(10.6))],
      [7000, timeSignal(at(10.1))],
    ]),
  ])
  const ranges = rangesOf(bench)
  assert.deepEqual(
    ranges.map((range) => range.get('SCTE35-CMD')),
    [hexOf(timeSignal(at(10.1))), hexOf(timeSignal(at(10.6)))],
  )
  assert.equal(new Set(ranges.map((range) => range.get('ID'))).size, 2)
})

test('a break that returns by itself ends with a segment, and has a duration when it is over', () => {
  const bench = new PresentationBench({ windowMs: 60_000 })
  const chunks = spliced(40, [[5000, insert(7, true, at(11), { ticks: 8 * SECOND, isAutoReturn: true })]])
  bench.play([chunks.filter(({ atMs }) => atMs < 17_000)])
  assert.equal(rangesOf(bench)[0]!.get('DURATION'), undefined)
  bench.play([chunks.filter(({ atMs }) => atMs >= 17_000)])
  const starts = startsOf(bench)
  assert.ok(starts.includes(11) && starts.includes(19), starts.join(', '))
  assert.equal(rangesOf(bench)[0]!.get('DURATION'), '8.000')
})

test('date ranges stay as long as the segments of their time, however many there are', () => {
  const bench = new PresentationBench({ windowMs: 90_000 })
  const messages = Array.from({ length: 40 }, (_, index): readonly [number, readonly number[]] => {
    return [5000 + index * 1900, insert(index, true, at(8 + index * 1.9), { ticks: SECOND, isAutoReturn: true })]
  })
  bench.play([spliced(85, messages)])
  assert.equal(rangesOf(bench).length, 40)
})
