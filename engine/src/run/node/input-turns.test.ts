import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ALLOWANCE_MS, AT_ONCE_MS, InputTurns } from './input-turns.js'
import { InputQueue, SLICE_BYTES, WAITING_BOUND_BYTES } from './input-queue.js'

/** A turn of the event loop ends when the test says so; each slice takes the time that its feed needs. */
class Loop {
  nowMs = 0
  readonly turns = new InputTurns({ nowMs: () => this.nowMs }, (run) => this.#scheduled.push(run))
  #scheduled: (() => void)[] = []

  get isIdle(): boolean {
    return this.#scheduled.length === 0
  }

  endTurn(): void {
    for (const run of this.#scheduled.splice(0)) run()
  }

  /** Until nothing waits. */
  run(): void {
    for (let turn = 0; !this.isIdle; turn++) {
      assert.ok(turn < 10_000, 'it goes on for ever')
      this.endTurn()
    }
  }
}

class Feed {
  readonly queue: InputQueue
  /** What was processed: the first byte of each slice, or what happened. */
  readonly got: string[] = []
  takenBytes = 0
  pauses = 0
  maxBytesPerS: number | undefined

  constructor(loop: Loop, { costMs, canPause = true }: { readonly costMs: number; readonly canPause?: boolean }) {
    this.queue = new InputQueue({
      turns: loop.turns,
      take: (bytes) => {
        loop.nowMs += costMs
        this.takenBytes += bytes.length
        this.got.push(String(bytes[0]))
      },
      markLost: () => this.got.push('lost'),
      enter: (run) => run(),
      pause: () => {
        if (!canPause) return undefined
        this.pauses++
        return { [Symbol.dispose]: () => void this.pauses-- }
      },
      maxBytesPerS: () => this.maxBytesPerS,
    })
  }

  receive(bytes: number, value = 1, atMs = 0): void {
    this.queue.push(new Uint8Array(bytes).fill(value), atMs)
  }
}

describe('the allowance of inputs', () => {
  test('what is light is processed as it arrives, whole, and wakes nobody', () => {
    const loop = new Loop()
    const feed = new Feed(loop, { costMs: 0.001 })
    for (let piece = 0; piece < 100; piece++) feed.receive(1316)
    assert.deepEqual([feed.got.length, feed.queue.waitingBytes, loop.isIdle], [100, 0, true])
  })

  test('no turn takes longer than the allowance and two slices, whatever arrives', () => {
    const loop = new Loop()
    const costMs = 1.5
    const feeds = Array.from({ length: 5 }, () => new Feed(loop, { costMs }))
    for (let turn = 0; turn < 50; turn++) {
      const startMs = loop.nowMs
      for (const feed of feeds) feed.receive(8 * SLICE_BYTES)
      loop.endTurn()
      assert.ok(loop.nowMs - startMs <= ALLOWANCE_MS + 2 * costMs, `turn ${turn} took ${loop.nowMs - startMs} ms`)
    }
    const taken = feeds.map(({ takenBytes }) => takenBytes)
    assert.ok(Math.max(...taken) < 2 * Math.min(...taken), `shares: ${taken.join(', ')}`)
  })

  test('a light input beside a heavy one waits a turn at most', () => {
    const loop = new Loop()
    const heavy = new Feed(loop, { costMs: 4 })
    const light = new Feed(loop, { costMs: 0.01 })
    for (let turn = 0; turn < 20; turn++) {
      heavy.receive(8 * SLICE_BYTES)
      light.receive(1316)
      loop.endTurn()
      assert.equal(light.queue.waitingBytes, 0)
    }
    assert.ok(heavy.queue.waitingBytes > 0)
  })

  test('bytes, ends of generations and the end of the stream stay in order', () => {
    const loop = new Loop()
    const feed = new Feed(loop, { costMs: AT_ONCE_MS })
    feed.receive(3 * SLICE_BYTES, 1)
    feed.queue.boundary(() => feed.got.push('first end'))
    feed.queue.boundary(() => feed.got.push('second end'))
    feed.receive(100, 2)
    feed.queue.end(() => feed.got.push('over'))
    loop.run()
    assert.deepEqual(feed.got, ['1', '1', '1', 'first end', '2', 'over'])
    feed.queue.boundary(() => feed.got.push('at once'))
    assert.equal(feed.got.at(-1), 'at once')
  })

  test('a source that can pause does so over the bound, continues at half of it, and loses nothing', () => {
    const loop = new Loop()
    const feed = new Feed(loop, { costMs: 2 })
    let sent = 0
    for (let turn = 0; turn < 100 && feed.pauses === 0; turn++) {
      feed.receive(12 * SLICE_BYTES)
      sent += 12 * SLICE_BYTES
      loop.endTurn()
    }
    assert.equal(feed.pauses, 1)
    assert.ok(feed.queue.waitingBytes <= WAITING_BOUND_BYTES + 12 * SLICE_BYTES)
    while (feed.pauses > 0) loop.endTurn()
    assert.ok(feed.queue.waitingBytes > 0 && feed.queue.waitingBytes <= WAITING_BOUND_BYTES / 2)
    loop.run()
    assert.deepEqual([feed.takenBytes, feed.queue.lostBytes, feed.queue.waitingSinceMs], [sent, 0, Infinity])
  })

  for (const canPause of [false, true]) {
    test(`what a source ${canPause ? 'sends although it is paused' : 'that cannot pause sends too much'} is dropped and marked`, () => {
      const loop = new Loop()
      const feed = new Feed(loop, { costMs: 2, canPause })
      for (let piece = 0; piece < 200; piece++) feed.receive(2 * SLICE_BYTES)
      assert.ok(feed.queue.waitingBytes <= 2 * WAITING_BOUND_BYTES)
      assert.equal(feed.queue.losses, 1)
      loop.run()
      assert.equal(feed.takenBytes + feed.queue.lostBytes, 200 * 2 * SLICE_BYTES)
      assert.equal(feed.got.at(-1), 'lost')
      feed.receive(100, 2)
      assert.equal(feed.got.at(-1), '2')
    })
  }

  for (const stepMs of [0, 1, 4, 5, 40]) {
    test(`memory stays within its bound when packets come one by one, ${stepMs} ms apart`, () => {
      const loop = new Loop()
      const feed = new Feed(loop, { costMs: 2 })
      feed.maxBytesPerS = 1
      feed.receive(2 * SLICE_BYTES)
      let sent = 0
      for (; feed.pauses === 0; sent++) feed.receive(188, 1, sent * stepMs)
      assert.ok(sent * 188 >= WAITING_BOUND_BYTES / 4, `${sent * 188} bytes`)
      assert.ok(feed.queue.heldBytes <= WAITING_BOUND_BYTES + SLICE_BYTES, `${feed.queue.heldBytes} bytes are held`)
      feed.maxBytesPerS = undefined
      loop.run()
      assert.deepEqual([feed.queue.heldBytes, feed.queue.waitingBytes], [0, 0])
    })
  }

  test('a limit on the rate lets a second pass at once, and the rest wait', () => {
    const loop = new Loop()
    const feed = new Feed(loop, { costMs: 0 })
    feed.maxBytesPerS = 100_000
    for (let piece = 0; piece < 50; piece++) {
      feed.receive(10_000)
      loop.endTurn()
    }
    assert.ok(feed.takenBytes <= 120_000, `${feed.takenBytes} bytes`)
    assert.equal(feed.queue.isOverRate, true)
    loop.nowMs += 1000
    feed.queue.poll()
    loop.run()
    assert.ok(feed.takenBytes > 190_000 && feed.takenBytes <= 240_000, `${feed.takenBytes} bytes`)
  })

  test('what waits when the input stops is dropped, and nothing is paused', () => {
    const loop = new Loop()
    const feed = new Feed(loop, { costMs: AT_ONCE_MS })
    for (let piece = 0; piece < 40; piece++) feed.receive(2 * SLICE_BYTES)
    const before = feed.takenBytes
    feed.queue.clear()
    loop.run()
    assert.deepEqual([feed.takenBytes, feed.pauses, feed.queue.waitingBytes], [before, 0, 0])
  })
})
