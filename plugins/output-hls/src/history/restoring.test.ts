// After a restart the output is on the air before the older segments of the last process are read. A disk that the test
// holds up says when they are.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { MediaFolder } from '@millrace/engine/plugin'
import { FakeStore } from '@millrace/engine/testing'
import type { ReadPlaylist } from '../playlist/read-playlist.test.kit.js'
import { PresentationBench, type BenchSettings } from '../presentation.test.kit.js'
import { checkFiles, longList, SickFolder, stream } from './history.test.kit.js'
import { restore, type RestoreRules } from './restored.js'
import { Turns } from './turns.js'

/** 50 segments, of which the newest 32 are read at once. */
const DVR_MS = 80_000
const DURATION_S = 100

/** Its indexes cannot be read until the test says so. */
class HeldFolder extends SickFolder {
  readonly #held: (() => void)[] = []
  isHeld = false
  /** What cannot be read at all. */
  isUnreadable = false

  override async read(name: string, from: number, length: number): Promise<Uint8Array> {
    if (this.isHeld) await new Promise<void>((resolve) => this.#held.push(resolve))
    if (this.isUnreadable) throw new Error('EIO: i/o error')
    return super.read(name, from, length)
  }

  letGo(): void {
    this.isHeld = false
    for (const resume of this.#held.splice(0)) resume()
  }
}

interface Restart {
  readonly folder: HeldFolder
  readonly first: PresentationBench
  readonly next: PresentationBench
}

interface RestartRules extends RestoreRules {
  /** When the first one begins, and when the next one does. */
  readonly beginMs?: number
  readonly startMs?: number
}

async function restart(
  on: MediaFolder,
  more: BenchSettings = {},
  { beginMs = 0, startMs = beginMs + (DURATION_S + 4) * 1000, ...rules }: RestartRules = {},
): Promise<Restart> {
  const folder = new HeldFolder(on)
  const settings = { store: folder, dvrMs: DVR_MS, ...more }
  const first = new PresentationBench(settings)
  first.play([stream(beginMs, DURATION_S)])
  await first.presentation.settled()
  first.presentation.saveNumbers()
  const restored = await restore(folder, rules)
  folder.isHeld = true
  const { saved, savedKeys } = first
  const keys = rules.hasKeys === false ? undefined : savedKeys.at(-1)
  const next = new PresentationBench({ ...settings, restored, startMs }, ['main'], saved.at(-1), keys)
  return { folder, first, next }
}

function longUri({ presentation }: PresentationBench): string {
  return presentation.longUri('media', 'main') ?? assert.fail('there is no long playlist')
}

describe('after a restart, before the older segments are read,', () => {
  test('the window is listed and goes on; `dvr` is there when it is whole, and its numbers do not go back', async () => {
    await using store = new FakeStore()
    const { folder, first, next } = await restart(await store.media('segments', 'hls'))
    const [short, long] = [first.playlist(), longList(first)]
    const old = long.segments[0]!
    assert.deepEqual(next.playlist(), short)
    await checkFiles(next, short)
    next.play([stream(104_000, 10)])
    assert.ok(next.playlist().segments.at(-1)!.sequence > short.segments.at(-1)!.sequence)
    assert.equal(next.presentation.isRestoring, true)
    assert.equal(next.presentation.playlist(longUri(next)), undefined)
    const frames = next.presentation.longUri('iframes', 'main')!
    for (const uri of [longUri(next), frames]) assert.equal(next.presentation.expects(uri), true, uri)
    assert.equal(next.presentation.file(old.uri), undefined)
    const before = next.published
    folder.letGo()
    await next.presentation.restored
    assert.equal(next.presentation.isRestoring, false)
    assert.notEqual(next.presentation.playlist(frames), undefined)
    assert.equal(next.published, before + 1, 'who waits is woken')
    const after = longList(next)
    assert.ok(after.sequence >= long.sequence && after.segments.length >= long.segments.length - 1)
    const known = new Map(long.segments.map((segment) => [segment.sequence, segment.uri]))
    for (const { sequence, uri } of after.segments) assert.equal(uri, known.get(sequence) ?? uri)
    const uris = (list: ReadPlaylist): unknown => list.segments.slice(-6).map(({ uri }) => uri)
    assert.deepEqual(uris(after), uris(next.playlist()))
    await checkFiles(next, after)
    await checkFiles(next, long)
    await next.presentation.settled()
  })

  test('whole playlists are those of the process before, to the byte', async () => {
    await using store = new FakeStore()
    const { folder, first, next } = await restart(await store.media('segments', 'hls'), { keyRotation: 3 })
    folder.letGo()
    await next.presentation.restored
    for (const kind of ['media', 'iframes'] as const) assert.deepEqual(longList(next, kind), longList(first, kind))
    await next.presentation.settled()
  })

  test('keys and initialisation sections of old segments come with them', async () => {
    await using store = new FakeStore()
    const { folder, first, next } = await restart(await store.media('segments', 'hls'), { keyRotation: 3 })
    const [key] = /[0-9a-f]{16}(?=\.key)/.exec(first.presentation.playlist(longUri(first))?.text ?? '') ?? []
    folder.letGo()
    await next.presentation.restored
    next.play([stream(104_000, 40)])
    assert.equal(next.presentation.key(key!)?.length, 16)
    await next.presentation.settled()
  })

  test('a list that is full of new segments needs the old ones no more', async () => {
    await using store = new FakeStore()
    const { folder, next } = await restart(await store.media('segments', 'hls'))
    next.play([stream(104_000, 90)])
    assert.equal(next.presentation.isRestoring, false)
    const long = longList(next)
    assert.ok(long.segments.length >= 40)
    folder.letGo()
    await next.presentation.restored
    assert.deepEqual(longList(next), long)
    await checkFiles(next, long)
    await next.presentation.settled()
  })

  test('other playlists, after a long outage, do not wait for them; they can still be asked for', async () => {
    await using store = new FakeStore()
    const startMs = 400_000 + DURATION_S * 1000
    const { folder, first, next } = await restart(await store.media('segments', 'hls'), {}, { startMs })
    assert.equal(next.presentation.life, undefined)
    next.play([stream(startMs, 10)])
    assert.equal(longList(next).segments.length, 4)
    folder.letGo()
    await next.presentation.restored
    assert.equal(longList(next).segments.length, 4)
    await checkFiles(next, longList(first))
    await next.presentation.settled()
  })

  test('a period that cannot be read is left out, and told', async () => {
    await using store = new FakeStore()
    const { folder, first, next } = await restart(await store.media('segments', 'hls'))
    folder.isUnreadable = true
    folder.letGo()
    await next.presentation.restored
    assert.deepEqual(next.warned, ['unreadable'])
    assert.equal(longList(next).segments.length, 32)
    assert.ok(longList(next).sequence > longList(first).sequence)
    await next.presentation.settled()
  })

  test('an event is not there: it has no short list', async () => {
    await using store = new FakeStore()
    const { folder, first, next } = await restart(await store.media('segments', 'hls'), { isEvent: true })
    assert.equal(next.presentation.playlist(longUri(next)), undefined)
    folder.letGo()
    await next.presentation.restored
    assert.deepEqual(longList(next), longList(first))
    await next.presentation.settled()
  })

  test('an event that was over can be watched when they are', async () => {
    await using store = new FakeStore()
    const startMs = 400_000 + DURATION_S * 1000
    const on = await store.media('segments', 'hls')
    const { folder, first, next } = await restart(on, { isEvent: true }, { startMs })
    const uri = longUri(first)
    assert.equal(next.presentation.playlist(uri), undefined)
    folder.letGo()
    await next.presentation.restored
    assert.match(next.presentation.playlist(uri)?.text ?? '', /#EXT-X-ENDLIST\n$/)
    await next.presentation.settled()
  })

  test('nothing is read any more when no node runs it', async () => {
    await using store = new FakeStore()
    const { folder, next } = await restart(await store.media('segments', 'hls'))
    next.presentation.release(next.host)
    next.clock.advance(2000)
    let reads = 0
    const list = folder.list.bind(folder)
    folder.list = (name) => {
      reads++
      return list(name)
    }
    folder.letGo()
    await next.presentation.restored
    assert.equal(reads, 0)
  })

  test('what has not been read is read when a node runs it again, and nothing is taken for whole before', async () => {
    await using store = new FakeStore()
    // Over the end of a period, whose indexes are read one after the other.
    const on = await store.media('segments', 'hls')
    const { folder, first, next } = await restart(on, {}, { beginMs: 580_000 })
    assert.equal((await folder.list()).length, 2)
    const long = longList(first)
    next.presentation.release(next.host)
    next.clock.advance(2000)
    folder.letGo()
    await next.presentation.restored
    assert.deepEqual([next.presentation.isRestoring, next.presentation.playlist(longUri(next))], [true, undefined])
    next.presentation.attach({ ...next.host }, next.names, () => false)
    await next.presentation.restored
    assert.equal(next.presentation.isRestoring, false)
    assert.deepEqual(longList(next), long)
    await checkFiles(next, long)
    await next.presentation.settled()
  })

  test('a disk that does not answer for 60 s is told, the list begins behind it, and its answer changes nothing', async () => {
    await using store = new FakeStore()
    const turns = new Turns(1)
    const { folder, first, next } = await restart(await store.media('segments', 'hls'), {}, { turns })
    const { restored } = next.presentation
    next.play([[]], 163_750)
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual([next.presentation.isRestoring, next.warned], [true, []])
    next.play([[]], 164_000)
    await restored
    assert.deepEqual([next.presentation.isRestoring, next.warned], [false, ['unreadable']])
    const long = longList(next)
    assert.ok(long.sequence > longList(first).sequence)
    assert.equal(await turns.run(() => Promise.resolve('free')), 'free')
    folder.letGo()
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(longList(next), long)
    await next.presentation.settled()
  })

  test('without keys, what is encrypted is not listed, and what follows it is', async () => {
    await using store = new FakeStore()
    const { folder, next } = await restart(await store.media('segments', 'hls'), { keyRotation: 3 }, { hasKeys: false })
    folder.letGo()
    await next.presentation.restored
    next.play([stream(104_000, 10)])
    assert.ok(longList(next).segments.length <= 5)
    await next.presentation.settled()
  })
})
