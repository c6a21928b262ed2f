import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import type { SegmentRecord } from '../history/segment-record.js'
import type { Archive } from './archive.js'
import { ArchivedPlaylists } from './archived-playlists.js'

const SEGMENTS = 20_000

function recordOf(_: unknown, sequence: number): SegmentRecord {
  return {
    ...{ kind: 'segment', life: '3.m', target: 3, total: 0, discontinuity: 1 },
    ...{ sequence, name: `${sequence}`, ticks: 180_000, isNew: false, dateMs: sequence * 2000 },
    media: { main: { bytes: 188, isIndependent: true } },
  }
}

test('a long time is rendered while other work has its turn, once, and zipped', async () => {
  const segments = Array.from({ length: SEGMENTS }, recordOf)
  let reads = 0
  const archive = {
    read: () => {
      reads++
      return Promise.resolve({ segments, ranges: [] })
    },
  } as unknown as Archive
  const texts = new ArchivedPlaylists()
  let turns = 0
  let isDone = false
  const turn = (): void => {
    turns++
    if (!isDone) setImmediate(turn)
  }
  setImmediate(turn)
  const ask = () => texts.media(archive, 'main-archive-0-40000000.m3u8', { address: '10.0.0.1', nowMs: 0 })
  const [first, second] = await Promise.all([ask(), ask()])
  isDone = true
  assert.ok(turns >= SEGMENTS / 4000, `${turns} turns`)
  assert.ok(typeof first === 'object' && first === second && reads === 1)
  assert.equal(gunzipSync(await first.zip()).toString(), first.text)
  assert.equal(first.text.match(/#EXTINF/g)?.length, SEGMENTS)
})

test('texts that are no longer good, and those that are too large together, are forgotten', async () => {
  const name = '1'.repeat(8000)
  const segments = Array.from({ length: 250 }, (_, index) => ({ ...recordOf(_, index), name }))
  const reads: number[] = []
  const archive = {
    read: ({ startMs }: { startMs: number }) => {
      reads.push(startMs)
      return Promise.resolve({ segments, ranges: [] })
    },
  } as unknown as Archive
  const texts = new ArchivedPlaylists()
  const ask = async (start: number, nowMs: number) =>
    texts.media(archive, `main-archive-${start}-40000000.m3u8`, { address: '10.0.0.1', nowMs })
  await ask(1, 0)
  await ask(1, 3999)
  assert.deepEqual(reads, [1])
  await ask(1, 4000)
  assert.deepEqual(reads, [1, 1])
  for (let start = 2; start < 20; start++) await ask(start, 4000)
  await ask(19, 4000)
  await ask(1, 4000)
  assert.deepEqual(reads.slice(-2), [19, 1])
})
