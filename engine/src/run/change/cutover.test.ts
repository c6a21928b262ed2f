import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { AnyChunk } from '../../plugin/contract.js'
import { FakeClock } from '../../testing/fake-clock.js'
import { Cutover, type CutoverSettings } from './cutover.js'
import { Edge } from '../edge/edge.js'
import { Port } from '../edge/port.js'
import { chunk } from '../run.test.kit.js'

const GOP = 5

/** Two branches that pass the same chunks, and a reader to cut over from one to the other. */
class CutoverHarness {
  readonly clock = new FakeClock()
  readonly old = new Port()
  readonly next = new Port()
  readonly got: AnyChunk[] = []
  readonly edge = this.#edge('one/old.out')
  readonly cutover: Cutover
  readonly #origins = new Map<number, AnyChunk['origin']>()
  readonly #more: Pick<CutoverSettings, 'to' | 'onCut'>
  cuts = 0

  constructor(more: { readonly isSame?: boolean; readonly onCut?: () => void; readonly ends?: boolean } = {}) {
    const { isSame = true, ends = false } = more
    this.old.connect(this.edge)
    if (isSame) this.next.roots = this.old.roots
    this.#more = {
      ...(ends ? {} : { to: { port: this.next, edge: this.edge } }),
      onCut: () => {
        more.onCut?.()
        this.cuts++
      },
    }
    this.cutover = this.cutoverOf()
  }

  /** For the roots that the ports have now. */
  cutoverOf(): Cutover {
    const from = { port: this.old, edge: this.edge }
    return new Cutover({ node: 'one/reader', clock: this.clock, from, ...this.#more })
  }

  get seqs(): number[] {
    return this.got.map(({ origin }) => origin.seq)
  }

  at(seq: number): AnyChunk {
    const numbered = chunk(seq, 100, seq % GOP === 0)
    const origin = this.#origins.get(seq) ?? numbered.origin
    this.#origins.set(seq, origin)
    return { ...numbered, origin, receivedAtMs: this.clock.nowMs() }
  }

  both(from: number, to: number): void {
    for (let seq = from; seq < to; seq++) {
      this.old.push(this.at(seq))
      this.next.push(this.at(seq))
    }
  }

  #edge(id: string): Edge {
    const edge = new Edge({ id, enter: (run) => run(), fail: assert.ifError })
    edge.inlet.chunks.subscribe((each) => this.got.push(each))
    return edge
  }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index)
}

describe('the cutover of a reader from one branch to another', () => {
  test('is at the first random access point that both branches have: no gap, no repeat', async () => {
    const harness = new CutoverHarness()
    harness.both(0, 3)
    harness.cutover.start()
    harness.both(3, 7)
    harness.old.push(harness.at(99))
    assert.deepEqual(await harness.cutover.done, { node: 'one/reader', how: 'clean', waitedMs: 0 })
    harness.cutover.connectReader()
    for (let seq = 7; seq < 9; seq++) harness.next.push(harness.at(seq))
    harness.old.push(harness.at(100))
    assert.deepEqual(harness.seqs, range(0, 9))
    assert.ok(harness.got.every(({ discontinuity }) => discontinuity === false))
  })

  test('drops the discontinuity of the new branch from before the cutover, and keeps that of the old one', async () => {
    for (const [lostByNew, lostByOld] of [
      ['lost', false],
      [false, 'marked'],
    ] as const) {
      const harness = new CutoverHarness()
      harness.both(0, 3)
      harness.cutover.start()
      harness.both(3, 5)
      harness.next.push({ ...harness.at(5), discontinuity: lostByNew })
      harness.old.push({ ...harness.at(5), discontinuity: lostByOld })
      assert.equal((await harness.cutover.done).how, 'clean')
      harness.cutover.connectReader()
      harness.next.push(harness.at(6))
      assert.deepEqual(
        harness.got.map(({ discontinuity }) => discontinuity),
        [false, false, false, false, false, lostByOld, false],
      )
    }
  })

  test('does the same if the new branch is the later one', async () => {
    const harness = new CutoverHarness()
    harness.both(0, 3)
    harness.cutover.start()
    harness.both(3, 5)
    harness.old.push(harness.at(5))
    harness.next.push({ ...harness.at(5), discontinuity: 'lost' })
    assert.equal((await harness.cutover.done).how, 'clean')
    assert.ok(harness.got.every(({ discontinuity }) => discontinuity === false))
  })

  test('waits for a late branch, and skips a random access point that the branch does not have', async () => {
    const harness = new CutoverHarness()
    harness.both(0, 3)
    harness.cutover.start()
    for (let seq = 3; seq < 7; seq++) harness.old.push(harness.at(seq))
    assert.deepEqual(harness.seqs, range(0, 5))
    // The new branch has no chunk 5, so the old one continues.
    harness.next.push(harness.at(4))
    harness.next.push(harness.at(6))
    assert.deepEqual(harness.seqs, range(0, 7))
    harness.both(7, 12)
    await harness.cutover.done
    assert.deepEqual(harness.seqs, range(0, 12))
    assert.equal(harness.cuts, 1)
  })

  test('holds the old branch back for a second at most', () => {
    const harness = new CutoverHarness()
    harness.old.push(harness.at(2))
    harness.cutover.start()
    harness.old.push(harness.at(3))
    harness.old.push(harness.at(5))
    assert.deepEqual(harness.seqs, [2, 3])
    harness.clock.advance(1000)
    assert.deepEqual(harness.seqs, [2, 3, 5])
  })

  test('uses chunks that the new branch delivered ahead', async () => {
    const harness = new CutoverHarness()
    harness.old.push(harness.at(2))
    harness.cutover.start()
    for (let seq = 3; seq < 12; seq++) harness.next.push(harness.at(seq))
    for (let seq = 3; seq < 6; seq++) harness.old.push(harness.at(seq))
    await harness.cutover.done
    assert.deepEqual(harness.seqs, range(2, 12))
  })

  test('is immediate, and marked, if the old branch is silent', async () => {
    const harness = new CutoverHarness()
    harness.both(0, 3)
    harness.clock.advance(1000)
    harness.cutover.start()
    const { how } = await harness.cutover.done
    assert.equal(how, 'marked')
    harness.next.push(harness.at(3))
    assert.deepEqual(
      harness.got.map(({ origin, discontinuity }) => [origin.seq, discontinuity]),
      [
        [0, false],
        [1, false],
        [2, false],
        [3, 'lost'],
      ],
    )
  })

  test('is marked at the next random access point if nothing arrives before the reader is connected', async () => {
    for (const isSame of [true, false]) {
      const harness = new CutoverHarness({ isSame })
      harness.both(0, 3)
      harness.clock.advance(1000)
      harness.cutover.start()
      await harness.cutover.done
      harness.cutover.connectReader()
      for (let seq = 3; seq < 7; seq++) harness.next.push(harness.at(seq))
      assert.deepEqual(
        harness.got.slice(3).map(({ origin, discontinuity }) => [origin.seq, discontinuity]),
        [
          [5, 'lost'],
          [6, false],
        ],
      )
    }
  })

  test('is marked, with nothing repeated, if no random access point arrives in time', async () => {
    const harness = new CutoverHarness()
    harness.old.push(harness.at(2))
    harness.cutover.start()
    for (let step = 3; step < 60; step++) {
      harness.clock.advance(100)
      const plain = { ...harness.at(step), randomAccess: false } as AnyChunk
      harness.old.push(plain)
      harness.next.push(plain)
    }
    const { how, waitedMs } = await harness.cutover.done
    assert.deepEqual([how, waitedMs], ['marked', 5000])
    assert.deepEqual(harness.seqs, range(2, 60))
    assert.equal(harness.got.filter(({ discontinuity }) => discontinuity === 'lost').length, 1)
  })

  test('waits a minute at most, however long the source was away', async () => {
    const harness = new CutoverHarness()
    harness.both(0, 1)
    harness.clock.advance(12 * 3_600_000)
    harness.both(GOP, GOP + 1)
    assert.equal(harness.edge.randomAccessIntervalMs, 12 * 3_600_000)
    harness.cutover.start()
    for (let halfSecond = 0; halfSecond < 122; halfSecond++) {
      harness.old.push(harness.at(GOP + 1 + (halfSecond % (GOP - 1))))
      harness.clock.advance(500)
    }
    assert.deepEqual(await harness.cutover.done, { node: 'one/reader', how: 'marked', waitedMs: 60_000 })
  })

  test('takes no outage for a GOP: the source that has come back is another generation', () => {
    const harness = new CutoverHarness()
    harness.both(0, 1)
    harness.clock.advance(2000)
    harness.both(GOP, GOP + 1)
    harness.clock.advance(3_600_000)
    const chunkAgain = harness.at(2 * GOP)
    harness.old.push({ ...chunkAgain, origin: { ...chunkAgain.origin, generation: 1 } })
    assert.equal(harness.edge.randomAccessIntervalMs, 2000)
  })

  test('is marked, and at a random access point, if no chunk arrives on both branches that choose from the same sources', async () => {
    const harness = new CutoverHarness()
    harness.next.roots = [...harness.old.roots, {}]
    const cutover = harness.cutoverOf()
    harness.old.push(harness.at(2))
    cutover.start()
    // The numbers are the same, the chunks are not.
    for (let seq = 3; seq < 53; seq++) {
      harness.old.push(harness.at(seq))
      harness.clock.advance(99)
    }
    for (let seq = 51; seq < 53; seq++) harness.next.push(chunk(seq, 200))
    harness.clock.advance(100)
    assert.deepEqual(await cutover.done, { node: 'one/reader', how: 'marked', waitedMs: 5000 })
    for (let seq = 53; seq < 57; seq++) harness.next.push(chunk(seq, 200, seq % GOP === 0))
    assert.deepEqual(
      harness.got.slice(50).map(({ origin, bytes, discontinuity }) => [origin.seq, bytes.length, discontinuity]),
      [
        [52, 100, false],
        [55, 200, 'lost'],
        [56, 200, false],
      ],
    )
  })

  test('between different streams is at a random access point of both, and marked', async () => {
    const harness = new CutoverHarness({ isSame: false })
    harness.old.push(harness.at(0))
    harness.cutover.start()
    for (let seq = 1; seq < 4; seq++) harness.old.push(harness.at(seq))
    for (let seq = 50; seq < 57; seq++) harness.next.push(harness.at(seq))
    harness.old.push(harness.at(4))
    harness.old.push(harness.at(5))
    assert.equal((await harness.cutover.done).how, 'marked')
    assert.deepEqual(harness.seqs, [0, 1, 2, 3, 4, 55, 56])
    assert.equal(harness.got[5]?.discontinuity, 'lost')
  })

  test('is rolled back if the new branch fails at the cut', async () => {
    const harness = new CutoverHarness({
      onCut: () => {
        throw new Error('no')
      },
    })
    harness.cutover.start()
    harness.both(3, 8)
    await assert.rejects(harness.cutover.done, { message: 'no' })
    harness.cutover.connectReader()
    for (let seq = 8; seq < 10; seq++) harness.old.push(harness.at(seq))
    assert.deepEqual(harness.seqs, range(3, 10))
  })

  test('ends a removed reader before a GOP', async () => {
    const harness = new CutoverHarness({ ends: true })
    harness.old.push(harness.at(2))
    let isComplete = false
    harness.edge.inlet.chunks.subscribe({ complete: () => (isComplete = true) })
    harness.cutover.start()
    harness.both(3, 8)
    await harness.cutover.done
    assert.deepEqual([harness.seqs, isComplete], [[2, 3, 4], true])
  })

  test('treats a chunk that a node has split as one', async () => {
    const harness = new CutoverHarness()
    harness.old.push(harness.at(2))
    harness.cutover.start()
    for (let seq = 3; seq < 7; seq++) {
      for (const port of [harness.old, harness.next]) {
        port.push({ ...harness.at(seq), bytes: new Uint8Array(188) })
        port.push({ ...harness.at(seq), bytes: new Uint8Array(376), randomAccess: false } as AnyChunk)
      }
    }
    await harness.cutover.done
    assert.deepEqual(harness.seqs, [2, 3, 3, 4, 4, 5, 5, 6, 6])
  })

  test('loses and repeats nothing, however late either branch is', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: 40, maxLength: 200 }),
        fc.nat(20),
        fc.integer({ min: 1, max: 8 }),
        (turns, startAfter, most) => {
          const harness = new CutoverHarness()
          harness.both(0, 1)
          let [old, next] = [1, 1]
          for (const [index, isOld] of turns.entries()) {
            if (index === startAfter) harness.cutover.start()
            // Neither branch is more than a few chunks ahead.
            if (isOld ? old - next < most : next - old >= most) harness.old.push(harness.at(old++))
            else harness.next.push(harness.at(next++))
          }
          const { seqs } = harness
          assert.deepEqual(seqs, range(0, seqs.length))
          harness.clock[Symbol.dispose]()
        },
      ),
    )
  })
})
