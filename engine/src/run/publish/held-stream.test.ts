import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { FakeClock } from '../../testing/fake-clock.js'
import { ScriptedPublisher } from '../../testing/scripted-publishers.js'
import { type HeldMemory, HeldStream } from './held-stream.js'

const KIB = 1024

class Held {
  readonly clock = new FakeClock()
  readonly publisher = new ScriptedPublisher('a')
  readonly stream: HeldStream
  readonly read: number[] = []
  ended = ''

  constructor(memory: HeldMemory = { bytes: 0 }) {
    this.stream = new HeldStream(this.publisher, this.clock, memory)
    this.stream.onEnd = (why) => (this.ended = why)
    this.stream.start()
    this.stream.expectReader()
  }

  send(...lengths: readonly number[]): void {
    for (const length of lengths) this.publisher.send(new Uint8Array(length))
  }

  readAll(): void {
    this.stream.read({
      next: (item) => this.read.push((item as Uint8Array).length),
      end: (why) => (this.ended = why),
    })
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn()
}

describe('a stream that is paused', () => {
  test('has not been silent meanwhile: nothing of it is read', () => {
    const held = new Held()
    held.clock.advance(2000)
    assert.equal(held.stream.silentMs, 2000)
    const pause = held.stream.pause()
    held.clock.advance(60_000)
    assert.equal(held.stream.silentMs, 0)
    pause[Symbol.dispose]()
    assert.equal(held.stream.silentMs, 0)
    held.clock.advance(3000)
    assert.equal(held.stream.silentMs, 3000)
  })
})

describe('a stream that was held', () => {
  test('is handed over in slices, in order with what arrives meanwhile', async () => {
    const memory = { bytes: 0 }
    const held = new Held(memory)
    held.send(...Array<number>(64).fill(64 * KIB))
    assert.equal(memory.bytes, 4096 * KIB)
    held.readAll()
    assert.equal(held.read.length, 2)
    held.send(7)
    assert.equal(held.read.length, 2)
    await turns(40)
    assert.deepEqual([held.read.length, held.read.at(-1), memory.bytes], [65, 7, 0])
    held.send(8)
    assert.equal(held.read.at(-1), 8)
  })

  test('reaches its reader to the end when the publisher leaves meanwhile', async () => {
    const held = new Held()
    held.send(...Array<number>(10).fill(64 * KIB))
    held.readAll()
    held.publisher.leave()
    assert.deepEqual([held.read.length, held.ended], [2, ''])
    await turns(10)
    assert.deepEqual([held.read.length, held.ended], [10, 'it has ended its stream'])
  })

  test('ends at once when it is closed, or when its reader goes after the publisher', async () => {
    for (const end of [(held: Held) => held.stream.close('replaced', 'x'), (held: Held) => held.stream.hold()]) {
      const memory = { bytes: 0 }
      const held = new Held(memory)
      held.send(...Array<number>(10).fill(64 * KIB))
      held.readAll()
      held.publisher.leave()
      end(held)
      await turns(10)
      assert.deepEqual([held.read.length, memory.bytes, held.ended], [2, 0, 'it has ended its stream'])
    }
  })

  test('waits for the next reader when the first one goes', async () => {
    const held = new Held()
    held.send(...Array<number>(10).fill(64 * KIB))
    held.readAll()
    held.stream.hold()
    await turns(5)
    assert.equal(held.read.length, 2)
    held.readAll()
    await turns(10)
    assert.equal(held.read.length, 10)
  })

  test('waits while its reader pauses, and is passed on in order, and to its end, afterwards', async () => {
    const held = new Held()
    held.readAll()
    held.send(1)
    const pause = held.stream.pause()
    held.send(2, 3)
    held.publisher.leave()
    await turns(5)
    assert.deepEqual([held.read, held.ended], [[1], ''])
    pause[Symbol.dispose]()
    await turns(5)
    assert.deepEqual([held.read, held.ended], [[1, 2, 3], 'it has ended its stream'])
  })

  test('takes memory for each item, and no more with others than an input may', () => {
    const memory = { bytes: 0 }
    const tiny = new Held(memory)
    for (let count = 0; count < 100_000 && !tiny.publisher.isClosed; count++) tiny.send(1)
    assert.equal(tiny.publisher.refused?.code, 'offline')
    assert.equal(memory.bytes, 0)
    const all = Array.from({ length: 20 }, () => new Held(memory))
    for (const held of all) held.send(15 * 1024 * KIB)
    const refused = all.filter(({ publisher }) => publisher.refused?.code === 'overloaded')
    assert.equal(refused.length, 3)
    for (const { stream } of all) stream.close('closing', 'x')
    assert.equal(memory.bytes, 0)
  })
})
