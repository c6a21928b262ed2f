import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type IsHeld, WindowMemory } from './window-memory.js'

const NOT_HELD: IsHeld = () => false

/** A window of at most `entries` entries; older ones are dropped. */
class Stream {
  readonly memory: WindowMemory
  readonly kept: Buffer[] = []
  readonly #entries: number
  #offsets: number[] = [0]

  constructor(isHeld: IsHeld, entries: number) {
    this.memory = new WindowMemory(isHeld)
    this.#entries = entries
  }

  run(entries: number, size = 100): void {
    for (let count = 0; count < entries; count++) {
      const offset = this.#offsets.at(-1)!
      this.kept.push(this.memory.keep(new Uint8Array(size).fill(this.kept.length), offset))
      this.#offsets.push(offset + size)
      this.memory.dropBefore(this.#offsets.at(-1 - this.#entries) ?? 0)
    }
  }

  /** The distinct blocks of the entries from `from` on. */
  blocksFrom(from: number): Set<ArrayBufferLike> {
    return new Set(this.kept.slice(from).map(({ buffer }) => buffer))
  }

  offsetOf(entry: number): number {
    return this.#offsets[entry]!
  }

  isIntact(entry: number): boolean {
    return this.kept[entry]!.every((byte) => byte === (entry & 0xff))
  }
}

test('memory is reused when the window has dropped its contents: no new memory is needed from then on', () => {
  const stream = new Stream(NOT_HELD, 200)
  stream.run(1000)
  const before = stream.blocksFrom(1000 - 300)
  stream.run(100_000)
  assert.ok(before.size > 5)
  assert.deepEqual(
    [...stream.blocksFrom(1000)].filter((block) => !before.has(block)),
    [],
  )
  assert.ok(stream.memory.bytes < 1.3 * 200 * 100, `${stream.memory.bytes} bytes for ${200 * 100}`)
})

test('held bytes are not overwritten, however long they are held', () => {
  let heldFrom = 0
  const stream = new Stream((from, to) => to > heldFrom && from < heldFrom + 1, 200)
  stream.run(1000)
  heldFrom = stream.offsetOf(900) + 50
  stream.run(20_000)
  assert.ok(stream.isIntact(900))
  assert.ok(stream.blocksFrom(1000).size < 60, `${stream.blocksFrom(1000).size} blocks for 100 windows`)
})

test('if everything is held, it is left to the holders, and the window uses no more memory', () => {
  const stream = new Stream(() => true, 200)
  stream.run(1000)
  for (const entry of stream.kept.keys()) assert.ok(stream.isIntact(entry))
  assert.ok(stream.memory.bytes < 1.3 * 200 * 100)
})

test('memory excluded from reuse is never reused, and later memory is', () => {
  const stream = new Stream(NOT_HELD, 200)
  stream.run(1000)
  stream.memory.forbidReuse()
  stream.run(20_000)
  for (let entry = 800; entry < 1000; entry++) assert.ok(stream.isIntact(entry), `entry ${entry}`)
  assert.ok(stream.blocksFrom(1000).size < 100, `${stream.blocksFrom(1000).size} blocks for 100 windows`)
})

test('a block excluded from reuse is still filled to its end: excluding costs the window no memory', () => {
  const stream = new Stream(NOT_HELD, 200)
  for (let count = 0; count < 1000; count++) {
    stream.run(1)
    stream.memory.forbidReuse()
  }
  assert.ok(stream.memory.bytes < 1.3 * 200 * 100, `${stream.memory.bytes} bytes`)
})

test('holders are not checked for each entry', () => {
  let asked = 0
  const stream = new Stream(() => {
    asked++
    return false
  }, 200)
  stream.run(1000)
  asked = 0
  stream.run(10_000)
  assert.ok(asked < 10_000 / 4, `asked ${asked} times for ten thousand entries`)
})

test('block sizes follow the rate: large blocks are freed when the stream slows down', () => {
  const stream = new Stream(NOT_HELD, 200)
  stream.run(1000, 10_000)
  stream.run(1000, 10)
  assert.ok(stream.memory.bytes < 1.3 * 200 * 10, `${stream.memory.bytes} bytes for ${200 * 10}`)
})

test('an entry larger than a block gets a block of its own', () => {
  const stream = new Stream(NOT_HELD, 10)
  stream.run(20)
  stream.run(1, 3 * 1024 * 1024)
  assert.ok(stream.isIntact(20))
  stream.run(50)
  assert.ok(stream.memory.bytes < 3000)
})
