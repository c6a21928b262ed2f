import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { FakeClock } from '../testing/fake-clock.js'
import type { Session } from '../plugin/audience.js'
import { MediaBlocks } from './media-blocks.js'

const BLOCK = 128 * 1024

/** Takes a piece when the test says so, and keeps what it was given. */
class SlowStream extends Writable {
  readonly held: Buffer[] = []
  #take: (() => void) | undefined

  override _write(piece: Buffer, _encoding: string, callback: () => void): void {
    this.held.push(piece)
    this.#take = callback
  }

  take(): void {
    const take = this.#take
    this.#take = undefined
    take?.()
  }
}

class FastStream extends Writable {
  bytes = Buffer.alloc(0)

  override _write(piece: Buffer, _encoding: string, callback: () => void): void {
    this.bytes = Buffer.concat([this.bytes, piece])
    callback()
  }
}

function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 7 + seed) & 0xff)
}

describe('memory lent to an output', () => {
  test('sends any range of what it keeps, byte for byte, and counts it for the session', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 5 }),
        fc.nat(),
        fc.nat(),
        async (lengths, a, b) => {
          const parts = lengths.map((length, index) => pattern(length, index))
          const all = Buffer.concat(parts)
          const media = new MediaBlocks(10 * BLOCK, new FakeClock()).keep(parts)
          const [from, to] = [a % (all.length + 1), b % (all.length + 1)].sort((x, y) => x - y) as [number, number]
          let counted = 0
          const session: Session = {
            ...{ id: '', isOver: false, end: () => undefined },
            sent: (bytes) => (counted += bytes),
            busy: () => ({ [Symbol.dispose]: () => undefined }),
          }
          const stream = new FastStream()
          assert.equal(await media?.sendTo(stream, { session, from, to }), true)
          assert.ok(stream.bytes.equals(all.subarray(from, to)))
          assert.equal(counted, to - from)
        },
      ),
      { numRuns: 50 },
    )
  })

  test('is used again only when it has been released and nothing is being sent from it', async () => {
    const memory = new MediaBlocks(2 * BLOCK, new FakeClock())
    const first = memory.keep([pattern(BLOCK, 1)])
    const stream = new SlowStream()
    const sent = first!.sendTo(stream)
    first!.release()
    first!.release()
    const second = memory.keep([pattern(BLOCK, 2)])
    assert.ok(second !== undefined)
    assert.ok(stream.held[0]!.equals(pattern(BLOCK, 1)))
    stream.take()
    assert.equal(await sent, true)
    assert.ok(memory.keep([pattern(BLOCK, 4)]) !== undefined)
    assert.equal(memory.bytes, 2 * BLOCK)
  })

  test('is not used again after a stream was cut: the system may still read it', async () => {
    const memory = new MediaBlocks(BLOCK, new FakeClock())
    const media = memory.keep([pattern(BLOCK, 1)])
    const stream = new SlowStream()
    const sent = media!.sendTo(stream)
    stream.destroy()
    assert.equal(await sent, false)
    media!.release()
    assert.equal(memory.bytes, 0)
    memory.keep([pattern(BLOCK, 2)])
    assert.ok(stream.held[0]!.equals(pattern(BLOCK, 1)))
  })

  test('cuts a stream that takes nothing for 90 s, and sends nothing to one that is gone', async () => {
    const clock = new FakeClock()
    const media = new MediaBlocks(BLOCK, clock).keep([pattern(10, 1)])
    const stream = new SlowStream()
    const sent = media!.sendTo(stream)
    clock.advance(89_999)
    assert.equal(stream.destroyed, false)
    clock.advance(2)
    assert.deepEqual([await sent, stream.destroyed], [false, true])
    assert.equal(await media!.sendTo(stream), false)
  })

  test('is taken back from slow clients if the output needs it, oldest media first', async () => {
    const memory = new MediaBlocks(3 * BLOCK, new FakeClock())
    const slow = Array.from({ length: 3 }, () => new SlowStream())
    const sent = slow.map((stream, index) => {
      const media = memory.keep([pattern(BLOCK, index)])!
      const sending = media.sendTo(stream)
      media.release()
      return sending
    })
    assert.ok(memory.keep([pattern(BLOCK, 9)]) !== undefined)
    assert.deepEqual(
      slow.map(({ destroyed }) => destroyed),
      [true, false, false],
    )
    assert.equal(await sent[0], false)
    assert.ok(memory.bytes <= 3 * BLOCK)
    for (const stream of slow) stream.take()
    assert.deepEqual(await Promise.all(sent.slice(1)), [true, true])
  })

  test('sends nothing beyond the media, whatever range is asked for', async () => {
    const memory = new MediaBlocks(BLOCK, new FakeClock())
    memory.keep([pattern(100, 1)])!.release()
    const media = memory.keep([pattern(3, 2)])!
    for (const [from, to] of [
      [0, 1000],
      [-5, Infinity],
      [NaN, 3],
    ] as const) {
      const stream = new FastStream()
      assert.equal(await media.sendTo(stream, { from, to }), true)
      assert.ok(stream.bytes.length <= 3)
    }
  })

  test('is given back when its limit is lowered, as what is kept is released', () => {
    const memory = new MediaBlocks(4 * BLOCK, new FakeClock())
    const kept = Array.from({ length: 4 }, (_, index) => memory.keep([pattern(BLOCK, index)])!)
    kept[0]!.release()
    memory.resize(2 * BLOCK)
    assert.equal(memory.bytes, 3 * BLOCK)
    assert.equal(memory.keep([pattern(BLOCK, 5)]), undefined)
    kept[1]!.release()
    assert.equal(memory.keep([pattern(BLOCK, 5)]), undefined)
    kept[2]!.release()
    assert.ok(memory.keep([pattern(BLOCK, 5)]) !== undefined)
    assert.equal(memory.bytes, 2 * BLOCK)
    memory.resize(3 * BLOCK)
    assert.ok(memory.keep([pattern(BLOCK, 6)]) !== undefined)
  })

  test('refuses more than its limit, and to send what was released', async () => {
    const memory = new MediaBlocks(3 * BLOCK - 1, new FakeClock())
    assert.equal(memory.keep([pattern(2 * BLOCK + 1, 1)]), undefined)
    const media = memory.keep([pattern(2 * BLOCK, 1)])
    media!.release()
    assert.equal(await media!.sendTo(new FastStream()), false)
  })
})
