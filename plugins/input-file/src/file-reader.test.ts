import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { isEngineError } from '@millrace/engine/plugin'
import type { Boundary, Received } from '@millrace/engine/plugin'
import { buildTs, FakeClock } from '@millrace/engine/testing'
import { Framer, HAS_PCR, MARK_FLAGS, MARK_OFFSET, MARK_SIZE, readPcrBase, Timeline } from '@millrace/media/mpegts'
import type { TsChunk } from '@millrace/media/mpegts'
import { fileError } from './file-errors.js'
import { FileReader } from './file-reader.js'
import type { FileReaderSettings } from './file-reader.js'

let folder = ''

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-file-'))
})

after(() => rm(folder, { recursive: true }))

const clip = buildTs({ durationS: 2 })
const TESTCARD = join(import.meta.dirname, '../../../pipelines/media/testcard.ts')

/** Interval of `onBatch`. */
const BATCH_MS = 20

class Bench {
  readonly clock = new FakeClock()
  readonly got: { readonly atMs: number; readonly bytes: Uint8Array }[] = []
  readonly boundaries: number[] = []
  readonly reader: FileReader
  opened = 0
  isOver = false
  error: unknown
  onBytes: (received: Uint8Array | Boundary) => void = () => undefined
  readonly done: Promise<void>

  constructor(path: string, more: Partial<FileReaderSettings> = {}) {
    this.reader = new FileReader({
      path,
      loop: false,
      pace: 'pcr',
      clock: this.clock,
      onOpen: () => this.opened++,
      onBytes: (received) => this.#take(received),
      ...more,
    })
    this.done = this.reader.run().then(
      () => void (this.isOver = true),
      (error: unknown) => {
        this.isOver = true
        this.error = error
      },
    )
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.got.map(({ bytes }) => bytes))
  }

  /** Advances the clock until the claim holds or the reader has ended. */
  async until(claim: () => boolean = () => false): Promise<this> {
    while (!claim() && !this.isOver) {
      // Reading takes no time here: the clock stops until enough has been read ahead.
      if (this.reader.isAhead) this.advance()
      await new Promise((resolve) => setImmediate(resolve))
    }
    return this
  }

  advance(): void {
    this.clock.advance(10)
    if (this.clock.nowMs() % BATCH_MS === 0) this.reader.onBatch()
  }

  /** Resolves when enough has been read ahead. */
  async ahead(): Promise<void> {
    while (!this.reader.isAhead) await new Promise((resolve) => setImmediate(resolve))
  }

  async stop(): Promise<void> {
    this.reader.cancel()
    await this.done
  }

  #take(received: Uint8Array | Boundary): void {
    if ('boundary' in received) {
      assert.equal(received.timeline, 'contiguous')
      this.boundaries.push(this.got.length)
    } else if (received instanceof Uint8Array) this.got.push({ atMs: this.clock.nowMs(), bytes: received.slice() })
    this.onBytes(received)
  }
}

async function fileOf(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, bytes)
  return path
}

function descriptors(): number {
  return readdirSync('/proc/self/fd').length
}

describe('the reader of a file', () => {
  test('hands every byte over, at the pace of the PCR', async () => {
    const bench = await new Bench(await fileOf('clip.ts', clip.bytes)).until()
    assert.equal(Buffer.compare(bench.bytes, clip.bytes), 0)
    let offset = 0
    let index = 0
    for (const { atMs, bytes } of bench.got) {
      offset += bytes.length
      for (; index < clip.pcrs.length && clip.pcrs[index]!.offset <= offset - 188; index++) {
        const dueMs = (clip.pcrs[index]!.pcr27m - clip.pcrs[0]!.pcr27m) / 27_000
        assert.ok(
          atMs - dueMs >= 0 && atMs - dueMs <= 30,
          `PCR ${index} is due at ${dueMs}, and was handed over at ${atMs}`,
        )
      }
    }
    assert.deepEqual([bench.opened, bench.error, bench.clock.pending], [1, undefined, 0])
  })

  test('begins a new pass at the end if it loops', async () => {
    const bench = new Bench(await fileOf('clip.ts', clip.bytes), { loop: true })
    await bench.until(() => bench.opened === 4)
    await bench.stop()
    assert.deepEqual([bench.boundaries.length, bench.error], [3, undefined])
    const passes = bench.got.slice(0, bench.boundaries[2]).map(({ bytes }) => bytes)
    assert.equal(Buffer.compare(Buffer.concat(passes), Buffer.concat([clip.bytes, clip.bytes, clip.bytes])), 0)
  })

  for (const [name, bytes] of [
    ['the test card', readFileSync(TESTCARD)],
    ['a clip', clip.bytes],
    ['a clip whose PCR wraps', buildTs({ durationS: 2, startPts90k: 2 ** 33 - 90_000 }).bytes],
    ['a clip with audio longer than video', buildTs({ durationS: 2, video: { fps: 7 } }).bytes],
    ['a clip with the PCR on its own PID', buildTs({ durationS: 2, pcr: { pid: 0x90, intervalMs: 40 } }).bytes],
    ['a clip of audio only', buildTs({ durationS: 2, video: false }).bytes],
  ] as const) {
    test(`does not drift from the timeline, loop by loop: ${name}`, async () => {
      const bench = new Bench(await fileOf('drift.ts', bytes), { loop: true })
      const follower = new ClockFollower()
      bench.onBytes = (received) => follower.push(received, bench.clock.nowMs())
      await bench.until(() => bench.opened > 12)
      await bench.stop()
      assert.ok(follower.atBoundary.length >= 11)
      const [first] = follower.atBoundary
      for (const [index, deviation] of follower.atBoundary.entries()) {
        assert.ok(Math.abs(deviation - first!) <= 25, `${deviation - first!} ms off in pass ${index + 1}`)
      }
    })
  }

  test('loops a file with a clock jump without counting the jump as time', async () => {
    const jump = Buffer.concat([clip.bytes, buildTs({ durationS: 2, startPts90k: 90_000 }).bytes])
    const bench = new Bench(await fileOf('jump.ts', jump), { loop: true })
    await bench.until(() => bench.boundaries.length === 10)
    await bench.stop()
    const passMs = bench.clock.nowMs() / 10
    assert.ok(passMs > 3800 && passMs < 4200, `${passMs} ms a pass`)
  })

  test('does not catch up on time that the machine slept', async () => {
    const bench = new Bench(await fileOf('clip.ts', clip.bytes))
    await bench.until(() => bench.clock.nowMs() >= 1000)
    const before = bench.bytes.length
    await bench.ahead()
    bench.clock.sleep(60_000)
    bench.reader.onBatch()
    await new Promise((resolve) => setImmediate(resolve))
    assert.ok(bench.bytes.length - before < clip.bytes.length / 20, `${bench.bytes.length - before} bytes at once`)
    await bench.until()
    assert.equal(Buffer.compare(bench.bytes, clip.bytes), 0)
    const wantedMs = 60_000 + 2000
    assert.ok(Math.abs(bench.clock.nowMs() - wantedMs) < 200, `${bench.clock.nowMs()} ms`)
  })

  test('catches up after a short pause', async () => {
    const bench = new Bench(await fileOf('clip.ts', clip.bytes))
    await bench.until(() => bench.clock.nowMs() >= 500)
    await bench.ahead()
    bench.clock.sleep(300)
    await bench.until()
    assert.ok(bench.clock.nowMs() < 2300, `${bench.clock.nowMs()} ms`)
  })

  test('closes the file at whatever point it is cancelled', async () => {
    const path = await fileOf('clip.ts', clip.bytes)
    const open = descriptors()
    for (const pace of ['pcr', 'none'] as const) {
      for (let turns = 0; turns < 12; turns++) {
        const bench = new Bench(path, { pace, loop: true })
        for (let turn = 0; turn < turns; turn++) {
          await new Promise((resolve) => setImmediate(resolve))
          bench.advance()
        }
        await bench.stop()
        const count = bench.got.length
        await new Promise((resolve) => setImmediate(resolve))
        assert.deepEqual([bench.got.length, bench.error, bench.clock.pending], [count, undefined, 0])
        assert.equal(descriptors(), open, `${pace}, after ${turns} turns`)
      }
    }
  })

  test('reads the new file when it is replaced between two passes', async () => {
    const path = await fileOf('replaced.ts', clip.bytes)
    const other = buildTs({ durationS: 1, startPts90k: 5_000_000 })
    const bench = new Bench(path, { loop: true })
    await bench.until(() => bench.bytes.length > clip.bytes.length / 2)
    await writeFile(`${path}.new`, other.bytes)
    await rename(`${path}.new`, path)
    await bench.until(() => bench.boundaries.length === 2)
    await bench.stop()
    const passes = bench.got.slice(0, bench.boundaries[1]).map(({ bytes }) => bytes)
    assert.equal(Buffer.compare(Buffer.concat(passes), Buffer.concat([clip.bytes, other.bytes])), 0)
  })
})

describe('the reader of a file without pacing', () => {
  const large = buildTs({ durationS: 4, video: { bitrate: 4e6 } }).bytes

  test('hands every byte over as fast as it is read', async () => {
    const bench = new Bench(await fileOf('large.ts', large), { pace: 'none' })
    await bench.done
    assert.equal(Buffer.compare(bench.bytes, large), 0)
    assert.equal(bench.clock.nowMs(), 0)
  })

  test('loses nothing when it is held and released, inside a block or later, once or often', async () => {
    const bench = new Bench(await fileOf('large.ts', large), { pace: 'none' })
    const holds: Disposable[] = []
    bench.onBytes = () => void holds.push(bench.reader.hold(), bench.reader.hold())
    for (let count = 1; !bench.isOver; count++) {
      while (holds.length === 0 && !bench.isOver) await new Promise((resolve) => setImmediate(resolve))
      assert.ok(bench.got.length <= count, 'nothing is emitted while it is held')
      const [one, two] = holds.splice(0)
      one?.[Symbol.dispose]()
      one?.[Symbol.dispose]()
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
      assert.ok(bench.got.length <= count, 'one of two holds is left')
      two?.[Symbol.dispose]()
    }
    assert.equal(Buffer.compare(bench.bytes, large), 0)
  })

  test('can be cancelled while it is held', async () => {
    const open = descriptors()
    const bench = new Bench(await fileOf('large.ts', large), { pace: 'none' })
    bench.reader.hold()
    await new Promise((resolve) => setImmediate(resolve))
    await bench.stop()
    assert.deepEqual([bench.got.length, bench.error, descriptors()], [0, undefined, open])
  })
})

describe('a file that cannot be read', () => {
  const silent = new Uint8Array(5 * 1024 * 1024)
  const cases: readonly {
    code: string
    name: string
    make(path: string): Promise<unknown>
    more?: Partial<FileReaderSettings>
  }[] = [
    { code: 'FILE_UNREADABLE', name: 'does not exist', make: () => Promise.resolve() },
    { code: 'FILE_NOT_REGULAR', name: 'is a folder', make: (path) => mkdir(path) },
    { code: 'FILE_NOT_REGULAR', name: 'is a pipe', make: (path) => Promise.resolve(execFileSync('mkfifo', [path])) },
    { code: 'FILE_EMPTY', name: 'is empty', make: (path) => writeFile(path, '') },
    {
      code: 'FILE_EMPTY',
      name: 'is empty, without pacing',
      make: (path) => writeFile(path, ''),
      more: { pace: 'none' },
    },
    { code: 'FILE_EMPTY', name: 'is empty, in a loop', make: (path) => writeFile(path, ''), more: { loop: true } },
    { code: 'FILE_NO_CLOCK', name: 'has no PCR', make: (path) => writeFile(path, 'no stream') },
    { code: 'FILE_NO_CLOCK', name: 'has no PCR for 4 MiB', make: (path) => writeFile(path, silent) },
  ]
  const tested = new Set<string>()
  for (const [index, { code, name, make, more }] of cases.entries()) {
    test(`because it ${name} fails with ${code}`, async () => {
      const path = join(folder, `wrong-${index}`)
      await make(path)
      const open = descriptors()
      const bench = new Bench(path, more)
      await bench.until()
      assert.ok(isEngineError(bench.error) && bench.error.code === code, String(bench.error))
      assert.ok(bench.error.message.includes(path))
      assert.equal(descriptors(), open)
      tested.add(code)
    })
  }

  test('because its parent is not a folder fails with FILE_UNREADABLE', async () => {
    const path = await fileOf('plain.ts', clip.bytes)
    const bench = await new Bench(`${path}/below.ts`).until()
    assert.ok(isEngineError(bench.error) && bench.error.code === 'FILE_UNREADABLE')
  })

  test('has only error codes that are tested, here or with the kind and format of the file', () => {
    const ofKind = ['FILE_OTHER_FORMAT', 'FILE_PIPE_OPTION', 'FILE_STDIN']
    assert.deepEqual([...tested, ...ofKind].sort(), Object.keys(fileError.table).sort())
  })
})

/** Measures, at the last PCR of each pass, how far the engine's timeline deviates from the time of arrival. */
class ClockFollower {
  /** Milliseconds. */
  readonly atBoundary: number[] = []
  #framer = new Framer()
  readonly #timeline = new Timeline()
  #generation = 0
  #ticks = -1
  #lastPcr = 0
  #deviation = 0

  push(received: Received, nowMs: number): void {
    if (received instanceof Uint8Array) {
      for (const chunk of [...this.#framer.push(received, nowMs), ...this.#framer.flush(nowMs)]) {
        for (const moved of this.#timeline.push(chunk)) this.#follow(moved)
      }
      return
    }
    assert.ok('boundary' in received)
    const last = this.#framer.finish(nowMs)
    for (const chunk of this.#timeline.endGeneration(last, { timeline: received.timeline })) this.#follow(chunk)
    this.#framer = new Framer({ generation: ++this.#generation, firstSeq: this.#framer.nextSeq })
    this.atBoundary.push(this.#deviation)
  }

  #follow({ marks, bytes, receivedAtMs }: TsChunk): void {
    for (let at = 0; at < marks.length; at += MARK_SIZE) {
      if ((marks[at + MARK_FLAGS]! & HAS_PCR) === 0) continue
      const pcr = readPcrBase(bytes, marks[at + MARK_OFFSET]!)
      const step = this.#ticks < 0 ? 0 : (pcr - this.#lastPcr + 2 ** 33) % 2 ** 33
      // A jump inside the file is paced at the previous rate and counts as no time.
      this.#ticks = Math.max(0, this.#ticks) + (step > 900_000 ? 0 : step)
      this.#lastPcr = pcr
      this.#deviation = receivedAtMs + marks[at + 3]! - this.#ticks / 90
    }
  }
}
