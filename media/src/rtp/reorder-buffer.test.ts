import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ReorderBuffer, type ReorderLimits } from './reorder-buffer.js'

const LIMITS = { packets: 8, delayMs: 50 }

/** Packets whose payload is their number. */
class Bench {
  readonly got: number[] = []
  readonly buffer: ReorderBuffer
  restarts = 0

  constructor(limits: ReorderLimits = LIMITS) {
    this.buffer = new ReorderBuffer(
      limits,
      (bytes, start) => this.got.push((bytes[start]! << 8) | bytes[start + 1]!),
      () => this.restarts++,
    )
  }

  push(sequence: number, nowMs = 0): string {
    const bytes = Uint8Array.of(0xff, sequence >> 8, sequence & 0xff, 0xff)
    const placed = this.buffer.push(sequence, bytes, 1, 3, nowMs)
    // Who receives a datagram may use its memory again.
    bytes.fill(0)
    return placed
  }

  pushAll(...sequences: number[]): this {
    for (const sequence of sequences) this.push(sequence)
    return this
  }

  get counts(): readonly number[] {
    const { lost, reordered, duplicates, late } = this.buffer.counters
    return [lost, reordered, duplicates, late]
  }
}

const cases: readonly {
  name: string
  sent: number[]
  got: number[]
  counts?: [lost: number, reordered: number, duplicates: number, late: number]
}[] = [
  { name: 'in order', sent: [1, 2, 3], got: [1, 2, 3] },
  { name: 'across the wrap', sent: [65534, 65535, 0, 1], got: [65534, 65535, 0, 1] },
  { name: 'two swapped', sent: [1, 3, 2, 4], got: [1, 2, 3, 4], counts: [0, 1, 0, 0] },
  { name: 'swapped at the wrap', sent: [65534, 0, 65535, 1], got: [65534, 65535, 0, 1], counts: [0, 1, 0, 0] },
  { name: 'a duplicate of one delivered', sent: [1, 2, 2, 3], got: [1, 2, 3], counts: [0, 0, 1, 0] },
  { name: 'a duplicate of one that waits', sent: [1, 3, 3, 2], got: [1, 2, 3], counts: [0, 1, 1, 0] },
  {
    name: 'one lost, given up when the window is full',
    sent: [1, 3, 4, 5, 6, 7, 8, 9, 10],
    got: [1, 3, 4, 5, 6, 7, 8, 9, 10],
    counts: [1, 0, 0, 0],
  },
  {
    name: 'one that comes after it was given up',
    sent: [1, 3, 4, 5, 6, 7, 8, 9, 10, 2],
    got: [1, 3, 4, 5, 6, 7, 8, 9, 10],
    counts: [1, 0, 0, 1],
  },
  { name: 'a gap of 1000', sent: [1, 1002], got: [1], counts: [993, 0, 0, 0] },
]

for (const { name, sent, got, counts = [0, 0, 0, 0] } of cases) {
  test(`packets ${name}`, () => {
    const bench = new Bench().pushAll(...sent)
    assert.deepEqual(bench.got, got)
    assert.deepEqual(bench.counts, counts)
    assert.equal(bench.restarts, 0)
  })
}

test('a packet waits no longer than the limit for one that is missing', () => {
  const bench = new Bench()
  bench.push(1, 0)
  bench.push(3, 10)
  bench.buffer.flush(59)
  assert.deepEqual(bench.got, [1])
  bench.buffer.flush(60)
  assert.deepEqual(
    [bench.got, bench.counts],
    [
      [1, 3],
      [1, 0, 0, 0],
    ],
  )
})

test('without a window, what arrives is passed on at once', () => {
  const bench = new Bench({ packets: 0, delayMs: 50 }).pushAll(1, 3, 2, 4)
  assert.deepEqual(
    [bench.got, bench.counts],
    [
      [1, 3, 4],
      [1, 0, 0, 1],
    ],
  )
})

test('a sequence that continues elsewhere is believed when a second packet confirms it', () => {
  const bench = new Bench().pushAll(1, 2)
  assert.equal(bench.push(40_000), 'ignored')
  assert.equal(bench.restarts, 0)
  assert.equal(bench.push(40_001), 'restarted')
  assert.equal(bench.push(40_002), 'placed')
  assert.deepEqual([bench.got, bench.restarts], [[1, 2, 40_001, 40_002], 1])
})

test('a single packet from far away changes nothing', () => {
  const bench = new Bench().pushAll(1, 2, 40_000, 3, 40_001, 4)
  assert.deepEqual([bench.got, bench.restarts], [[1, 2, 3, 4], 0])
})

test('a smaller window delivers what waits, and the next packets as it says', () => {
  const bench = new Bench().pushAll(1, 3, 4)
  bench.buffer.setLimits({ packets: 2, delayMs: 50 })
  assert.deepEqual(bench.got, [1, 3, 4])
  bench.pushAll(6, 7)
  assert.deepEqual(
    [bench.got, bench.counts],
    [
      [1, 3, 4, 6, 7],
      [2, 0, 0, 0],
    ],
  )
})

test('after a reset, any number is the first', () => {
  const bench = new Bench().pushAll(1, 3)
  bench.buffer.reset()
  bench.pushAll(50_000)
  assert.deepEqual([bench.got, bench.restarts], [[1, 3, 50_000], 0])
})

test('shuffled within the window and duplicated: every packet is delivered once, in order', () => {
  const order = fc.record({
    first: fc.integer({ min: 0, max: 65535 }),
    keys: fc.array(fc.nat({ max: 6 }), { maxLength: 300 }),
  })
  fc.assert(
    fc.property(order, ({ first, keys }) => {
      const bench = new Bench()
      // The first packet says where the sequence begins.
      const rest = keys.map((key, at) => ({ at: at + 1, place: at + key })).sort((a, b) => a.place - b.place)
      const sent = [0, ...rest.flatMap(({ at }) => (at % 7 === 0 ? [at, at] : [at]))]
      bench.pushAll(...sent.map((at) => (first + at) % 65536))
      bench.buffer.drain()
      assert.deepEqual(
        bench.got,
        Array.from({ length: keys.length + 1 }, (_, at) => (first + at) % 65536),
      )
      assert.equal(bench.buffer.counters.lost, 0)
    }),
  )
})

test('whatever comes, nothing is delivered twice or backwards between restarts, and every packet is accounted for', () => {
  const packet = fc.record({
    step: fc.oneof(fc.integer({ min: -20, max: 20 }), fc.integer({ min: -70_000, max: 70_000 })),
  })
  const given = fc.record({ packets: fc.nat({ max: 40 }), sent: fc.array(packet, { maxLength: 400 }) })
  fc.assert(
    fc.property(given, ({ packets, sent }) => {
      const bench = new Bench({ packets, delayMs: 5 })
      let sequence = 1000
      let ignored = 0
      let last = -1
      let restarts = 0
      let seen = 0
      for (const [at, { step }] of sent.entries()) {
        sequence = (((sequence + step) % 65536) + 65536) % 65536
        if (bench.push(sequence, at) === 'ignored') ignored++
        for (const got of bench.got.slice(seen)) {
          const ahead = ((got - last + 65536 + 32768) % 65536) - 32768
          if (last >= 0 && restarts === bench.restarts) assert.ok(ahead > 0, `${got} after ${last}`)
          last = got
        }
        restarts = bench.restarts
        seen = bench.got.length
      }
      bench.buffer.drain()
      const { duplicates, late } = bench.buffer.counters
      assert.equal(bench.got.length + duplicates + late + ignored, sent.length)
    }),
    { numRuns: 500 },
  )
})
