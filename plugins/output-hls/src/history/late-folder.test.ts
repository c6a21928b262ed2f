// Disks that are bad when the output starts, in simulated time on a real disk.
import assert from 'node:assert/strict'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { FakeStore } from '@millrace/engine/testing'
import { readPlaylist } from '../playlist/read-playlist.test.kit.js'
import { paced, PresentationBench, type TimedChunk } from '../presentation.test.kit.js'
import { DiskWriter, type WriteJob } from './disk-writer.js'
import { bytesOf, longList } from './history.test.kit.js'
import { LateFolder } from './late-folder.js'

function stream(fromMs: number, durationS: number): TimedChunk[] {
  const startPts90k = 900_000 + fromMs * 90
  return paced({ durationS, startPts90k, video: { gopFrames: 10, fps: 5 }, audio: [] }, { fromMs })
}

/** A file in place of a folder: it cannot be made, whoever runs the test. */
const places = {
  'its folder': (own: string, use: string) => join(own, use),
  "the node's folder": (own: string) => own,
}

for (const use of ['store', 'archive'] as const) {
  for (const [what, placeOf] of Object.entries(places)) {
    test(`${use}: a file in place of ${what} costs the output that disk alone, until it is gone`, async () => {
      await using store = new FakeStore()
      const place = placeOf(await store.folder(), use)
      await rm(place, { recursive: true, force: true })
      await mkdir(dirname(place), { recursive: true })
      await writeFile(place, '')
      const folder = new LateFolder('', () => store.media(use))
      const bench = new PresentationBench({ [use]: folder, dvrMs: 60_000 })
      const { presentation } = bench
      bench.play([[]], 1000)
      while (bench.diskProblems.length === 0) await new Promise((resolve) => setImmediate(resolve))
      bench.play([stream(1000, 30)])
      await presentation.settled()
      assert.equal(bench.diskProblems.length, 1, 'it is told once, before the first segment')
      const long = readPlaylist(presentation.playlist(presentation.longUri('media', 'main')!)!.text)
      assert.ok(long.segments.length > 10)
      for (const { uri } of long.segments) assert.ok(presentation.file(uri) !== undefined, uri)
      const asked = { startMs: 0, durationMs: 1000 }
      if (use === 'archive') await assert.rejects(presentation.archive!.read(asked), /has not been read/)

      await rm(place)
      bench.play([[]], 40_000)
      while (bench.diskProblems.length === 1) await new Promise((resolve) => setImmediate(resolve))
      await presentation.settled()
      assert.deepEqual(bench.diskProblems.slice(1), ['none'])
      const files = await folder.list('20200101T0000')
      assert.ok(files.filter((name) => name.endsWith('.ts')).length > 10, files.join())
    })
  }
}

test('what other processes have left on a disk that came late is removed too', async () => {
  await using store = new FakeStore()
  const folder = await store.media('store')
  await folder.append('20191231T2350/index', Buffer.from('x'))
  const bench = new PresentationBench({ store: folder })
  bench.play([stream(0, 20)], 30_000)
  await bench.presentation.settled()
  assert.equal((await folder.list()).length, 2)
  bench.play([[]], 120_000)
  while ((await folder.list()).length === 2) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(await folder.list(), ['20200101T0000'])
})

test('after a reload older segments are sent before anything new is written', async () => {
  await using store = new FakeStore()
  const late = (): LateFolder => new LateFolder('', () => store.media('store'))
  const bench = new PresentationBench({ store: late(), dvrMs: 60_000 })
  const { presentation } = bench
  bench.play([stream(0, 60)])
  await presentation.settled()
  const [first] = longList(bench).segments
  const before = await bytesOf(bench, first!.uri)
  bench.play([stream(60_000, 20)])
  await presentation.settled()
  presentation.attach({ ...bench.host, store: late() }, bench.names, () => false)
  assert.deepEqual(await bytesOf(bench, first!.uri), before)
})

describe('the writer', () => {
  test('goes on with the next segment if something goes wrong after one', async () => {
    await using store = new FakeStore()
    const problems: (string | undefined)[] = []
    const writer = new DiskWriter({
      folder: await store.media('store'),
      nowMs: () => 0,
      prepare: () => Promise.resolve(),
      onProblem: (problem) => problems.push(problem),
    })
    const jobOf = (sequence: number, onStored: () => void): WriteJob => {
      return { sequence, period: '20200101T0000', files: [], lines: '', gap: '', onStored }
    }
    let stored = 0
    writer.add(jobOf(1, () => assert.fail('a fault')))
    writer.add(jobOf(2, () => stored++))
    await writer.settled()
    assert.deepEqual([writer.waiting, stored, problems], [0, 1, ['a fault', undefined]])
  })
})
