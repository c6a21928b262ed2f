// What is kept on a disk, in simulated time; each version of each playlist is checked against the rules.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FakeStore } from '@millrace/engine/testing'
import { paced, PresentationBench } from '../presentation.test.kit.js'
import { bytesOf, checkFiles, longList, longText, SickFolder, stream } from './history.test.kit.js'
import { readPlaylist } from '../playlist/read-playlist.test.kit.js'
import { restore } from './restored.js'

describe('with `store: { path }`', () => {
  test('segments leave the memory, and are served from the disk byte for byte', async () => {
    await using store = new FakeStore()
    const folder = await store.media('segments', 'hls')
    const bench = new PresentationBench({ store: folder, dvrMs: 60_000 })
    bench.play([stream(0, 20)])
    const [first] = longList(bench).segments
    const before = await bytesOf(bench, first!.uri)
    await bench.presentation.settled()
    bench.play([stream(20_000, 40)])
    await bench.presentation.settled()
    assert.deepEqual(await bytesOf(bench, first!.uri), before)
    await checkFiles(bench, longList(bench))
    assert.ok(bench.presentation.file('main-x-1.ts') === undefined)
  })

  test('what nobody can ask for any more is removed', async () => {
    await using store = new FakeStore()
    const folder = await store.media('segments', 'hls')
    const bench = new PresentationBench({ store: folder })
    bench.play([stream(0, 10)])
    await bench.presentation.settled()
    assert.equal((await folder.list()).length, 1)
    bench.play([stream(10_000, 2)], 400_000)
    await bench.presentation.settled()
    bench.play([stream(900_000, 20)], 1_000_000)
    await bench.presentation.settled()
    for (;;) {
      const left = await folder.list()
      if (left.length === 1) break
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.deepEqual(await folder.list(), ['20200101T0010'])
  })

  test('what the disk does not remove is removed later', async () => {
    await using store = new FakeStore()
    const folder = await store.media('segments', 'hls')
    const remove = folder.remove.bind(folder)
    const refused: string[] = []
    folder.remove = (name) => {
      refused.push(name)
      return Promise.reject(new Error('EROFS: read-only file system'))
    }
    const bench = new PresentationBench({ store: folder })
    bench.play([stream(0, 10)])
    await bench.presentation.settled()
    bench.play([stream(900_000, 4)], 1_000_000)
    await bench.presentation.settled()
    assert.deepEqual(refused, ['20200101T0000'])
    folder.remove = remove
    bench.play([[]], 1_100_000)
    while ((await folder.list()).includes('20200101T0000')) await new Promise((resolve) => setImmediate(resolve))
    await bench.presentation.settled()
  })

  for (const how of ['stopped', 'killed'] as const) {
    test(`a process that was ${how} is followed by one that lists the same and goes on`, async () => {
      await using store = new FakeStore()
      const folder = await store.media('segments', 'hls')
      const first = new PresentationBench({ store: folder, dvrMs: 60_000 })
      first.play([stream(0, 30)])
      await first.presentation.settled()
      if (how === 'stopped') first.presentation.saveNumbers()
      const [short, long] = [first.playlist(), longList(first)]
      const restored = await restore(folder)
      const settings = { store: folder, dvrMs: 60_000, restored, startMs: 36_000 }
      const next = new PresentationBench(settings, ['main'], first.saved.at(-1))
      assert.deepEqual(next.playlist(), short)
      assert.deepEqual(longList(next), long)
      assert.equal(next.presentation.multivariant()?.text, first.presentation.multivariant()?.text)
      await checkFiles(next, long)
      next.play([stream(36_000, 20)])
      const after = longList(next)
      const added = after.segments.filter(({ sequence }) => sequence > long.segments.at(-1)!.sequence)
      const gaps = added.filter(({ isGap }) => isGap)
      assert.equal(gaps.length > 0, how === 'killed', 'for numbers that may have been used')
      assert.deepEqual(
        added
          .filter(({ isGap }) => !isGap)
          .map(({ hasTag }) => hasTag)
          .slice(0, 3),
        [true, false, false],
      )
      assert.equal(after.segments.at(-1)!.discontinuity, long.segments.at(-1)!.discontinuity + 1)
      const used = first.saved.at(-1)?.media ?? 0
      assert.ok(added.find(({ isGap }) => !isGap)!.sequence > (how === 'killed' ? used : used))
      await checkFiles(next, after)
      await next.presentation.settled()
    })
  }

  test('without the numbers that were saved, those on the disk are not used again', async () => {
    await using store = new FakeStore()
    const folder = await store.media('segments', 'hls')
    const first = new PresentationBench({ store: folder, dvrMs: 60_000 })
    first.play([stream(0, 30)])
    // A restart goes on behind all numbers that may have been used: ahead of the time of day.
    const ahead = { ...first.saved.at(-1)!, media: first.saved.at(-1)!.media + 5000 }
    const later = new PresentationBench({ store: folder, dvrMs: 60_000, startMs: 36_000 }, ['main'], ahead)
    later.play([stream(36_000, 20)])
    await later.presentation.settled()
    const { sequence, discontinuity } = longList(later).segments.at(-1)!
    const restored = await restore(folder)
    const next = new PresentationBench({ store: folder, dvrMs: 60_000, restored, startMs: 60_000 })
    next.play([stream(60_000, 20)])
    const [head] = next.playlist().segments
    assert.ok(head!.sequence > sequence && head!.discontinuity > discontinuity)
    await next.presentation.settled()
  })

  test('without the keys that were saved, what is encrypted is not listed again', async () => {
    await using store = new FakeStore()
    const folder = await store.media('segments', 'hls')
    const first = new PresentationBench({ store: folder, dvrMs: 60_000, keyRotation: 2 })
    first.play([stream(0, 30)])
    await first.presentation.settled()
    const restored = await restore(folder)
    const settings = { store: folder, dvrMs: 60_000, keyRotation: 2, restored, startMs: 36_000 }
    const [numbers, keys] = [first.saved.at(-1), first.savedKeys.at(-1)]
    assert.notEqual(new PresentationBench(settings, ['main'], numbers, keys).presentation.life, undefined)
    const keyless = { ...settings, restored: await restore(folder, { hasKeys: false }) }
    const next = new PresentationBench(keyless, ['main'], numbers)
    assert.equal(next.presentation.life, undefined)
    next.play([stream(36_000, 20)])
    assert.ok(next.playlist().segments[0]!.sequence > restored.segments.at(-1)!.sequence)
    await next.presentation.settled()
  })

  test('after a restart all playlists are there before the first segment: further audio, its segments, and `dvr.m3u8`', async () => {
    await using store = new FakeStore()
    const folder = await store.media('segments', 'hls')
    const audio = [{ language: 'deu' }, { language: 'eng' }]
    const plan = { durationS: 12, video: { gopFrames: 10, fps: 5 }, audio }
    const first = new PresentationBench({ store: folder, dvrMs: 60_000 })
    first.play([paced(plan)])
    await first.presentation.settled()
    const sound = 'main.audio258'
    const [long, short] = [first.presentation.longUri('media', sound), `${sound}-${first.presentation.life?.id}.m3u8`]
    const uris = ['dvr.m3u8', short, long!]
    const texts = (bench: PresentationBench): unknown => uris.map((uri) => bench.presentation.playlist(uri)?.text)
    const settings = { store: folder, dvrMs: 60_000, restored: await restore(folder), startMs: 14_000 }
    const next = new PresentationBench(settings, ['main'], first.saved.at(-1))
    assert.deepEqual(texts(next), texts(first))
    assert.match(next.presentation.playlist('dvr.m3u8')?.text ?? '', /URI="main\.audio258-[^"]+-dvr\.m3u8"/)
    await checkFiles(next, next.playlist(sound))
    // The next source has one track: what is listed of the other one stays.
    next.play([stream(14_000, 4)])
    assert.ok(next.presentation.playlist(short) !== undefined)
    await next.presentation.settled()
  })

  test('after a restart that took longer than `offline.endAfter` other playlists begin, without the old segments', async () => {
    await using store = new FakeStore()
    const folder = await store.media('segments', 'hls')
    const first = new PresentationBench({ store: folder, dvrMs: 3_600_000 })
    first.play([stream(0, 30)])
    await first.presentation.settled()
    const restored = await restore(folder)
    const settings = { store: folder, dvrMs: 3_600_000, restored, startMs: 1_800_000 }
    const next = new PresentationBench(settings, ['main'], first.saved.at(-1))
    assert.equal(next.presentation.life, undefined)
    next.play([stream(1_800_000, 10)])
    const { segments } = longList(next)
    assert.equal(segments.length, 4)
    assert.ok(!segments.some(({ uri }) => longList(first).segments.some((old) => old.uri === uri)))
    await checkFiles(next, longList(next))
    await next.presentation.settled()
  })

  test('a disk that refuses segments is told once; they wait in memory, and nothing is lost when it returns', async () => {
    await using store = new FakeStore()
    const disk = new SickFolder(await store.media('segments', 'hls'))
    const bench = new PresentationBench({ store: disk, dvrMs: 120_000 })
    bench.play([stream(0, 10)])
    await bench.presentation.settled()
    disk.problem = 'ENOSPC: no space left on device'
    for (let at = 10; at < 40; at += 10) {
      bench.play([stream(at * 1000, 10)])
      await bench.presentation.settled()
    }
    assert.deepEqual(bench.diskProblems, ['ENOSPC: no space left on device'])
    // A reload: the next node knows nothing of it.
    bench.presentation.attach({ ...bench.host }, bench.names, () => false)
    assert.equal(bench.diskProblems.pop(), bench.diskProblems[0])
    bench.presentation.attach(bench.host, bench.names, () => false)
    assert.equal(bench.diskProblems.pop(), bench.diskProblems[0])
    await checkFiles(bench, longList(bench))
    await checkFiles(bench, bench.playlist())
    disk.problem = undefined
    bench.play([stream(40_000, 20)])
    await bench.presentation.settled()
    assert.deepEqual(bench.diskProblems.slice(1), ['none'])
    const { segments } = await restore(disk)
    const numbers = segments.map(({ sequence }) => sequence)
    assert.deepEqual(
      numbers,
      longList(bench).segments.map(({ sequence }) => sequence),
    )
    assert.ok(segments.every(({ media }) => 'main' in media))
  })

  test('if the memory is full before it returns, what is lost is a gap, and nothing that is on the disk is', async () => {
    await using store = new FakeStore()
    const disk = new SickFolder(await store.media('segments', 'hls'))
    const settings = { store: disk, dvrMs: 600_000, memoryBytes: 500_000 }
    const bench = new PresentationBench(settings)
    bench.play([stream(0, 20)])
    await bench.presentation.settled()
    const before = longList(bench).segments
    const uri = bench.presentation.longUri('media', 'main')!
    disk.problem = 'EROFS: read-only file system'
    for (let at = 20; at < 120; at += 10) {
      bench.play([stream(at * 1000, 10)])
      await bench.presentation.settled()
    }
    assert.ok(bench.warned.includes('disk-behind'))
    await checkFiles(bench, bench.playlist())
    await checkFiles(bench, longList(bench))
    const { sequence, segments } = longList(bench)
    assert.equal(sequence, before[0]!.sequence)
    assert.ok(!segments.slice(0, before.length).some(({ isGap }) => isGap))
    const lost = segments.filter(({ isGap }) => isGap).length
    assert.ok(lost > 0 && segments.slice(-6).every(({ isGap }) => !isGap), `${lost} are lost`)
    // The oldest that waited, but for the one that was being written.
    const first = segments.findIndex(({ isGap }) => isGap)
    assert.ok(first <= before.length + 1 && segments.slice(first, first + lost).every(({ isGap }) => isGap))
    // Who has the playlist of before the losses goes on with what is behind them.
    const old = readPlaylist(bench.presentation.playlist(uri)!.text)
    assert.deepEqual(old.segments, segments.slice(first + lost))
    const offered = bench.presentation.playlist('dvr.m3u8')!.text.split('\n')
    assert.deepEqual(
      [uri, bench.presentation.longUri('media', 'main')!].map((each) => offered.includes(each)),
      [false, true],
    )
    disk.problem = undefined
    bench.play([stream(120_000, 10)])
    await bench.presentation.settled()
    bench.presentation.saveNumbers()
    const restored = await restore(disk)
    const next = new PresentationBench({ ...settings, restored, startMs: 132_000 }, ['main'], bench.saved.at(-1))
    await next.presentation.restored
    assert.deepEqual(longList(next), longList(bench))
    await checkFiles(next, longList(next))
    // So do those who have it after a restart.
    assert.equal(next.presentation.longUri('media', 'main'), bench.presentation.longUri('media', 'main'))
    const listed = (): readonly unknown[] => readPlaylist(next.presentation.playlist(uri)!.text).segments
    assert.deepEqual(listed(), readPlaylist(bench.presentation.playlist(uri)!.text).segments)
    next.play([stream(132_000, 10)])
    const now = longList(next).segments
    assert.deepEqual(listed(), now.slice(now.findLastIndex(({ isGap }) => isGap) + 1))
    assert.ok(listed().length > 6)
    await next.presentation.settled()
  })

  test('what is lost is a gap under other URIs alone, until it has left the long playlists', async () => {
    await using store = new FakeStore()
    const disk = new SickFolder(await store.media('segments', 'hls'))
    const bench = new PresentationBench({ store: disk, dvrMs: 60_000, memoryBytes: 300_000 })
    bench.play([stream(0, 20)])
    await bench.presentation.settled()
    const uri = bench.presentation.longUri('media', 'main')!
    const listed = (): string => bench.presentation.playlist(uri)!.text
    disk.problem = 'ENOSPC: no space left on device'
    for (let at = 20; at < 70; at += 10) {
      bench.play([stream(at * 1000, 10)])
      await bench.presentation.settled()
    }
    assert.ok(longText(bench).includes('#EXT-X-GAP\n') && !listed().includes('#EXT-X-GAP\n'))
    disk.problem = undefined
    for (let at = 70; at < 160; at += 10) {
      bench.play([stream(at * 1000, 10)])
      await bench.presentation.settled()
    }
    assert.equal(listed(), longText(bench))
    const { tag } = bench.presentation.playlist(uri)!
    bench.presentation.endLife()
    const ended = bench.presentation.playlist(uri)!
    assert.ok(ended.text.endsWith('#EXT-X-ENDLIST\n') && ended.tag !== tag)
    await bench.presentation.settled()
  })

  test('a clock that was set back or far ahead makes other playlists, and loses no file', async () => {
    for (const startMs of [40_000 - 86_400_000, 86_400_000 * 365]) {
      await using store = new FakeStore()
      const folder = await store.media('segments', 'hls')
      const first = new PresentationBench({ store: folder, dvrMs: 60_000, startMs: 86_400_000 })
      first.play([stream(86_400_000, 20)])
      await first.presentation.settled()
      const restored = await restore(folder)
      const settings = { store: folder, dvrMs: 60_000, restored, startMs: Math.max(0, startMs) }
      const next = new PresentationBench(settings, ['main'], first.saved.at(-1))
      next.play([stream(Math.max(0, startMs), 20)])
      await checkFiles(next, longList(next))
      assert.ok(next.playlist().sequence > (first.saved.at(-1)?.media ?? 0))
      await next.presentation.settled()
    }
  })
})
