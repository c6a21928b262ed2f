import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import type { Options, Received, Source } from '@millrace/engine/plugin'
import { buildTs, FakeClock, FakeContext } from '@millrace/engine/testing'
import { BehaviorSubject } from 'rxjs'
import file from './index.js'

type Settings = Parameters<typeof file.open>[0]['value']

let folder = ''
const clip = buildTs({ durationS: 2, video: { bitrate: 4e6 } })

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-input-'))
  await writeFile(join(folder, 'clip.ts'), clip.bytes)
})

after(() => rm(folder, { recursive: true }))

async function open(more: Partial<Settings> = {}): Promise<{ context: FakeContext; source: Source<Received> }> {
  const context = new FakeContext()
  const settings: Settings = { path: join(folder, 'clip.ts'), loop: false, pace: 'none', ...more }
  const options$ = new BehaviorSubject(settings) as Options<Settings>
  const source = await file.open(options$, context, { clock: new FakeClock() })
  return { context, source: source as Source<Received> }
}

/** The bytes of one subscription, and how it ends. */
function collect(source: Source<Received>) {
  const bytes: Uint8Array[] = []
  let end: unknown
  let settle: () => void = () => undefined
  const ended = new Promise<void>((resolve) => (settle = resolve))
  const subscription = source.chunks.subscribe({
    next: (received) => {
      if (received instanceof Uint8Array) bytes.push(received.slice())
    },
    error: (error: unknown) => {
      end = error
      settle()
    },
    complete: () => {
      end = 'complete'
      settle()
    },
  })
  return { bytes, ended, subscription, end: () => end }
}

describe('input file', () => {
  test('is ready when the file is open, emits its bytes, and completes', async () => {
    const { source, context } = await open()
    const got = collect(source)
    await got.ended
    assert.deepEqual([got.end(), context.reported], ['complete', ['ready']])
    assert.equal(Buffer.compare(Buffer.concat(got.bytes), clip.bytes), 0)
    await source[Symbol.asyncDispose]()
  })

  test('starts over with each subscription', async () => {
    const { source } = await open({ path: join(folder, 'later.ts') })
    const first = collect(source)
    await first.ended
    assert.equal((first.end() as { code?: string }).code, 'FILE_UNREADABLE')
    await writeFile(join(folder, 'later.ts'), clip.bytes)
    const second = collect(source)
    await second.ended
    assert.deepEqual([second.end(), Buffer.concat(second.bytes).length], ['complete', clip.bytes.length])
    await source[Symbol.asyncDispose]()
  })

  test('can be held only if it is not paced', async () => {
    assert.equal((await open({ pace: 'pcr' })).source.hold, undefined)
    assert.equal((await open({ pace: undefined })).source.hold, undefined)
    assert.equal(typeof (await open()).source.hold, 'function')
  })

  test('claims stdin exclusively', () => {
    const needs = (path: string): unknown => file.exclusive?.({ path, loop: false })
    assert.deepEqual([needs('-'), needs('a.ts')], [[{ kind: 'device', name: 'stdin' }], []])
  })

  test('held before it is subscribed, emits nothing until it is released', async () => {
    const { source } = await open()
    const hold = source.hold?.()
    const got = collect(source)
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(got.bytes.length, 0)
    hold?.[Symbol.dispose]()
    hold?.[Symbol.dispose]()
    await got.ended
    assert.equal(Buffer.concat(got.bytes).length, clip.bytes.length)
  })

  test('closes the file when it is unsubscribed, and when it is disposed, even twice', async () => {
    const count = (): number => readdirSync('/proc/self/fd').length
    const before = count()
    for (const pace of ['pcr', 'none'] as const) {
      const { source, context } = await open({ pace, loop: true })
      const one = collect(source)
      while (context.reported.length === 0) await new Promise((resolve) => setImmediate(resolve))
      one.subscription.unsubscribe()
      collect(source)
      while (context.reported.length === 1) await new Promise((resolve) => setImmediate(resolve))
      await source[Symbol.asyncDispose]()
      await source[Symbol.asyncDispose]()
      assert.equal(count(), before)
    }
  })

  test('refuses a film, whether its clock is followed or not, and reads it no further', async () => {
    const path = join(folder, 'film.mkv')
    await writeFile(path, Uint8Array.from([0x1a, 0x45, 0xdf, 0xa3, ...new Uint8Array(1000)]))
    for (const pace of ['pcr', 'none'] as const) {
      const { source } = await open({ path, pace })
      const film = collect(source)
      await film.ended
      assert.equal((film.end() as { code?: string }).code, 'FILE_OTHER_FORMAT')
      assert.match(String(film.end()), /film\.mkv is Matroska or WebM, not a transport stream/)
      await source[Symbol.asyncDispose]()
    }
  })

  describe('on a named pipe', () => {
    const fifo = async (name: string): Promise<string> => {
      const path = join(folder, name)
      await promisify(execFile)('mkfifo', [path])
      return path
    }

    test('refuses pacing and looping', async () => {
      const path = await fifo('refused.fifo')
      for (const wrong of [{ pace: 'pcr' }, { pace: undefined, loop: true }] as const) {
        await assert.rejects(open({ path, ...wrong }), { code: 'FILE_PIPE_OPTION' })
      }
    })

    test('can be held, and waits before its first writer and between two', async () => {
      const path = await fifo('writers.fifo')
      const { source, context } = await open({ path, pace: undefined })
      assert.equal(typeof source.hold, 'function')
      const got = collect(source)
      const until = async (said: readonly string[]): Promise<void> => {
        while (context.reported.length < said.length) await new Promise((resolve) => setImmediate(resolve))
        assert.deepEqual(context.reported, said)
      }
      const gone = 'waiting: the writer has closed the pipe'
      const none = 'waiting: no program writes into the pipe'
      await until([none])
      await writeFile(path, clip.bytes)
      await until([none, 'ready', gone])
      await writeFile(path, clip.bytes)
      await until([none, 'ready', gone, 'ready', gone])
      await source[Symbol.asyncDispose]()
      await got.ended
      assert.equal(Buffer.compare(Buffer.concat(got.bytes), Buffer.concat([clip.bytes, clip.bytes])), 0)
    })

    test('that was a file, can be held from its next subscription on', async () => {
      const path = join(folder, 'turns.ts')
      const { source, context } = await open({ path, pace: undefined })
      const first = collect(source)
      await first.ended
      assert.equal(source.hold, undefined)
      await fifo('turns.ts')
      const second = collect(source)
      while (context.reported.length === 0) await new Promise((resolve) => setImmediate(resolve))
      assert.equal(typeof source.hold, 'function')
      await source[Symbol.asyncDispose]()
      await second.ended
    })
  })

  test('parses its options from YAML', () => {
    assert.deepEqual(file.options.parse({ path: 'a.ts' }), { path: 'a.ts', loop: false })
    assert.deepEqual(file.options.parse({ path: '-', pace: 'none' }), { path: '-', loop: false, pace: 'none' })
    for (const wrong of [
      {},
      { path: '' },
      { path: 'a.ts', pace: 'fast' },
      { path: 'a.ts', speed: 2 },
      { path: '-', loop: true },
      { path: '-', pace: 'pcr' },
    ]) {
      assert.equal(file.options.safeParse(wrong).success, false, JSON.stringify(wrong))
    }
  })
})
