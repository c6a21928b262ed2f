// Large files of nodes, on a real disk.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { describe, test } from 'node:test'
import { MediaBlocks } from '../deliver/media-blocks.js'
import type { KeptMedia } from '../plugin/media-memory.js'
import { FakeClock } from '../testing/fake-clock.js'
import { MediaFiles } from './media-files.js'
import { ReadBuffers } from './read-buffers.js'
import { bytes, StateFolder } from './state-folder.test.kit.js'

const LONG = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, index) => (index * 7) % 251))

function kept(content: Uint8Array): KeptMedia {
  const clock = new FakeClock()
  return new MediaBlocks(1 << 20, clock).keep([content]) ?? assert.fail('no memory')
}

/** Copies what it gets, as the system does; nothing before `go`, unless it is open. */
class Viewer extends Writable {
  readonly parts: Buffer[] = []
  #isOpen: boolean
  #waiting: (() => void) | undefined

  constructor(isOpen = true) {
    super({ highWaterMark: 1 })
    this.#isOpen = isOpen
  }

  override _write(part: Buffer, _encoding: string, done: () => void): void {
    this.emit('asked')
    const take = (): void => {
      this.parts.push(Buffer.from(part))
      done()
    }
    if (this.#isOpen) take()
    else this.#waiting = take
  }

  go(): void {
    this.#isOpen = true
    this.#waiting?.()
  }
}

async function received(media: KeptMedia, range: { from?: number; to?: number } = {}): Promise<Buffer | false> {
  const viewer = new Viewer()
  const isSent = await media.sendTo(viewer, range)
  return isSent && Buffer.concat(viewer.parts)
}

describe('a media folder', () => {
  test('lies in the folder of the node, or below a path of the configuration', async () => {
    await using state = await StateFolder.make()
    const store = state.run().store('one/hls')
    assert.equal((await store.media('dvr')).path, join(state.path, 'nodes/one/hls/dvr'))
    assert.equal((await store.media('dvr', 'hls')).path, join(state.path, 'hls/one/hls/dvr'))
    assert.equal((await store.media('dvr', join(state.path, 'x'))).path, join(state.path, 'x/one/hls/dvr'))
    await writeFile(join(state.path, 'file'), '')
    await assert.rejects(store.media('dvr', 'file'), { code: 'STORE_FOLDER' })
    await assert.rejects(store.media('../dvr'), { code: 'STORE_NAME' })
  })

  test('follows a renamed node over a restart', async () => {
    await using state = await StateFolder.make()
    const run = state.run()
    const node = run.node('one/old')
    const { path } = await node.store.media('dvr', 'hls')
    node.enter('one/new')
    await run.files.settled()
    assert.equal((await state.run().store('one/new').media('dvr', 'hls')).path, path)
  })

  test('has whole files, which are sent in ranges', async () => {
    await using state = await StateFolder.make()
    const folder = await state.run().store('one/hls').media('dvr')
    await folder.write('hour/a.ts', kept(LONG))
    assert.deepEqual([await folder.list(), await folder.list('hour')], [['hour'], ['a.ts']])
    assert.deepEqual([await folder.size('hour/a.ts'), await folder.size('hour/b.ts')], [LONG.length, undefined])
    const media = folder.media('hour/a.ts', LONG.length)
    assert.ok(LONG.equals((await received(media)) || Buffer.of()))
    assert.deepEqual(await received(media, { from: 131_000, to: 131_200 }), LONG.subarray(131_000, 131_200))
    assert.deepEqual(await received(media, { from: 5, to: 5 }), Buffer.alloc(0))
    assert.deepEqual(await received(media, { from: LONG.length - 1 }), LONG.subarray(-1))
  })

  test('sends nothing of a file that is missing, a link, or of another length, and does not begin', async () => {
    await using state = await StateFolder.make()
    const folder = await state.run().store('one/hls').media('dvr')
    await folder.write('a.ts', kept(LONG))
    await symlink(join(folder.path, 'a.ts'), join(folder.path, 'link.ts'))
    for (const [name, length] of [
      ['b.ts', 1],
      ['link.ts', LONG.length],
      ['a.ts', LONG.length + 1],
    ] as const) {
      let isStarted = false
      const stream = new Viewer()
      assert.equal(await folder.media(name, length).sendTo(stream, { onStart: () => void (isStarted = true) }), false)
      assert.equal(isStarted, false, name)
    }
  })

  test('leaves no part of a file that could not be written', async () => {
    await using state = await StateFolder.make()
    const folder = await state.run().store('one/hls').media('dvr')
    const released = kept(LONG)
    released.release()
    await assert.rejects(folder.write('a.ts', released), { code: 'STORE_FAILED' })
    assert.deepEqual(await readdir(folder.path), [])
    // A folder in the place of the file, for every user.
    await mkdir(join(folder.path, 'a.ts', 'x'), { recursive: true })
    await assert.rejects(folder.write('a.ts', kept(LONG)), { code: 'STORE_FAILED', at: 'one/hls' })
    assert.deepEqual(await readdir(folder.path), ['a.ts'])
  })

  test('is made again when it has vanished', async () => {
    await using state = await StateFolder.make()
    const folder = await state.run().store('one/hls').media('dvr', 'hls')
    await rm(join(state.path, 'hls'), { recursive: true })
    assert.deepEqual(await folder.list(), [])
    await folder.append('index', bytes('a'))
    await rm(join(state.path, 'hls'), { recursive: true })
    await folder.write('hour/a.ts', kept(LONG))
    assert.deepEqual(await folder.list('hour'), ['a.ts'])
  })

  test('shares files with another one without a second copy', async () => {
    await using state = await StateFolder.make()
    const store = state.run().store('one/hls')
    const [from, to] = [await store.media('dvr', 'hls'), await store.media('archive', 'old')]
    await from.write('hour/a.ts', kept(LONG))
    await to.adopt('hour/a.ts', from)
    await to.adopt('hour/a.ts', from)
    assert.equal((await stat(join(from.path, 'hour/a.ts'))).nlink, 2)
    await from.remove('hour')
    assert.deepEqual(await from.list(), [])
    assert.deepEqual(await received(to.media('hour/a.ts', LONG.length)), LONG)
    await assert.rejects(to.adopt('hour/b.ts', from), { code: 'STORE_FAILED' })
  })

  test('appends, and reads parts', async () => {
    await using state = await StateFolder.make()
    const folder = await state.run().store('one/hls').media('dvr')
    assert.deepEqual(await folder.read('index', 0, 10), new Uint8Array())
    await folder.append('index', bytes('one'))
    await folder.append('index', bytes('two'))
    assert.equal(await readFile(join(folder.path, 'index'), 'utf8'), 'onetwo')
    assert.deepEqual(await folder.read('index', 2, 2), bytes('et'))
    assert.deepEqual(await folder.read('index', 4, 100), bytes('wo'))
  })

  test('refuses names that lead out of it', async () => {
    await using state = await StateFolder.make()
    const folder = await state.run().store('one/hls').media('dvr')
    for (const name of ['../x', 'a/../b', '/x', 'a//b', 'a/b/c', '.hidden', 'a\0', 'a\\b', 'x'.repeat(200), '~new']) {
      await assert.rejects(folder.read(name, 0, 1), { code: 'STORE_NAME' }, name)
      await assert.rejects(folder.remove(name), { code: 'STORE_NAME' }, name)
      assert.throws(() => folder.media(name, 1), { code: 'STORE_NAME' }, name)
    }
  })
})

describe('a file that is being sent', () => {
  test('is open once for all viewers, and is sent to its end although it has been removed', async () => {
    await using state = await StateFolder.make()
    const media = new MediaFiles(new FakeClock())
    const folder = media.folder(state.path, { id: 'one/hls' })
    await folder.write('a.ts', kept(LONG))
    const viewers = [new Viewer(false), new Viewer(false)]
    const asked = viewers.map((viewer) => once(viewer, 'asked'))
    const sent = viewers.map((viewer) => folder.media('a.ts', LONG.length).sendTo(viewer))
    await Promise.all(asked)
    assert.equal(media.reading.files.size, 1)
    await folder.remove('a.ts')
    for (const viewer of viewers) viewer.go()
    assert.deepEqual(await Promise.all(sent), [true, true])
    for (const { parts } of viewers) assert.ok(Buffer.concat(parts).equals(LONG))
    assert.equal(media.reading.files.size, 0)
  })

  test('takes a bounded memory: viewers wait for a block, and one that holds its own too long is cut', async () => {
    const clock = new FakeClock()
    const buffers = new ReadBuffers(clock, 2)
    const streams = [0, 1, 2].map(() => new Writable())
    const [slow, quick, next] = streams as [Writable, Writable, Writable]
    const held = await buffers.take(slow)
    clock.advance(5000)
    const other = await buffers.take(quick)
    clock.advance(60_000)
    assert.equal(slow.destroyed, false, 'nobody waits')
    buffers.give(other, true)
    await buffers.take(quick)
    const waiting = buffers.take(next)
    clock.advance(1)
    assert.deepEqual([slow.destroyed, quick.destroyed], [true, false])
    buffers.give(held, false)
    assert.notEqual(await waiting, held, 'the system may still read it')
  })
})
