import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AnyChunk } from '../../plugin/contract.js'
import { ChunkRing } from './chunk-ring.js'

const KIB = 1024

/** Whole packets that say which chunk they belong to. */
function chunk(index: number, length = 188 * 100): AnyChunk {
  const bytes = new Uint8Array(length).fill(index)
  const origin = { generation: 0, seq: index }
  const marks = new Int32Array(0)
  return {
    kind: 'ts',
    bytes,
    origin,
    receivedAtMs: index * 100,
    discontinuity: false,
    marks,
    randomAccess: false,
  }
}

function firstAndLast(ring: ChunkRing): readonly (number | undefined)[] {
  using held = ring.hold()
  return [held.pieces[0]?.[0], held.pieces.at(-1)?.at(-1)]
}

test('keeps the last seconds, whole chunks in their order', () => {
  const ring = new ChunkRing({ keepMs: 5000, maxBytes: 1024 * KIB * 64 })
  for (let index = 0; index < 200; index++) ring.push(chunk(index))
  const [first = 0, last] = firstAndLast(ring)
  // By blocks of some 13 chunks.
  assert.ok(first <= 150 && first >= 135, String(first))
  assert.equal(last, 199)
  using held = ring.hold()
  const seen = held.pieces.flatMap((piece) => [...piece].filter((_, at) => at % (188 * 100) === 0))
  assert.deepEqual(
    seen,
    Array.from({ length: 200 - first }, (_, at) => first + at),
  )
  assert.ok(held.durationMs >= 4900)
})

test('never has more memory than it may, and twice that while a recording is held', () => {
  const maxBytes = 1024 * KIB
  const ring = new ChunkRing({ keepMs: 600_000, maxBytes })
  for (let index = 0; index < 300; index++) {
    ring.push(chunk(index % 250))
    assert.ok(ring.allocatedBytes <= maxBytes, String(ring.allocatedBytes))
  }
  using held = ring.hold()
  assert.ok(held.bytes <= maxBytes)
  ring.push(chunk(1, 188 * 3000))
  assert.ok(ring.allocatedBytes <= maxBytes)
})

test('what is held stays as it is, and its memory is used again afterwards', () => {
  const ring = new ChunkRing({ keepMs: 1000, maxBytes: 1024 * KIB })
  for (let index = 0; index < 50; index++) ring.push(chunk(index))
  const held = ring.hold()
  const before = held.pieces.map((piece) => piece.slice())
  for (let index = 50; index < 250; index++) ring.push(chunk(index))
  assert.deepEqual(held.pieces, before)
  held[Symbol.dispose]()
  held[Symbol.dispose]()
  assert.deepEqual(firstAndLast(ring)[1], 249)
})

test('is empty before the first chunk', () => {
  using held = new ChunkRing({ keepMs: 1000, maxBytes: 1024 * KIB }).hold()
  assert.deepEqual([held.bytes, held.preamble.length, held.pieces.length, held.durationMs], [0, 0, 0, 0])
})
