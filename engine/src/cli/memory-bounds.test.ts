import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import type { Graph } from '../graph/graph.js'
import { defineOutput } from '../plugin/define.js'
import { memoryBoundRow, memoryBounds, renderMemoryBound } from './memory-bounds.js'

const output = defineOutput({
  type: 'test-out',
  summary: 'For tests.',
  consumes: ['ts'],
  inlets: 'one',
  options: z.strictObject({}),
  examples: [],
  memoryBound: (_options, maxClients) => 64 * 1024 * 1024 + maxClients * 256 * 1024,
  open: () => {
    throw new Error('is not opened')
  },
})

function graphOf(maxClients: number): Graph {
  const { memoryBound: _memoryBound, ...silent } = output
  const at = { file: 'live.yaml', line: 7, column: 3 }
  const node = { options: {}, from: [], description: '', timeline: 'source', batchMs: 50, at } as const
  const nodes = [
    { ...node, id: 'one/ts', definition: output },
    { ...node, id: 'one/silent', definition: silent },
  ]
  return { engine: { maxClients }, pipelines: [{ name: 'one', description: '', nodes }] } as unknown as Graph
}

test('an output that declares the memory of its viewers has a bound', () => {
  const bounds = memoryBounds(graphOf(5000))
  assert.deepEqual(bounds.map(renderMemoryBound), ['one/ts: at most 1.3 GiB of memory for its viewers'])
  assert.deepEqual(bounds.map(memoryBoundRow), [
    {
      severity: 'info',
      message: 'one/ts: at most 1.3 GiB of memory for its viewers',
      file: 'live.yaml',
      line: 7,
      column: 3,
      node: 'one/ts',
      memoryBoundBytes: 1_377_828_864,
    },
  ])
})

test('without a viewer limit there is no bound', () => {
  const [bound] = memoryBounds(graphOf(0))
  assert.equal(bound?.bytes, Infinity)
  assert.match(renderMemoryBound(bound), /^one\/ts: no bound on memory; set a viewer limit/)
  assert.equal((memoryBoundRow(bound) as { memoryBoundBytes: unknown }).memoryBoundBytes, null)
})
