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
import { PipeReading } from './pipe-reading.js'

let folder = ''
let pipes = 0

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-pipe-'))
})

after(() => rm(folder, { recursive: true }))

const clip = buildTs({ durationS: 4, video: { bitrate: 4e6 } }).bytes

class Reader {
  readonly path: string
  readonly reading: PipeReading
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
    this.reading = new PipeReading({
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
        this.#parts.push(received.slice())
        this.#length += received.length
        this.onBytes()
      },
    })
    this.done = this.reading.play().catch((error: unknown) => void (this.error = error))
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
    this.reading.cancel()
    await this.done
  }
}

/** Fails, and does not wait, if nobody reads. */
function openWriter(path: string): Promise<FileHandle> {
  return open(path, constants.O_WRONLY | constants.O_NONBLOCK)
}

/** What fits into the pipe; returns the rest. */
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

describe('the reading of a named pipe', () => {
  test('hands over every byte of its writers in turn, with a boundary between them', async () => {
    const reader = new Reader()
    await reader.until(() => reader.opened === 1)
    for (let writers = 1; writers <= 4; writers++) {
      const writer = await openWriter(reader.path)
      await write(writer, clip)
      await writer.close()
      await reader.until(() => reader.opened === writers + 1)
    }
    await reader.stop()
    assert.deepEqual(
      reader.boundaries,
      [1, 2, 3, 4].map((count) => count * clip.length),
    )
    assert.equal(reader.gone, 4)
    assert.equal(Buffer.compare(reader.bytes, Buffer.concat([clip, clip, clip, clip])), 0)
  })

  test('has a reader for a writer who comes while it is opened anew', async () => {
    const reader = new Reader()
    await reader.until(() => reader.opened === 1)
    const parts = Array.from({ length: 40 }, (_, index) => clip.subarray(index * 18_800, (index + 1) * 18_800))
    for (const part of parts) {
      // Nobody waits for the reader: a pipe without one would refuse the next writer.
      const writer = await openWriter(reader.path)
      await write(writer, part)
      await writer.close()
    }
    const expected = Buffer.concat(parts)
    await reader.until(() => reader.length === expected.length)
    await reader.stop()
    assert.equal(Buffer.compare(reader.bytes, expected), 0)
  })

  test('lets the writer wait while it is held, and loses nothing', async () => {
    const reader = new Reader()
    await reader.until(() => reader.opened === 1)
    const writer = await openWriter(reader.path)
    const holds: Disposable[] = []
    reader.onBytes = () => {
      if (holds.length === 0) holds.push(reader.reading.hold(), reader.reading.hold())
    }
    let rest: Uint8Array = clip
    while (rest.length > 0) {
      rest = await fill(writer, rest)
      if (holds.length === 0) {
        await turn()
        continue
      }
      // A socket that is paused takes what it has read already, and no more.
      const heldAt = reader.length
      rest = await fillForLong(writer, rest)
      assert.equal(reader.length, heldAt)
      const [one, two] = holds
      one?.[Symbol.dispose]()
      one?.[Symbol.dispose]()
      for (let count = 0; count < 5; count++) await turn()
      assert.equal(reader.length, heldAt, 'one of two holds is left')
      holds.length = 0
      two?.[Symbol.dispose]()
    }
    for (const hold of holds.splice(0)) hold[Symbol.dispose]()
    reader.onBytes = () => undefined
    await reader.until(() => reader.length === clip.length)
    await writer.close()
    await reader.stop()
    assert.equal(Buffer.compare(reader.bytes, clip), 0)
  })

  test('that is held before it is open gives nothing until it is released', async () => {
    const reader = new Reader()
    const hold = reader.reading.hold()
    await reader.until(() => reader.opened === 1)
    const writer = await openWriter(reader.path)
    await fill(writer, clip.subarray(0, 18_800))
    await writer.close()
    for (let count = 0; count < 20; count++) await turn()
    assert.deepEqual([reader.length, reader.gone], [0, 0])
    hold[Symbol.dispose]()
    await reader.until(() => reader.gone === 1)
    await reader.stop()
    assert.equal(reader.length, 18_800)
  })

  test('costs nothing while nobody writes, before the first writer and after', async () => {
    const reader = new Reader()
    await reader.until(() => reader.opened === 1)
    const writer = await openWriter(reader.path)
    await writer.close()
    await reader.until(() => reader.opened === 2)
    const began = process.cpuUsage()
    const beganMs = performance.now()
    while (performance.now() - beganMs < 300) await new Promise((resolve) => setTimeout(resolve, 50))
    const { user, system } = process.cpuUsage(began)
    assert.ok(user + system < 100_000, `${user + system} µs of 300 ms`)
    assert.equal(reader.opened, 2)
    await reader.stop()
  })

  test('leaves no descriptor behind wherever it is cancelled', async () => {
    const path = fifo()
    const count = descriptors()
    for (let turns = 0; turns < 12; turns++) {
      const reader = new Reader(path)
      for (let each = 0; each < turns; each++) await turn()
      await reader.stop()
      await reader.stop()
      assert.deepEqual([reader.error, descriptors()], [undefined, count], `after ${turns} turns`)
    }
  })

  for (const [name, replace] of [
    ['is removed', (path: string) => rm(path)],
    ['becomes a file', (path: string) => writeFile(`${path}.new`, clip).then(() => rename(`${path}.new`, path))],
  ] as const) {
    test(`says FILE_UNREADABLE when the pipe ${name}`, async () => {
      const reader = new Reader()
      await reader.until(() => reader.opened === 1)
      const count = descriptors()
      const writer = await openWriter(reader.path)
      await replace(reader.path)
      await write(writer, clip.subarray(0, 18_800))
      await writer.close()
      await reader.done
      assert.ok(isEngineError(reader.error) && reader.error.code === 'FILE_UNREADABLE', String(reader.error))
      assert.deepEqual([reader.length, reader.boundaries], [18_800, [18_800]])
      // The socket, and the descriptor that bridges.
      assert.equal(descriptors(), count - 2)
    })
  }
})

/** Writes until nothing goes in any more, several turns of the event loop long; returns the rest. */
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
