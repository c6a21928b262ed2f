// The archive, in simulated time on a real disk.
import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { FakeStore } from '@millrace/engine/testing'
import { paced, PresentationBench, type TimedChunk } from '../presentation.test.kit.js'
import { VersionChecker } from '../version-checker.test.kit.js'
import { leadToArchive, parsePlaylistName, parseSegmentName } from './archive-names.js'
import { asksForTime, parseTimeQuery } from './time-query.js'

const WALL = Date.UTC(2020, 0, 1)

function stream(fromMs: number, durationS: number): TimedChunk[] {
  const startPts90k = (900_000 + fromMs * 90) % 2 ** 33
  return paced({ durationS, startPts90k, video: { gopFrames: 10, fps: 5 }, audio: [] }, { fromMs })
}

async function archived(bench: PresentationBench, startMs: number, durationMs: number): Promise<string> {
  const { presentation, clock } = bench
  const { archive, archived: texts } = presentation
  const asked = { startMs: WALL + startMs, durationMs }
  const multivariant = await texts.multivariant(archive!, asked, { address: '10.0.0.1', nowMs: clock.nowMs() })
  assert.ok(multivariant !== undefined && multivariant !== 'busy')
  const uri = multivariant.text.split('\n').find((line) => line.endsWith('.m3u8')) ?? assert.fail()
  for (const name of [uri, uri.replace('.m3u8', '-iframes.m3u8')]) {
    const found = await texts.media(archive!, name, { address: '10.0.0.1', nowMs: clock.nowMs() })
    assert.ok(found !== undefined && found !== 'busy', name)
    new VersionChecker().push(name, found.text, 0)
    if (name === uri) return found.text
  }
  return assert.fail()
}

describe('the archive', () => {
  test('answers with a playlist of a time, also after a restart; its files are those of the store', async () => {
    await using store = new FakeStore()
    const folders = { store: await store.media('segments', 'hls'), archive: await store.media('archive', 'old') }
    const first = new PresentationBench(folders)
    first.play([stream(0, 30)])
    await first.presentation.settled()
    const text = await archived(first, 10_000, 10_000)
    assert.match(text, /#EXT-X-PLAYLIST-TYPE:VOD\n[^]*#EXT-X-ENDLIST\n$/)
    assert.equal(text.match(/#EXTINF/g)?.length, 5)
    const uri = text.split('\n').find((line) => line.endsWith('.ts')) ?? ''
    const path = parseSegmentName(uri) ?? assert.fail(uri)
    assert.equal((await stat(join(folders.archive.path, path))).nlink, 2)
    assert.equal(
      (await first.presentation.archive!.media(path))?.length,
      (await stat(join(folders.store.path, path))).size,
    )

    const next = new PresentationBench({ ...folders, startMs: 100_000 }, ['main'], first.saved.at(-1))
    next.play([stream(100_000, 20)])
    await next.presentation.settled()
    assert.equal(await archived(next, 10_000, 10_000), text)
    const both = await archived(next, 0, 3_600_000)
    assert.equal(both.match(/#EXT-X-DISCONTINUITY\n/g)?.length, 1)
    assert.ok(next.presentation.archive!.bytes > first.presentation.archive!.bytes)
  })

  test('without a store writes the files itself; old ones are removed by age, but not as soon as the engine starts', async () => {
    await using store = new FakeStore()
    const archive = await store.media('archive', 'old')
    const bench = new PresentationBench({ archive, keepMs: 600_000 })
    bench.play([stream(0, 20)])
    await bench.presentation.settled()
    assert.deepEqual(await archive.list(), ['20200101T0000'])
    const late = new PresentationBench({ archive, keepMs: 600_000, startMs: 86_400_000 }, ['main'], bench.saved.at(-1))
    late.play([stream(86_400_000, 20)])
    await late.presentation.settled()
    late.play([[]], 86_400_000 + 590_000)
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal((await archive.list()).length, 2)
    late.play([stream(86_990_000, 20)], 87_020_000)
    await late.presentation.settled()
    while ((await archive.list()).includes('20200101T0000')) await new Promise((resolve) => setImmediate(resolve))
  })

  test('reads no more than the newest ten minutes to say which renditions there are', async () => {
    await using store = new FakeStore()
    const archive = await store.media('archive', 'old')
    const asked: string[] = []
    const read = archive.read.bind(archive)
    const bench = new PresentationBench({ archive })
    for (let at = 0; at < 60; at += 10) {
      bench.play([stream(at * 60_000, 12)], at * 60_000 + 30_000)
      await bench.presentation.settled()
    }
    archive.read = (name, from, length) => {
      asked.push(name)
      return read(name, from, length)
    }
    const text = await archived(bench, 0, 3_600_000)
    for (const period of ['20200101T0000', '20200101T0050']) assert.ok(text.includes(`\narchive-${period}-`))
    assert.equal(asked[0], '20200101T0050/segments.index')
    assert.ok(asked.length < 2 + 2 * 6, asked.join())
  })

  test('is no larger than `size`', async () => {
    await using store = new FakeStore()
    const archive = await store.media('archive', 'old')
    const bench = new PresentationBench({ archive, archiveBytes: 100_000 })
    for (let at = 0; at < 40; at += 10) {
      bench.play([stream(at * 60_000, 12)], at * 60_000 + 30_000)
      await bench.presentation.settled()
    }
    while (bench.presentation.archive!.bytes > 100_000 && (await archive.list()).length > 1) {
      bench.play([[]], bench.clock.nowMs() + 20_000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.ok((await archive.list()).length < 4)
  })

  test('a segment of it is found by its name alone, which leads nowhere else', () => {
    assert.equal(parseSegmentName('archive-20200101T0000-main-3.x-1.ts'), '20200101T0000/main-3.x-1.ts')
    for (const name of ['archive-20200101T0000-../x.ts', 'archive-x-main.ts', 'archive-20200101T0000-.ts', 'main.ts']) {
      assert.equal(parseSegmentName(name), undefined, name)
    }
    const asked = { startMs: 5, durationMs: 6 }
    assert.deepEqual(parsePlaylistName('720p-archive-5-6.m3u8'), { ...asked, rendition: '720p', kind: 'media' })
    const text = '#EXTM3U\n720p-3.abc.m3u8\n#X:URI="a-b-3.abc-iframes.m3u8"\n'
    assert.equal(leadToArchive(text, asked), '#EXTM3U\n720p-archive-5-6.m3u8\n#X:URI="a-b-archive-5-6-iframes.m3u8"\n')
  })
})

const NOW = Date.UTC(2026, 10, 30, 3)
const WEEK = 7 * 86_400_000
const queries: readonly [query: string, expected: readonly [number, number] | RegExp][] = [
  ['start=2026-11-30T02:00:00Z&duration=600', [NOW - 3_600_000, 600_000]],
  ['start=2026-11-30T03:00:00+01:00&duration=1.5h', [NOW - 3_600_000, 5_400_000]],
  ['start=2026-11-30T02:00:00&duration=10m', [NOW - 3_600_000, 600_000]],
  [`utc=${NOW / 1000 - 60}&lutc=${NOW / 1000}`, [NOW - 60_000, 60_000]],
  [`start=${NOW / 1000 - 90_000}`, [NOW - 90_000_000, 86_400_000]],
  ['start=9999-01-01T00:00:00Z', /future/],
  ['start=99999999999', /future/],
  ['start=-5', /has to be/],
  ['start=1990-01-01', /before the archive/],
  ['start=yesterday', /has to be/],
  ['start=', /has to be/],
  ['start=2026-13-45T99:00:00Z', /has to be/],
  [`start=${NOW / 1000 - 60}&duration=-1`, /duration has to be/],
  [`start=${NOW / 1000 - 60}&duration=0`, /longer/],
  [`start=${NOW / 1000 - 60}&duration=315360000`, /24 hours/],
  [`start=${NOW / 1000 - 60}&duration=1e9`, /duration has to be/],
]

for (const [query, expected] of queries) {
  test(`the archive is asked with "${query}"`, () => {
    assert.ok(asksForTime(query))
    const parsed = parseTimeQuery(query, NOW, WEEK)
    if (expected instanceof RegExp)
      assert.match('refused' in parsed ? parsed.refused : JSON.stringify(parsed), expected)
    else assert.deepEqual(parsed, { startMs: expected[0], durationMs: expected[1] })
  })
}

test('a playlist is not one of the archive because it has a query', () => {
  for (const query of ['', 'token=start', 'restart=1', '_HLS_msn=7']) assert.equal(asksForTime(query), false, query)
})
