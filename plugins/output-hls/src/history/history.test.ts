// What is kept behind the window, in simulated time; each version of each playlist is checked against the rules.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FakeStore } from '@millrace/engine/testing'
import { readPlaylist } from '../playlist/read-playlist.test.kit.js'
import { PresentationBench } from '../presentation.test.kit.js'
import { checkFiles, longList, longText, stream } from './history.test.kit.js'
import { restore } from './restored.js'

describe('with `dvr`, in memory', () => {
  test('a second playlist lists it, and begins near the end', async () => {
    const bench = new PresentationBench({ dvrMs: 60_000 })
    bench.play([stream(0, 24)])
    const text = longText(bench)
    assert.match(text, /^#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-START:TIME-OFFSET=-9\n/)
    assert.equal(bench.playlist().segments.length, 6)
    assert.doesNotMatch(bench.presentation.playlist(`main-${bench.presentation.life?.id}.m3u8`)?.text ?? '', /START/)
    assert.equal(longList(bench).segments.length, 11)
    await checkFiles(bench, longList(bench))
    const dvr = bench.presentation.playlist('dvr.m3u8')?.text ?? ''
    assert.match(dvr, /\nmain-[^\n]+-dvr\.m3u8\n/)
    assert.match(dvr, /URI="main-[^"]+-iframes-dvr\.m3u8"/)
    assert.match(
      longText(bench, 'iframes'),
      /#EXT-X-I-FRAMES-ONLY\n#EXT-X-DISCONTINUITY\n[^\n]+\n#EXT-X-MAP:URI="init-/,
    )
  })

  test('it has the length of `dvr`, which a reload can change; files stay as long as players may ask', () => {
    const bench = new PresentationBench({ dvrMs: 20_000 })
    bench.play([stream(0, 26)])
    const long = longList(bench)
    assert.equal(long.segments.length, 10)
    const [first] = long.segments
    bench.settings = { ...bench.settings, dvrMs: 16_000 }
    bench.play([stream(26_000, 4)])
    assert.equal(longList(bench).segments.length, 8)
    assert.ok(bench.presentation.file(first!.uri), 'it was listed a moment ago')
  })

  test('what a much shorter `dvr` leaves out can be asked for as long as the longer one lasted', () => {
    const bench = new PresentationBench({ dvrMs: 180_000 })
    bench.play([stream(0, 200)])
    const long = longList(bench)
    bench.settings = { ...bench.settings, dvrMs: 14_000 }
    bench.play([stream(200_000, 170)])
    assert.ok(long.segments.length > 80 && longList(bench).segments.length < 9)
    for (const { uri } of long.segments) assert.ok(bench.presentation.file(uri), uri)
    bench.play([stream(370_000, 90)])
    for (const { uri } of long.segments) assert.equal(bench.presentation.file(uri), undefined, uri)
  })

  test('without it after a reload its segments go when players have had their time, or when there is no room for others', () => {
    for (const memoryBytes of [64 * 1024 * 1024, 500_000]) {
      const bench = new PresentationBench({ dvrMs: 40_000, memoryBytes })
      bench.play([stream(0, 60)])
      const [first] = longList(bench).segments
      const before = bench.presentation.memoryBytes
      bench.settings = { ...bench.settings, dvrMs: 0 }
      const isLarge = memoryBytes > 500_000
      bench.play([stream(60_000, 20)])
      assert.equal(bench.presentation.file(first!.uri) !== undefined, isLarge)
      bench.play([stream(80_000, 90)])
      assert.equal(bench.presentation.file(first!.uri), undefined)
      if (isLarge) assert.ok(bench.presentation.memoryBytes < before)
      assert.deepEqual(bench.warned, [])
    }
  })

  test('a reload that lowers `memory` shortens it at once, and one that raises it adds to what there is', () => {
    const bench = new PresentationBench({ dvrMs: 600_000, memoryBytes: 900_000 })
    bench.play([stream(0, 100)])
    for (const memoryBytes of [500_000, 900_000]) {
      const long = longList(bench).segments.length
      bench.settings = { ...bench.settings, memoryBytes }
      bench.play([stream(bench.clock.nowMs() + 400, 20)])
      assert.ok(bench.presentation.memoryBytes <= memoryBytes)
      assert.equal(longList(bench).segments.length > long, memoryBytes === 900_000)
      assert.ok(longList(bench).segments.length > 6)
    }
  })

  test('it is as long as the memory allows', async () => {
    const bench = new PresentationBench({ dvrMs: 600_000, memoryBytes: 300_000 })
    bench.play([stream(0, 50)])
    const long = longList(bench)
    assert.ok(long.segments.length >= 6 && long.segments.length < 22, `${long.segments.length}`)
    assert.equal(long.segments.at(-1)?.uri, bench.playlist().segments.at(-1)?.uri)
    await checkFiles(bench, long)
  })

  test('an outage is in it, and a playlist that ends keeps it', async () => {
    const bench = new PresentationBench({ dvrMs: 300_000, endAfterMs: 60_000 })
    bench.play([[...stream(0, 20), ...stream(32_000, 20)]], 60_000)
    const uri = bench.presentation.longUri('media', 'main')!
    assert.ok(longList(bench).segments.some(({ isGap }) => isGap))
    bench.play([[]], 130_000)
    assert.equal(bench.presentation.life, undefined)
    const ended = bench.presentation.playlist(uri)?.text ?? ''
    assert.match(ended, /#EXT-X-ENDLIST\n$/)
    bench.play([stream(140_000, 10)])
    const next = longList(bench)
    assert.ok(next.segments.length > 15, 'the next one goes on with what there was')
    await checkFiles(bench, next)
  })
})

describe('an event', () => {
  test('keeps everything, ends, and can be watched until another one begins', async () => {
    const bench = new PresentationBench({ isEvent: true })
    bench.play([stream(0, 40)])
    const text = longText(bench)
    assert.match(text, /#EXT-X-PLAYLIST-TYPE:EVENT\n/)
    assert.equal(longList(bench).segments.length, 19)
    const uri = bench.presentation.longUri('media', 'main')!
    bench.presentation.finish()
    bench.presentation.endLife()
    const ended = bench.presentation.playlist(uri)?.text ?? ''
    assert.match(ended, /#EXT-X-PLAYLIST-TYPE:EVENT\n[^]*#EXT-X-ENDLIST\n$/)
    assert.ok(ended.startsWith(text), 'nothing that was listed has changed')
    bench.play([[]], 3_600_000)
    assert.equal(bench.presentation.playlist(uri)?.text, ended)
    assert.ok(bench.presentation.multivariant())
    await checkFiles(bench, readPlaylist(ended))
    bench.play([stream(3_600_000, 10)])
    assert.notEqual(bench.presentation.longUri('media', 'main'), uri)
    assert.equal(longList(bench).segments.length, 4)
  })

  test('is there after a restart, over or going on', async () => {
    await using store = new FakeStore()
    const folder = await store.media('segments', 'hls')
    const first = new PresentationBench({ store: folder, isEvent: true })
    first.play([stream(0, 30)])
    const uri = first.presentation.longUri('media', 'main')!
    await first.presentation.settled()
    const going = new PresentationBench(
      { store: folder, isEvent: true, restored: await restore(folder), startMs: 40_000 },
      ['main'],
      first.saved.at(-1),
    )
    going.play([stream(40_000, 10)])
    assert.equal(going.presentation.longUri('media', 'main'), uri)
    assert.ok(longList(going).segments.length > 15)
    going.presentation.endLife()
    await going.presentation.settled()
    const ended = going.presentation.playlist(uri)?.text
    const over = new PresentationBench(
      { store: folder, isEvent: true, restored: await restore(folder), startMs: 7_200_000 },
      ['main'],
      going.saved.at(-1),
    )
    over.play([[]], 7_201_000)
    assert.equal(over.presentation.playlist(uri)?.text, ended)
    assert.ok(over.presentation.multivariant())
    await checkFiles(over, readPlaylist(ended ?? ''))
  })

  test('ends when there is no memory for more, and another one begins', () => {
    const bench = new PresentationBench({ isEvent: true, memoryBytes: 600_000 })
    bench.play([stream(0, 60)])
    const uri = bench.presentation.longUri('media', 'main')
    bench.play([stream(60_000, 60)])
    assert.notEqual(bench.presentation.longUri('media', 'main'), uri)
  })
})
