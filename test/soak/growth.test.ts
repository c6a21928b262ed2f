import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertBounded, memoryGrowth } from './growth.js'
import type { MemorySample } from './growth.js'

const KIB = 1024
const MIB = 1024 * KIB
const SAMPLE_EVERY = 8
const PER_EDIT = 16 * KIB

describe('memory that has grown', () => {
  test('is none while the engine warms up, on a fast and on a slow machine', () => {
    for (const warmUpEdits of [20, 60]) {
      const series = samples(200, (edit) => ({ heapBytes: 37 * MIB + 8 * MIB * Math.min(1, edit / warmUpEdits) }))
      assertBounded(memoryGrowth(series))
    }
  })

  test('is none on a noisy plateau', () => {
    const series = samples(200, (edit) => ({
      heapBytes: 43 * MIB + 1.5 * MIB * Math.sin(edit / 7),
      bufferBytes: 11 * MIB + 3 * MIB * Math.sin(edit / 5),
      residentBytes: 200 * MIB + 15 * MIB * Math.sin(edit / 11),
    }))
    assertBounded(memoryGrowth(series))
  })

  test('is none if the configuration has more nodes', () => {
    const nodes = (edit: number): number => 74 + Math.floor(edit / 4)
    const series = samples(200, (edit) => ({ nodes: nodes(edit), heapBytes: 30 * MIB + nodes(edit) * 128 * KIB }))
    assertBounded(memoryGrowth(series))
  })

  test('is a leak if each edit leaves more than its traces', () => {
    const leak = (edits: number, bytes: number): MemorySample[] =>
      samples(edits, (edit) => ({ heapBytes: 40 * MIB + edit * bytes + 0.5 * MIB * Math.sin(edit / 7) }))
    assertBounded(memoryGrowth(leak(2000, PER_EDIT)))
    for (const [edits, traces] of [
      [200, 9],
      [400, 5],
      [2000, 2],
    ] as const) {
      assert.throws(() => assertBounded(memoryGrowth(leak(edits, traces * PER_EDIT))), /heap without code .* has grown/)
    }
  })

  test('is none if most samples of the last quarter are taken while much is waiting', () => {
    const series = samples(200, (edit) => ({
      heapBytes: 40 * MIB + (edit > 150 && edit % 32 > 0 ? 30 * MIB : 0),
      bufferBytes: 10 * MIB + (edit > 150 && edit % 32 > 0 ? 20 * MIB : 0),
    }))
    assertBounded(memoryGrowth(series))
  })

  test('is not known of a run that is too short', () => {
    assert.deepEqual(memoryGrowth(samples(24, () => ({}))), [])
  })
})

function samples(edits: number, read: (edit: number) => Partial<MemorySample>): MemorySample[] {
  return Array.from({ length: Math.floor(edits / SAMPLE_EVERY) }, (_, index) => {
    const edit = (index + 1) * SAMPLE_EVERY
    const windows = { bytes: 0, boundBytes: 1 }
    return {
      edit,
      heapBytes: 40 * MIB,
      nodes: 80,
      bufferBytes: 10 * MIB,
      residentBytes: 180 * MIB,
      windows,
      ...read(edit),
    }
  })
}
