import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FanOut, type Reader, SLICE_MS } from './fan-out.js'
import { LiveWindow } from './live-window.js'

const ENTRY_BYTES = 100
/** A slice ends at the second clock reading. */
const CLOCK_STEP_MS = SLICE_MS / 2

/** Readers that note the number of the newest entry with each write; time advances with each clock reading. */
class FanOutHarness {
  readonly fanOut: FanOut
  readonly readers: Reader[] = []
  readonly got: number[][] = []
  readonly rounds: { readonly seq: number; readonly written: boolean; readonly wasSliced: boolean }[] = []
  sentBytes = 0
  clockReads = 0
  /** Called for each reader that is written to. False: its socket is full then. */
  onGet: (reader: number) => boolean = () => true
  readonly #window = new LiveWindow(
    { durationMs: 60_000, sizeBytes: 1e9 },
    { isHeld: () => true, unreadFrom: () => Infinity },
  )

  constructor(readers: number, msPerRead: number) {
    this.fanOut = new FanOut({
      nowMs: () => this.clockReads++ * msPerRead,
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
  const harness = new FanOutHarness(300, 0.01)
  harness.push()
  assert.deepEqual(harness.newest(), [0])
  assert.equal(harness.sentBytes, 300 * ENTRY_BYTES)
  assert.deepEqual(harness.rounds, [{ seq: 0, written: true, wasSliced: false }])
  assert.equal(harness.fanOut.pendingFrom, undefined)
})

test('many readers are served in slices, and the event loop turns between them', async () => {
  const harness = new FanOutHarness(1000, CLOCK_STEP_MS)
  harness.push()
  assert.deepEqual(harness.newest(), [0, -1])
  assert.equal(harness.fanOut.pendingFrom, 0)
  let turned = 0
  while (harness.fanOut.pendingFrom !== undefined) {
    await turns(1)
    turned++
  }
  assert.ok(turned > 10)
  assert.deepEqual(harness.newest(), [0])
  assert.ok(harness.got.every((seqs) => seqs.length === 1))
  assert.deepEqual(harness.rounds, [{ seq: 0, written: true, wasSliced: true }])
})

test('entries that arrive during a round reach the readers already visited in another round, and no reader waits forever', async () => {
  const harness = new FanOutHarness(200, CLOCK_STEP_MS)
  harness.push()
  await turns(1)
  harness.push()
  harness.push()
  assert.equal(harness.fanOut.pendingFrom, 0)
  for (let turn = 0; turn < 100 && harness.fanOut.pendingFrom !== undefined; turn++) await turns(1)
  assert.equal(harness.fanOut.pendingFrom, undefined)
  assert.deepEqual(harness.newest(), [2])
  // Readers served before they arrived are offered the newest; readers served later have it already.
  assert.deepEqual([harness.got[0], harness.got[199]?.at(-1)], [[0, 2], 2])
  assert.deepEqual(
    harness.rounds.map(({ seq }) => seq),
    [0, 2],
  )
})

test('pushing faster than a round takes starves no reader', async () => {
  const harness = new FanOutHarness(300, CLOCK_STEP_MS)
  for (let entry = 0; entry < 40; entry++) {
    harness.push()
    await turns(1)
  }
  assert.ok(Math.min(...harness.got.map((seqs) => seqs.at(-1) ?? -1)) > 20)
})

test('finish() completes the rest of a round at once', async () => {
  const harness = new FanOutHarness(500, CLOCK_STEP_MS)
  harness.push()
  harness.push()
  harness.fanOut.finish()
  assert.deepEqual(harness.newest(), [1])
  assert.equal(harness.fanOut.pendingFrom, undefined)
  await turns(3)
  assert.ok(harness.got.every((seqs) => seqs.length <= 2))
})

test('a reader that joins during a round has read everything and gets nothing twice', () => {
  const harness = new FanOutHarness(100, CLOCK_STEP_MS)
  const got: number[] = []
  harness.onGet = (reader) => {
    if (got.push(reader) === 10) harness.join()
    return true
  }
  harness.push()
  harness.fanOut.finish()
  assert.deepEqual(got, [...Array(100).keys()])
  harness.push()
  harness.fanOut.finish()
  assert.equal(got.length, 201)
})

test('a reader that leaves during a round gets nothing more, and no other is skipped or served twice', async () => {
  const harness = new FanOutHarness(100, CLOCK_STEP_MS)
  harness.push()
  const served = harness.got.findIndex((seqs) => seqs.length === 0)
  assert.equal(served, 64)
  for (const reader of [0, 63, 64, 80, 99]) harness.fanOut.delete(harness.readers[reader]!)
  await turns(10)
  assert.equal(harness.fanOut.pendingFrom, undefined)
  const left = new Set([64, 80, 99])
  for (const [reader, seqs] of harness.got.entries()) assert.equal(seqs.length, left.has(reader) ? 0 : 1, `${reader}`)
  harness.push()
  await turns(10)
  for (const [reader, { slot }] of harness.readers.entries())
    assert.equal(harness.got[reader]?.length, slot < 0 ? (left.has(reader) ? 0 : 1) : 2, `${reader}`)
  assert.equal(new Set(harness.readers.map(({ slot }) => slot)).size, 96)
})

test('a full socket gets nothing until its reader is back, which then continues where it was', () => {
  const harness = new FanOutHarness(10, 0)
  harness.onGet = (reader) => reader !== 3
  harness.push()
  harness.push()
  assert.deepEqual([harness.got[3], harness.got[4]], [[0], [0, 1]])
  harness.fanOut.add(harness.readers[3]!, ENTRY_BYTES)
  assert.equal(harness.fanOut.offsetOf(harness.readers[3]!), ENTRY_BYTES)
  harness.onGet = () => true
  harness.push()
  assert.deepEqual([harness.got[3], harness.fanOut.offsetOf(harness.readers[3]!)], [[0, 2], 3 * ENTRY_BYTES])
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
    fc.asyncProperty(
      fc.array(step, { maxLength: 60 }),
      fc.integer({ min: 1, max: 150 }),
      async (steps, readerCount) => {
        const window = new LiveWindow(
          { durationMs: 1e9, sizeBytes: 1e9 },
          { isHeld: () => true, unreadFrom: () => Infinity },
        )
        let clockReads = 0
        const fanOut = new FanOut({
          nowMs: () => clockReads++ * CLOCK_STEP_MS,
          onSent: () => undefined,
          onRound: () => undefined,
        })
        const readers: StrictReader[] = []
        const join = (): void => {
          const reader = new StrictReader(fanOut, window)
          readers.push(reader)
          fanOut.add(reader, window.nextOffset)
        }
        for (let each = 0; each < readerCount; each++) join()
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
      },
    ),
    { numRuns: 150 },
  )
})
