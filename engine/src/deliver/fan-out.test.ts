import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FanOut, type Reader, SLICE_MS } from './fan-out.js'
import { LiveWindow } from './live-window.js'

const ENTRY_BYTES = 100
/** A slice ends at the second clock reading. */
const LOOK_MS = SLICE_MS / 2

/** Readers that note the number of the newest entry with each write; time advances with each clock reading. */
class Crowd {
  readonly fanOut: FanOut
  readonly readers: Reader[] = []
  readonly got: number[][] = []
  readonly rounds: { readonly seq: number; readonly written: boolean; readonly wasSliced: boolean }[] = []
  sentBytes = 0
  looks = 0
  /** Called for each reader that is written to. False: its socket is full then. */
  onGet: (reader: number) => boolean = () => true
  readonly #window = new LiveWindow({ durationMs: 60_000, sizeBytes: 1e9 }, () => true)

  constructor(readers: number, msPerLook: number) {
    this.fanOut = new FanOut({
      nowMs: () => this.looks++ * msPerLook,
      onSent: (bytes) => (this.sentBytes += bytes),
      onRound: ({ seq }, written, wasSliced) => this.rounds.push({ seq, written, wasSliced }),
    })
    for (let reader = 0; reader < readers; reader++) this.join()
  }

  join(): void {
    const number = this.got.push([]) - 1
    const note = (): boolean => {
      this.got[number]?.push(this.#window.next - 1)
      return this.onGet(number)
    }
    const reader: Reader = {
      slot: -1,
      socket: { write: note },
      resume: () => {
        this.fanOut.delete(reader)
        note()
        this.fanOut.add(reader, this.#window.nextOffset)
      },
      onFull: () => this.fanOut.delete(reader),
    }
    this.readers.push(reader)
    this.fanOut.add(reader, this.#window.nextOffset)
  }

  push(): void {
    this.fanOut.push(this.#window.push({ bytes: new Uint8Array(ENTRY_BYTES), receivedAtMs: 0 }))
  }

  /** The distinct last entries that readers were offered. */
  newest(): readonly number[] {
    return [...new Set(this.got.map((seqs) => seqs.at(-1) ?? -1))]
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

test('a quick round is done at once and counted once', () => {
  const crowd = new Crowd(300, 0.01)
  crowd.push()
  assert.deepEqual(crowd.newest(), [0])
  assert.equal(crowd.sentBytes, 300 * ENTRY_BYTES)
  assert.deepEqual(crowd.rounds, [{ seq: 0, written: true, wasSliced: false }])
  assert.equal(crowd.fanOut.pendingFrom, undefined)
})

test('many readers are served in slices, and the event loop turns between them', async () => {
  const crowd = new Crowd(1000, LOOK_MS)
  crowd.push()
  assert.deepEqual(crowd.newest(), [0, -1])
  assert.equal(crowd.fanOut.pendingFrom, 0)
  let turned = 0
  while (crowd.fanOut.pendingFrom !== undefined) {
    await turns(1)
    turned++
  }
  assert.ok(turned > 10)
  assert.deepEqual(crowd.newest(), [0])
  assert.ok(crowd.got.every((seqs) => seqs.length === 1))
  assert.deepEqual(crowd.rounds, [{ seq: 0, written: true, wasSliced: true }])
})

test('entries that arrive during a round reach the readers already visited in another round, and no reader waits forever', async () => {
  const crowd = new Crowd(200, LOOK_MS)
  crowd.push()
  await turns(1)
  crowd.push()
  crowd.push()
  assert.equal(crowd.fanOut.pendingFrom, 0)
  for (let turn = 0; turn < 100 && crowd.fanOut.pendingFrom !== undefined; turn++) await turns(1)
  assert.equal(crowd.fanOut.pendingFrom, undefined)
  assert.deepEqual(crowd.newest(), [2])
  // Readers served before they arrived are offered the newest; readers served later have it already.
  assert.deepEqual([crowd.got[0], crowd.got[199]?.at(-1)], [[0, 2], 2])
  assert.deepEqual(
    crowd.rounds.map(({ seq }) => seq),
    [0, 2],
  )
})

test('pushing faster than a round takes starves no reader', async () => {
  const crowd = new Crowd(300, LOOK_MS)
  for (let entry = 0; entry < 40; entry++) {
    crowd.push()
    await turns(1)
  }
  assert.ok(Math.min(...crowd.got.map((seqs) => seqs.at(-1) ?? -1)) > 20)
})

test('finish() completes the rest of a round at once', async () => {
  const crowd = new Crowd(500, LOOK_MS)
  crowd.push()
  crowd.push()
  crowd.fanOut.finish()
  assert.deepEqual(crowd.newest(), [1])
  assert.equal(crowd.fanOut.pendingFrom, undefined)
  await turns(3)
  assert.ok(crowd.got.every((seqs) => seqs.length <= 2))
})

test('a reader that joins during a round has read everything and gets nothing twice', () => {
  const crowd = new Crowd(100, LOOK_MS)
  const got: number[] = []
  crowd.onGet = (reader) => {
    if (got.push(reader) === 10) crowd.join()
    return true
  }
  crowd.push()
  crowd.fanOut.finish()
  assert.deepEqual(got, [...Array(100).keys()])
  crowd.push()
  crowd.fanOut.finish()
  assert.equal(got.length, 201)
})

test('a reader that leaves during a round gets nothing more, and no other is skipped or served twice', async () => {
  const crowd = new Crowd(100, LOOK_MS)
  crowd.push()
  const served = crowd.got.findIndex((seqs) => seqs.length === 0)
  assert.equal(served, 64)
  for (const reader of [0, 63, 64, 80, 99]) crowd.fanOut.delete(crowd.readers[reader]!)
  await turns(10)
  assert.equal(crowd.fanOut.pendingFrom, undefined)
  const left = new Set([64, 80, 99])
  for (const [reader, seqs] of crowd.got.entries()) assert.equal(seqs.length, left.has(reader) ? 0 : 1, `${reader}`)
  crowd.push()
  await turns(10)
  for (const [reader, { slot }] of crowd.readers.entries())
    assert.equal(crowd.got[reader]?.length, slot < 0 ? (left.has(reader) ? 0 : 1) : 2, `${reader}`)
  assert.equal(new Set(crowd.readers.map(({ slot }) => slot)).size, 96)
})

test('a full socket gets nothing until its reader is back, which then continues where it was', () => {
  const crowd = new Crowd(10, 0)
  crowd.onGet = (reader) => reader !== 3
  crowd.push()
  crowd.push()
  assert.deepEqual([crowd.got[3], crowd.got[4]], [[0], [0, 1]])
  crowd.fanOut.add(crowd.readers[3]!, ENTRY_BYTES)
  assert.equal(crowd.fanOut.offsetOf(crowd.readers[3]!), ENTRY_BYTES)
  crowd.onGet = () => true
  crowd.push()
  assert.deepEqual([crowd.got[3], crowd.fanOut.offsetOf(crowd.readers[3]!)], [[0, 2], 3 * ENTRY_BYTES])
})

/** Takes entries like a viewer, and asserts that they are consecutive. */
class StrictReader implements Reader {
  slot = -1
  isFull = false
  readonly #fanOut: FanOut
  readonly #window: LiveWindow
  #nextSeq: number

  constructor(fanOut: FanOut, window: LiveWindow) {
    this.#fanOut = fanOut
    this.#window = window
    this.#nextSeq = window.next
  }

  get hasAll(): boolean {
    return this.#nextSeq === this.#window.next
  }

  readonly socket = {
    write: (bytes: Uint8Array): boolean => {
      assert.equal(bytes[0], this.#nextSeq & 0xff)
      this.#nextSeq++
      return !this.isFull
    },
  }

  /** Reads everything available, and waits for more. */
  resume(): void {
    this.#fanOut.delete(this)
    for (let entry = this.#window.at(this.#nextSeq); entry !== undefined; entry = this.#window.at(this.#nextSeq)) {
      this.socket.write(entry.bytes)
    }
    this.#fanOut.add(this, this.#window.nextOffset)
  }

  onFull(): void {
    this.#fanOut.delete(this)
  }
}

test('readers that join, leave, fill up or return, in or between rounds, get every entry once and in order', async () => {
  const step = fc.tuple(fc.constantFrom('push', 'turn', 'join', 'leave', 'fill', 'drain'), fc.nat())
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 150 }), async (steps, crowd) => {
      const window = new LiveWindow({ durationMs: 1e9, sizeBytes: 1e9 }, () => true)
      let looks = 0
      const fanOut = new FanOut({ nowMs: () => looks++ * LOOK_MS, onSent: () => undefined, onRound: () => undefined })
      const readers: StrictReader[] = []
      const join = (): void => {
        const reader = new StrictReader(fanOut, window)
        readers.push(reader)
        fanOut.add(reader, window.nextOffset)
      }
      for (let each = 0; each < crowd; each++) join()
      for (const [what, which] of steps) {
        const reader = readers[which % Math.max(1, readers.length)]
        if (what === 'push') {
          const bytes = new Uint8Array(ENTRY_BYTES).fill(window.next & 0xff)
          fanOut.push(window.push({ bytes, receivedAtMs: 0 }))
        } else if (what === 'turn') await turns(1)
        else if (what === 'join') join()
        else if (reader === undefined) continue
        else if (what === 'leave') {
          fanOut.delete(reader)
          readers.splice(readers.indexOf(reader), 1)
        } else if (what === 'fill') reader.isFull = true
        else {
          reader.isFull = false
          reader.resume()
        }
      }
      fanOut.finish()
      for (const reader of readers) assert.ok(reader.slot < 0 || reader.hasAll)
      const slots = readers.map(({ slot }) => slot).filter((slot) => slot >= 0)
      assert.deepEqual(
        slots.sort((a, b) => a - b),
        [...slots.keys()],
      )
    }),
    { numRuns: 150 },
  )
})
