// Date ranges are kept as long as the segments of their time: in long playlists, over a restart, and in the archive.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeStore } from '@millrace/engine/testing'
import { longText } from './history/history.test.kit.js'
import { IndexLines } from './history/index-lines.js'
import { restore } from './history/restored.js'
import { parseRecord } from './history/segment-record.js'
import { SpliceRanges } from './playlist/splice-ranges.js'
import { PresentationBench, type TimedChunk } from './presentation.test.kit.js'
import { at, cancel, insert, rangesIn, SECOND, spliced } from './splice-streams.test.kit.js'
import { VersionChecker } from './version-checker.test.kit.js'

const WALL = Date.UTC(2020, 0, 1)

/** Two breaks: from second 11 to 19, and from second 31. */
function withBreaks(durationS: number): readonly TimedChunk[] {
  return spliced(durationS, [
    [5000, insert(7, true, at(11), { ticks: 8 * SECOND })],
    [15_000, insert(7, false, at(19))],
    [25_000, insert(8, true, at(31))],
    [40_000, insert(8, false, at(43))],
  ])
}

function until(chunks: readonly TimedChunk[], endMs: number, fromMs = 0): readonly TimedChunk[] {
  return chunks.filter(({ atMs }) => atMs >= fromMs && atMs < endMs)
}

function tagsIn(text: string): readonly string[] {
  return text.split('\n').filter((line) => line.startsWith('#EXT-X-DATERANGE:'))
}

function textOf(bench: PresentationBench, rendition = 'main'): string {
  return bench.presentation.life!.text(rendition)!.text
}

async function archived(bench: PresentationBench, startMs: number, durationMs: number): Promise<string> {
  const { archive, archived: texts } = bench.presentation
  const name = `main-archive-${WALL + startMs}-${durationMs}.m3u8`
  const found = await texts.media(archive!, name, { address: '10.0.0.1', nowMs: bench.clock.nowMs() })
  assert.ok(found !== undefined && found !== 'busy')
  new VersionChecker().push(name, found.text, 0)
  return found.text
}

test('the long playlists have the date ranges that the window has lost', () => {
  const bench = new PresentationBench({ windowMs: 10_000, dvrMs: 600_000 })
  bench.play([withBreaks(70)])
  assert.equal(tagsIn(textOf(bench)).length, 0)
  const ranges = rangesIn(longText(bench))
  assert.deepEqual(
    ranges.map((range) => [Math.round(Number(range.get('DURATION'))), range.has('SCTE35-OUT'), range.has('SCTE35-IN')]),
    [
      [8, true, true],
      [12, true, true],
    ],
  )
  assert.equal(tagsIn(longText(bench, 'iframes')).length, 0)
})

test('an event has all its date ranges, also when it is over', () => {
  const bench = new PresentationBench({ windowMs: 10_000, isEvent: true })
  bench.play([withBreaks(60)])
  const uri = bench.presentation.longUri('media', 'main') ?? assert.fail()
  const tags = tagsIn(bench.presentation.playlist(uri)!.text)
  assert.equal(tags.length, 2)
  bench.presentation.endLife()
  assert.deepEqual(tagsIn(bench.presentation.playlist(uri)!.text), tags)
})

for (const [name, windowMs] of [
  ['what is listed at once', 120_000],
  ['what is read later', 10_000],
] as const) {
  test(`a restart keeps the date ranges of ${name}, and an in that comes behind it ends its break`, async () => {
    await using store = new FakeStore()
    const folder = await store.media('segments', 'hls')
    const settings = { store: folder, windowMs, dvrMs: 600_000 }
    // The first break is in one folder of the store, the second begins there and goes on in the next one.
    const startMs = 560_000
    const messages = [
      [5000, insert(7, true, at(11), { ticks: 8 * SECOND })],
      [15_000, insert(7, false, at(19))],
      [25_000, insert(8, true, at(31))],
      [120_000, insert(8, false, at(125))],
    ] as const
    const chunks = spliced(135, messages, startMs)
    const first = new PresentationBench({ ...settings, startMs })
    first.play([until(chunks, startMs + 115_000)])
    await first.presentation.settled()
    first.presentation.saveNumbers()
    const [window, long] = [tagsIn(textOf(first)), tagsIn(longText(first))]
    assert.equal(long.length, 2)

    const restored = await restore(folder, { newestMs: windowMs })
    assert.equal(restored.older.isEmpty, windowMs > 100_000)
    const later = { ...settings, restored, startMs: startMs + 115_200 }
    const again = new PresentationBench(later, ['main'], first.saved.at(-1))
    assert.equal(again.presentation.life!.id, first.presentation.life!.id)
    assert.deepEqual(tagsIn(textOf(again)), window)
    await again.presentation.restored
    assert.deepEqual(tagsIn(longText(again)).toSorted(), long)
    again.play([until(chunks, startMs + 135_000, startMs + 115_500)])
    const ranges = rangesIn(longText(again)).toSorted((a, b) => (a.get('ID')! < b.get('ID')! ? -1 : 1))
    for (const [index, tag] of long.entries()) {
      for (const name of ['ID', 'START-DATE', 'SCTE35-OUT']) assert.ok(tag.includes(ranges[index]!.get(name)!))
    }
    assert.equal(ranges.length, 2)
    assert.ok(Math.abs(Number(ranges[1]!.get('DURATION')) - 94) < 1, ranges[1]!.get('DURATION'))
    await again.presentation.settled()
  })
}

for (const [name, endMs, count] of [
  ['keep their date ranges, also when the next ones begin behind these', 36_000, 2],
  ['have no date ranges from behind their end', 28_000, 1],
] as const) {
  test(`playlists that have ended ${name}`, () => {
    const bench = new PresentationBench({ windowMs: 60_000 })
    const chunks = withBreaks(60)
    bench.play([until(chunks, endMs)])
    const uri = `main-${bench.presentation.life!.id}.m3u8`
    bench.presentation.endLife()
    bench.play([until(chunks, 60_000, endMs)])
    assert.equal(tagsIn(bench.presentation.playlist(uri)!.text).length, count)
    assert.equal(tagsIn(textOf(bench)).length, 1)
  })
}

test('the archive has the date ranges of the time that is asked for, also after a restart', async () => {
  await using store = new FakeStore()
  const folders = { archive: await store.media('archive', 'old') }
  const bench = new PresentationBench(folders)
  bench.play([withBreaks(60)])
  await bench.presentation.settled()
  const all = tagsIn(await archived(bench, 0, 60_000))
  assert.equal(all.length, 2)
  assert.deepEqual(tagsIn(await archived(bench, 12_000, 6000)), all.slice(0, 1))
  assert.deepEqual(tagsIn(await archived(bench, 21_000, 6000)), [])
  const late = new PresentationBench({ ...folders, startMs: 100_000 }, ['main'], bench.saved.at(-1))
  late.play([[]], 101_000)
  await late.presentation.settled()
  assert.deepEqual(tagsIn(await archived(late, 0, 60_000)), all)
})

test('each folder of an index has the ranges of its time, and each change once', () => {
  const ranges = new SpliceRanges()
  const lines = new IndexLines(() => undefined, ranges)
  const range = { event: '1', sections: { 'SCTE35-OUT': 'AAAA' } }
  const life = { id: '3.x', targetSeconds: 3 }
  const written = (period: string, dateMs: number): readonly string[] => {
    const entry = { sequence: 1, name: '1', ticks: 1, isNew: false, dateMs, discontinuity: 1, media: new Map() }
    const records = lines
      .segment(period, life, entry)
      .lines.split('\n')
      .map((line) => parseRecord(line))
    return records.flatMap((record) => (record?.kind === 'range' ? [record.id] : []))
  }
  ranges.restore({ ...range, id: 'over', startMs: 1000, durationMs: 1000 })
  ranges.restore({ ...range, id: 'long', startMs: 1000, durationMs: 900_000 })
  assert.deepEqual(written('20200101T0000', 10_000), ['long'])
  assert.deepEqual(written('20200101T0000', 12_000), [])
  assert.deepEqual(written('20200101T0010', 600_000), ['long'])
  assert.deepEqual(written('20200101T0020', 1_200_000), [])
})

test('all renditions have the same date ranges, also one that begins later', () => {
  const bench = new PresentationBench({ windowMs: 60_000 }, ['low', 'high'])
  const chunks = withBreaks(60)
  bench.play([chunks, until(chunks, 40_000, 25_000)])
  const tags = tagsIn(textOf(bench, 'low'))
  assert.equal(tags.length, 2)
  assert.deepEqual(tagsIn(textOf(bench, 'high')), tags)
})

test('all renditions have the same date ranges also when one is asked for before a cancel, and one behind it', () => {
  const names = ['low', 'high']
  const bench = new PresentationBench({ windowMs: 60_000, segmentMs: 6000 }, names)
  const chunks = spliced(24, [
    [5000, insert(7, true, at(21))],
    [15_000, cancel(7)],
  ])
  const play = (endMs: number, fromMs = 0): void => {
    const part = until(chunks, endMs, fromMs)
    bench.play([part, part])
  }
  play(14_500)
  const segments = bench.playlist('low').segments.length
  const tags = tagsIn(textOf(bench, 'low'))
  assert.equal(tags.length, 1)
  play(16_500, 14_500)
  // The bench has asked for all texts before: this one is built again.
  bench.presentation.life!.changed()
  assert.equal(bench.playlist('high').segments.length, segments)
  assert.deepEqual(tagsIn(textOf(bench, 'high')), tags)
  play(24_000, 16_500)
  for (const name of names) assert.deepEqual(tagsIn(textOf(bench, name)), [])
})
