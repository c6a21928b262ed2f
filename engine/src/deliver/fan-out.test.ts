import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FanOut } from './fan-out.js'
import { LiveWindow, type WindowEntry } from './live-window.js'

const ENTRY_BYTES = 100

/** Readers that note the numbers of what they are offered, and time that passes by one millisecond a look. */
class Crowd {
  readonly fanOut: FanOut
  readonly got: number[][] = []
  readonly rounds: { readonly seq: number; readonly written: boolean; readonly wasSliced: boolean }[] = []
  sentBytes = 0
  looks = 0
  /** Called with each reader that is offered something. */
  onOffer: (reader: number) => void = () => undefined
  readonly #window = new LiveWindow({ durationMs: 60_000, sizeBytes: 1e9 })

  constructor(readers: number, msPerLook: number) {
    this.fanOut = new FanOut({
      nowMs: () => this.looks++ * msPerLook,
      onSent: (bytes) => (this.sentBytes += bytes),
      onRound: ({ seq }, written, wasSliced) => this.rounds.push({ seq, written, wasSliced }),
    })
    for (let reader = 0; reader < readers; reader++) this.join()
  }

  join(): void {
    const reader = this.got.push([]) - 1
    this.fanOut.add({
      offer: ({ seq }: WindowEntry) => {
        this.onOffer(reader)
        this.got[reader]?.push(seq)
        return true
      },
    })
  }

  push(): void {
    this.fanOut.push(this.#window.push({ bytes: new Uint8Array(ENTRY_BYTES), receivedAtMs: 0 }))
  }

  /** What the last entry offered to each was; all the same, or more. */
  newest(): readonly number[] {
    return [...new Set(this.got.map((seqs) => seqs.at(-1) ?? -1))]
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

test('what is quick is done at once, and counted once', () => {
  const crowd = new Crowd(300, 0.01)
  crowd.push()
  assert.deepEqual(crowd.newest(), [0])
  assert.equal(crowd.sentBytes, 300 * ENTRY_BYTES)
  assert.deepEqual(crowd.rounds, [{ seq: 0, written: true, wasSliced: false }])
  assert.equal(crowd.fanOut.pendingFrom, undefined)
})

test('a crowd is served in slices, and the event loop turns between them', async () => {
  const crowd = new Crowd(1000, 1)
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

test('entries that come during a round reach those before in another one, and nobody waits for ever', async () => {
  const crowd = new Crowd(200, 1)
  crowd.push()
  await turns(1)
  crowd.push()
  crowd.push()
  assert.equal(crowd.fanOut.pendingFrom, 0)
  for (let turn = 0; turn < 100 && crowd.fanOut.pendingFrom !== undefined; turn++) await turns(1)
  assert.equal(crowd.fanOut.pendingFrom, undefined)
  assert.deepEqual(crowd.newest(), [2])
  // Who was served before they came is offered the newest, and whoever comes after the first round has it already.
  assert.deepEqual([crowd.got[0], crowd.got[199]?.at(-1)], [[0, 2], 2])
  assert.deepEqual(
    crowd.rounds.map(({ seq }) => seq),
    [0, 2],
  )
})

test('pushing faster than a round takes starves nobody', async () => {
  const crowd = new Crowd(300, 1)
  for (let entry = 0; entry < 40; entry++) {
    crowd.push()
    await turns(1)
  }
  assert.ok(Math.min(...crowd.got.map((seqs) => seqs.at(-1) ?? -1)) > 20)
})

test('what is left of a round is done at once when the end has come', async () => {
  const crowd = new Crowd(500, 1)
  crowd.push()
  crowd.push()
  crowd.fanOut.finish()
  assert.deepEqual(crowd.newest(), [1])
  assert.equal(crowd.fanOut.pendingFrom, undefined)
  await turns(3)
  assert.ok(crowd.got.every((seqs) => seqs.length <= 2))
})

test('who joins or leaves during a round is looked at once, or no more', async () => {
  const crowd = new Crowd(100, 1)
  const offered: number[] = []
  crowd.onOffer = (reader) => {
    offered.push(reader)
    if (offered.length === 10) crowd.join()
  }
  crowd.push()
  crowd.fanOut.finish()
  assert.equal(offered.length, 101)
  assert.equal(new Set(offered).size, 101)
})
