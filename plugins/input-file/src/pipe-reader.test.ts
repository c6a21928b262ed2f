import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { constants, readdirSync } from 'node:fs'
import { mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { isEngineError } from '@millrace/engine/plugin'
import { buildTs, FakeContext } from '@millrace/engine/testing'
import { PipeReader } from './pipe-reader.js'

let folder = ''
let pipes = 0

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-pipe-'))
})

after(() => rm(folder, { recursive: true }))

const clip = buildTs({ durationS: 4, video: { bitrate: 4e6 } }).bytes

class Bench {
  readonly path: string
  readonly reader: PipeReader
  readonly done: Promise<void>
  opened = 0
  gone = 0
  error: unknown
  onBytes: () => void = () => undefined
  readonly #parts: Uint8Array[] = []
  /** Bytes before each boundary. */
  readonly boundaries: number[] = []
  #length = 0

  constructor(path = fifo()) {
    this.path = path
    this.reader = new PipeReader({
      path,
      guard: (run) => new FakeContext().guard(run),
      onOpen: () => this.opened++,
      onWriterGone: () => this.gone++,
      onBytes: (received) => {
        if ('boundary' in received) {
          assert.equal(received.timeline, 'elapsed')
          this.boundaries.push(this.#length)
          return
        }
        assert.ok(received instanceof Uint8Array)
        this.#parts.push(received.slice())
        this.#length += received.length
        this.onBytes()
      },
    })
    this.done = this.reader.run().catch((error: unknown) => void (this.error = error))
  }

  get length(): number {
    return this.#length
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.#parts)
  }

  async until(claim: () => boolean): Promise<void> {
    while (!claim()) {
      assert.equal(this.error, undefined)
      await turn()
    }
  }

  async stop(): Promise<void> {
    this.reader.cancel()
    await this.done
  }
}

/** Fails instead of waiting if there is no reader. */
function openWriter(path: string): Promise<FileHandle> {
  return open(path, constants.O_WRONLY | constants.O_NONBLOCK)
}

/** Writes as much as fits into the pipe; returns the rest. */
async function fill(writer: FileHandle, bytes: Uint8Array): Promise<Uint8Array> {
  let at = 0
  try {
    while (at < bytes.length) at += (await writer.write(bytes, at)).bytesWritten
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN')
  }
  return bytes.subarray(at)
}

async function write(writer: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.length > 0; await turn()) rest = await fill(writer, rest)
}

function fifo(): string {
  const path = join(folder, `${pipes++}.fifo`)
  execFileSync('mkfifo', [path])
  return path
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function descriptors(): number {
  return readdirSync('/proc/self/fd').length
}

describe('the reader of a named pipe', () => {
  test('hands over every byte of its writers in turn, with a boundary between them', async () => {
    const bench = new Bench()
    await bench.until(() => bench.opened === 1)
    for (let writers = 1; writers <= 4; writers++) {
      const writer = await openWriter(bench.path)
      await write(writer, clip)
      await writer.close()
      await bench.until(() => bench.opened === writers + 1)
    }
    await bench.stop()
    assert.deepEqual(
      bench.boundaries,
      [1, 2, 3, 4].map((count) => count * clip.length),
    )
    assert.equal(bench.gone, 4)
    assert.equal(Buffer.compare(bench.bytes, Buffer.concat([clip, clip, clip, clip])), 0)
  })

  test('keeps a descriptor open for a writer that arrives while the pipe is reopened', async () => {
    const bench = new Bench()
    await bench.until(() => bench.opened === 1)
    const parts = Array.from({ length: 40 }, (_, index) => clip.subarray(index * 18_800, (index + 1) * 18_800))
    for (const part of parts) {
      // The test does not wait for the reader: a pipe without one would refuse the next writer.
      const writer = await openWriter(bench.path)
      await write(writer, part)
      await writer.close()
    }
    const expected = Buffer.concat(parts)
    await bench.until(() => bench.length === expected.length)
    await bench.stop()
    assert.equal(Buffer.compare(bench.bytes, expected), 0)
  })

  test('makes the writer wait while it is held, and loses nothing', async () => {
    const bench = new Bench()
    await bench.until(() => bench.opened === 1)
    const writer = await openWriter(bench.path)
    const holds: Disposable[] = []
    bench.onBytes = () => {
      if (holds.length === 0) holds.push(bench.reader.hold(), bench.reader.hold())
    }
    let rest: Uint8Array = clip
    while (rest.length > 0) {
      rest = await fill(writer, rest)
      if (holds.length === 0) {
        await turn()
        continue
      }
      // A paused socket emits only what it has already read.
      const heldAt = bench.length
      rest = await fillForLong(writer, rest)
      assert.equal(bench.length, heldAt)
      const [one, two] = holds
      one?.[Symbol.dispose]()
      one?.[Symbol.dispose]()
      for (let count = 0; count < 5; count++) await turn()
      assert.equal(bench.length, heldAt, 'one of two holds is left')
      holds.length = 0
      two?.[Symbol.dispose]()
    }
    for (const hold of holds.splice(0)) hold[Symbol.dispose]()
    bench.onBytes = () => undefined
    await bench.until(() => bench.length === clip.length)
    await writer.close()
    await bench.stop()
    assert.equal(Buffer.compare(bench.bytes, clip), 0)
  })

  test('held before it is open, emits nothing until it is released', async () => {
    const bench = new Bench()
    const hold = bench.reader.hold()
    await bench.until(() => bench.opened === 1)
    const writer = await openWriter(bench.path)
    await fill(writer, clip.subarray(0, 18_800))
    await writer.close()
    for (let count = 0; count < 20; count++) await turn()
    assert.deepEqual([bench.length, bench.gone], [0, 0])
    hold[Symbol.dispose]()
    await bench.until(() => bench.gone === 1)
    await bench.stop()
    assert.equal(bench.length, 18_800)
  })

  test('uses no CPU without a writer, before the first one and after it', async () => {
    const bench = new Bench()
    await bench.until(() => bench.opened === 1)
    const writer = await openWriter(bench.path)
    await writer.close()
    await bench.until(() => bench.opened === 2)
    const began = process.cpuUsage()
    const beganMs = performance.now()
    while (performance.now() - beganMs < 300) await new Promise((resolve) => setTimeout(resolve, 50))
    const { user, system } = process.cpuUsage(began)
    assert.ok(user + system < 100_000, `${user + system} µs of 300 ms`)
    assert.equal(bench.opened, 2)
    await bench.stop()
  })

  test('leaves no descriptor behind wherever it is cancelled', async () => {
    const path = fifo()
    const count = descriptors()
    for (let turns = 0; turns < 12; turns++) {
      const bench = new Bench(path)
      for (let each = 0; each < turns; each++) await turn()
      await bench.stop()
      await bench.stop()
      assert.deepEqual([bench.error, descriptors()], [undefined, count], `after ${turns} turns`)
    }
  })

  for (const [name, replace] of [
    ['is removed', (path: string) => rm(path)],
    ['becomes a file', (path: string) => writeFile(`${path}.new`, clip).then(() => rename(`${path}.new`, path))],
  ] as const) {
    test(`fails with FILE_UNREADABLE when the pipe ${name}`, async () => {
      const bench = new Bench()
      await bench.until(() => bench.opened === 1)
      const count = descriptors()
      const writer = await openWriter(bench.path)
      await replace(bench.path)
      await write(writer, clip.subarray(0, 18_800))
      await writer.close()
      await bench.done
      assert.ok(isEngineError(bench.error) && bench.error.code === 'FILE_UNREADABLE', String(bench.error))
      assert.deepEqual([bench.length, bench.boundaries], [18_800, [18_800]])
      // The socket, and the bridging descriptor.
      assert.equal(descriptors(), count - 2)
    })
  }
})

/** Writes until nothing has fitted for several turns of the event loop; returns the rest. */
async function fillForLong(writer: FileHandle, bytes: Uint8Array): Promise<Uint8Array> {
  let rest = bytes
  for (let still = 0; still < 5 && rest.length > 0;) {
    const left = await fill(writer, rest)
    still = left.length === rest.length ? still + 1 : 0
    rest = left
    await turn()
  }
  return rest
}
