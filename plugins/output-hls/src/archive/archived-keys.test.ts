// Keys of the archive, in simulated time on a real disk.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeStore } from '@millrace/engine/testing'
import { paced, PresentationBench, type TimedChunk } from '../presentation.test.kit.js'
import { parseKeyName } from './archive-names.js'

const WALL = Date.UTC(2020, 0, 1)
const ADDRESS = '10.0.0.1'

function stream(fromMs: number, durationS: number): TimedChunk[] {
  const startPts90k = (900_000 + fromMs * 90) % 2 ** 33
  return paced({ durationS, startPts90k, video: { gopFrames: 10, fps: 5 }, audio: [] }, { fromMs })
}

function keyOf({ presentation }: PresentationBench, name: string): Promise<Uint8Array | undefined> {
  const found = presentation.archivedKey(parseKeyName(name) ?? assert.fail(name), ADDRESS)
  return found === 'busy' ? assert.fail(found) : found
}

async function namesOf({ presentation, clock }: PresentationBench, kind = ''): Promise<readonly string[]> {
  const by = { address: ADDRESS, nowMs: clock.nowMs() }
  const text = await presentation.archived.media(presentation.archive!, `main-archive-${WALL}-60000${kind}.m3u8`, by)
  assert.ok(text !== undefined && text !== 'busy')
  return [...text.text.matchAll(/METHOD=AES-128,URI="([^"]+)"/g)].map(([, name = '']) => name)
}

test('a key is given out if a segment of the archive needs it, also after a restart, and no other', async () => {
  await using store = new FakeStore()
  const archive = await store.media('archive')
  const first = new PresentationBench({ archive, keyRotation: 2 })
  first.play([stream(0, 30)])
  await first.presentation.settled()
  const names = await namesOf(first)
  assert.ok(names.length >= 5)
  assert.ok((await namesOf(first, '-iframes')).every((name) => parseKeyName(name) !== undefined))
  const keys = await Promise.all(names.map((name) => keyOf(first, name)))
  assert.ok(keys.every((key) => key?.length === 16))

  const settings = { archive, keyRotation: 2, startMs: 3_600_000 }
  const next = new PresentationBench(settings, ['main'], first.saved.at(-1), first.savedKeys.at(-1))
  await next.presentation.settled()
  assert.deepEqual(await Promise.all(names.map((name) => keyOf(next, name))), keys)
  const { period, id } = parseKeyName(names[0]!)!
  assert.equal(next.presentation.key('0123456789abcdef'), undefined)
  assert.equal(await keyOf(next, `archive-${period}-0123456789abcdef.key`), undefined)
  assert.equal(await keyOf(next, `archive-20200101T0010-${id}.key`), undefined)
  assert.equal(await keyOf(new PresentationBench(), names[0]!), undefined, 'without an archive')
})

test('keys of segments that have just been written are found', async () => {
  await using store = new FakeStore()
  const bench = new PresentationBench({ archive: await store.media('archive'), keyRotation: 1 })
  for (let fromMs = 0; fromMs < 30_000; fromMs += 10_000) {
    bench.play([stream(fromMs, 10)], fromMs + 10_000)
    await bench.presentation.settled()
    const newest = (await namesOf(bench)).at(-1)!
    assert.equal((await keyOf(bench, newest))?.length, 16)
  }
})

test('names of keys lead nowhere else', () => {
  const id = '0123456789abcdef'
  for (const name of [`archive-x-${id}.key`, `archive-20200101T0000-../${id}.key`, `${id}.key`, 'archive-.key']) {
    assert.equal(parseKeyName(name), undefined, name)
  }
})
