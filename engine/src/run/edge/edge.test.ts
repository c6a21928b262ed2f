import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AnyChunk } from '../../plugin/contract.js'
import { Edge } from './edge.js'
import type { EdgeSettings } from './edge.js'
import { chunk, flushPromises } from '../run.test.kit.js'

interface Reader {
  readonly edge: Edge
  readonly got: AnyChunk[]
  readonly backpressure: boolean[]
  readonly log: string[]
  onChunk: (chunk: AnyChunk) => void
  seqs(): number[]
}

function readerOf(more: Partial<EdgeSettings> & { readonly isPausable?: boolean } = {}): Reader {
  const backpressure: boolean[] = []
  const { isPausable = false, ...settings } = more
  const edge = new Edge({
    id: 'one/main.out',
    boundBytes: 1000,
    enter: (run) => run(),
    fail: assert.ifError,
    ...settings,
  })
  edge.sources = [{ isPausable, isUnderBackpressure: false, noteBackpressure: (isOn) => backpressure.push(isOn) }]
  const got: AnyChunk[] = []
  const log: string[] = []
  const reader: Reader = {
    edge,
    got,
    backpressure,
    log,
    onChunk: () => undefined,
    seqs: () => got.map((one) => one.origin.seq),
  }
  edge.inlet.chunks.subscribe({
    next: (next) => {
      got.push(next)
      log.push(String(next.origin.seq))
      reader.onChunk(next)
    },
    complete: () => log.push('complete'),
  })
  return reader
}

describe('an edge', () => {
  test('delivers chunks at once, the same objects', () => {
    const { edge, got } = readerOf()
    const first = chunk(0)
    edge.push(first)
    assert.equal(got[0], first)
    assert.deepEqual(edge.counters, { receivedBytes: 100, queuedBytes: 0, droppedBytes: 0, drops: 0 })
  })

  test('queues while its reader holds, and drains in order', () => {
    const reader = readerOf()
    const hold = reader.edge.inlet.hold()
    for (let seq = 0; seq < 5; seq++) reader.edge.push(chunk(seq))
    assert.deepEqual([reader.seqs(), reader.edge.counters.queuedBytes], [[], 500])
    hold[Symbol.dispose]()
    hold[Symbol.dispose]()
    reader.edge.push(chunk(5))
    assert.deepEqual(reader.seqs(), [0, 1, 2, 3, 4, 5])
    assert.deepEqual(reader.backpressure, [true, false])
    assert.equal(reader.edge.counters.queuedBytes, 0)
  })

  test('continues only when the last of several holds has been disposed', () => {
    const { edge, seqs } = readerOf()
    const [one, two] = [edge.inlet.hold(), edge.inlet.hold()]
    edge.push(chunk(0))
    one[Symbol.dispose]()
    one[Symbol.dispose]()
    assert.deepEqual(seqs(), [])
    two[Symbol.dispose]()
    assert.deepEqual(seqs(), [0])
  })

  test('accepts a hold inside next, also during the drain, and keeps the order', () => {
    const reader = readerOf()
    let hold: Disposable | undefined
    reader.onChunk = () => {
      hold = reader.edge.inlet.hold()
    }
    for (let seq = 0; seq < 4; seq++) reader.edge.push(chunk(seq))
    for (let expected = 1; expected < 4; expected++) {
      assert.equal(reader.got.length, expected)
      hold?.[Symbol.dispose]()
    }
    assert.deepEqual(reader.seqs(), [0, 1, 2, 3])
    assert.deepEqual(reader.backpressure, [true])
    hold?.[Symbol.dispose]()
    assert.deepEqual(reader.backpressure, [true, false])
  })

  test('accepts a hold that is released in the same next', () => {
    const reader = readerOf()
    const first = reader.edge.inlet.hold()
    for (let seq = 0; seq < 4; seq++) reader.edge.push(chunk(seq))
    reader.onChunk = () => reader.edge.inlet.hold()[Symbol.dispose]()
    first[Symbol.dispose]()
    assert.deepEqual(reader.seqs(), [0, 1, 2, 3])
    assert.deepEqual(reader.backpressure, [true, false])
  })

  test('delivers a chunk that arrives during the drain after the queued ones', () => {
    const reader = readerOf()
    const hold = reader.edge.inlet.hold()
    for (let seq = 0; seq < 3; seq++) reader.edge.push(chunk(seq))
    reader.onChunk = ({ origin }) => {
      if (origin.seq === 0) reader.edge.push(chunk(3))
    }
    hold[Symbol.dispose]()
    assert.deepEqual(reader.seqs(), [0, 1, 2, 3])
  })

  test('completes after the queue', () => {
    const reader = readerOf()
    const hold = reader.edge.inlet.hold()
    reader.edge.push(chunk(0))
    reader.edge.complete()
    reader.edge.push(chunk(1))
    assert.deepEqual(reader.log, [])
    hold[Symbol.dispose]()
    reader.edge.complete()
    assert.deepEqual(reader.log, ['0', 'complete'])
  })
})

describe('an edge over its bound', () => {
  test('drops whole GOPs, oldest first, and marks the next chunk lost', () => {
    const reader = readerOf()
    const hold = reader.edge.inlet.hold()
    // GOPs of four chunks: 0 to 3, 4 to 7, 8 to 11; the eleventh chunk is over the bound.
    for (let seq = 0; seq < 11; seq++) reader.edge.push(chunk(seq, 100, seq % 4 === 0))
    assert.deepEqual(reader.edge.counters, { receivedBytes: 1100, queuedBytes: 700, droppedBytes: 400, drops: 1 })
    hold[Symbol.dispose]()
    assert.deepEqual(reader.seqs(), [4, 5, 6, 7, 8, 9, 10])
    assert.deepEqual(
      reader.got.map(({ discontinuity }) => discontinuity),
      ['lost', ...Array<false>(6).fill(false)],
    )
  })

  test('never queues more than its bound, whatever the sizes of chunks', () => {
    const reader = readerOf()
    reader.edge.inlet.hold()
    for (let seq = 0; seq < 9; seq++) reader.edge.push(chunk(seq, 10, true))
    for (let seq = 9; seq < 30; seq++) {
      reader.edge.push(chunk(seq, 400, true))
      assert.ok(reader.edge.counters.queuedBytes <= 1000, `${reader.edge.counters.queuedBytes} bytes wait`)
    }
  })

  test('that had to drop everything continues at the next random access point', () => {
    const reader = readerOf()
    const hold = reader.edge.inlet.hold()
    for (let seq = 0; seq < 11; seq++) reader.edge.push(chunk(seq))
    assert.equal(reader.edge.counters.queuedBytes, 0)
    hold[Symbol.dispose]()
    reader.edge.push(chunk(11))
    reader.edge.push(chunk(12, 100, true))
    reader.edge.push(chunk(13))
    assert.deepEqual(reader.seqs(), [12, 13])
    assert.equal(reader.got[0]?.discontinuity, 'lost')
    assert.deepEqual(reader.edge.counters, { receivedBytes: 1400, queuedBytes: 0, droppedBytes: 1200, drops: 1 })
  })

  test('continues after one bound of bytes if there are no random access points', () => {
    const reader = readerOf()
    const hold = reader.edge.inlet.hold()
    for (let seq = 0; seq < 11; seq++) reader.edge.push(chunk(seq))
    hold[Symbol.dispose]()
    for (let seq = 11; seq < 25; seq++) reader.edge.push(chunk(seq))
    assert.deepEqual(reader.seqs(), [21, 22, 23, 24])
    assert.equal(reader.got[0]?.discontinuity, 'lost')
  })

  test('applies backpressure and never drops if all sources can wait', () => {
    const reader = readerOf({ isPausable: true })
    assert.equal(reader.edge.inlet.pausable, true)
    const hold = reader.edge.inlet.hold()
    for (let seq = 0; seq < 50; seq++) reader.edge.push(chunk(seq))
    assert.deepEqual(reader.backpressure, [true])
    hold[Symbol.dispose]()
    assert.equal(reader.got.length, 50)
    assert.equal(reader.edge.counters.drops, 0)
  })
})

describe('an edge whose reader has gone', () => {
  test('ends its backpressure and takes no more chunks', () => {
    const reader = readerOf({ isPausable: true })
    const hold = reader.edge.inlet.hold()
    reader.edge.push(chunk(0))
    reader.edge.close()
    reader.edge.push(chunk(1))
    hold[Symbol.dispose]()
    reader.edge.inlet.hold()
    reader.edge.complete()
    assert.deepEqual([reader.backpressure, reader.log, reader.edge.counters.queuedBytes], [[true, false], [], 0])
  })

  test('drops its queue when it is detached, and continues with the next reader at a random access point', () => {
    const reader = readerOf()
    const stale = reader.edge.inlet.hold()
    reader.edge.push(chunk(0, 100, true))
    reader.edge.detach()
    assert.deepEqual([reader.backpressure, reader.edge.counters.queuedBytes], [[true, false], 0])
    reader.edge.attach()
    stale[Symbol.dispose]()
    const hold = reader.edge.inlet.hold()
    stale[Symbol.dispose]()
    reader.edge.push(chunk(1))
    reader.edge.push(chunk(2, 100, true))
    assert.deepEqual(reader.seqs(), [], 'a hold of the earlier reader does not count for this one')
    hold[Symbol.dispose]()
    assert.deepEqual(reader.seqs(), [2])
    assert.equal(reader.got[0]?.discontinuity, 'lost')
    assert.deepEqual(reader.backpressure, [true, false, true, false])
  })

  test('counts chunks that arrive without a reader as dropped', () => {
    const reader = readerOf()
    reader.edge.detach()
    reader.edge.push(chunk(0))
    reader.edge.push(chunk(1))
    assert.deepEqual(reader.edge.counters, { receivedBytes: 200, queuedBytes: 0, droppedBytes: 200, drops: 1 })
  })

  test('resolves `delivered` when everything has been delivered', async () => {
    const reader = readerOf()
    const hold = reader.edge.inlet.hold()
    reader.edge.push(chunk(0))
    let isDelivered = false
    const delivered = reader.edge.delivered().then(() => {
      isDelivered = true
    })
    reader.edge.complete()
    await flushPromises()
    assert.equal(isDelivered, false)
    hold[Symbol.dispose]()
    await delivered
    await reader.edge.delivered()
    assert.deepEqual(reader.log, ['0', 'complete'])
  })
})

describe('a reader that throws', () => {
  test('fails alone and at once: its sibling continues', () => {
    const failures: unknown[] = []
    const bad = readerOf({ fail: (error) => failures.push(error) })
    const good = readerOf()
    const broken = new Error('broken')
    bad.onChunk = () => {
      throw broken
    }
    for (const each of [bad, good]) each.edge.push(chunk(0))
    assert.deepEqual(failures, [broken])
    for (const each of [bad, good]) each.edge.push(chunk(1))
    assert.deepEqual(
      [failures, good.seqs()],
      [
        [broken, broken],
        [0, 1],
      ],
    )
  })
})
