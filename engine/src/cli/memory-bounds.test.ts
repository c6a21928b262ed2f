import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import type { Graph, NodeSettings } from '../graph/graph.js'
import { defineOutput } from '../plugin/define.js'
import { memoryBoundRow, memoryBounds, renderMemoryBound } from './memory-bounds.js'

const output = defineOutput({
  type: 'test-out',
  summary: 'For tests.',
  consumes: ['ts'],
  inlets: 'one',
  options: z.strictObject({}),
  examples: [],
  memoryOptions: () => ['clients.max', 'window.size'],
  memoryBound: (_options, maxClients) => 64 * 1024 * 1024 + maxClients * 256 * 1024,
  open: () => {
    throw new Error('is not opened')
  },
})

function graphOf(maxClients: number): Graph {
  const { memoryBound: _memoryBound, ...silent } = output
  const at = { file: 'live.yaml', line: 7, column: 3 }
  const node = { options: {}, from: [], description: '', timeline: 'source', batchMs: 50, probeMs: 2000, at } as const
  const nodes = [
    { ...node, id: 'one/ts', definition: output },
    { ...node, id: 'one/silent', definition: silent },
  ]
  return { engine: { maxClients }, pipelines: [{ name: 'one', description: '', nodes }] } as unknown as Graph
}

test('an output that declares the memory of its viewers has a bound', () => {
  const bounds = memoryBounds(graphOf(5000))
  const line =
    'one/ts: at most 1.3 GiB of memory for its viewers: 64 MiB shared by all, 256 KiB for each of 5000, if all read slowly at once; lower it with clients.max, window.size'
  assert.deepEqual(bounds.map(renderMemoryBound), [line])
  assert.deepEqual(bounds.map(memoryBoundRow), [
    {
      severity: 'info',
      message: line,
      file: 'live.yaml',
      line: 7,
      column: 3,
      node: 'one/ts',
      memoryBoundBytes: 1_377_828_864,
    },
  ])
})

test('an output whose options are unknown has none, and is not asked', () => {
  const graph = graphOf(5000)
  const unknown = graph.pipelines.flatMap(({ nodes }) => nodes).map((node) => ({ ...node, options: undefined }))
  const [one] = graph.pipelines
  assert.ok(one !== undefined)
  const asked = { ...output, memoryBound: () => assert.fail('it was asked') }
  const nodes = unknown.map((node) => ({ ...node, definition: asked }))
  assert.deepEqual(memoryBounds({ ...graph, pipelines: [{ ...one, nodes }] }), [])
})

test('the viewers of a pattern pipeline are counted once, and the buffers for each copy', () => {
  const graph = graphOf(5000)
  const { pipelines } = graph
  const publish = {
    streams: '*',
    maxStreams: 100,
    lingerMs: 0,
    takeover: 'refuse',
    takeoverAfterMs: 3000,
    auth: [],
  } as const
  const [one] = pipelines
  const input = { id: 'one/in', definition: { kind: 'input' }, publish } as unknown as NodeSettings
  const pattern = { ...one!, pattern: { input: 'one/in' }, nodes: [input, ...one!.nodes] }
  const [bound] = memoryBounds({ ...graph, pipelines: [pattern] })
  const oneViewer = 256 * 1024
  // At most one viewer more for each copy: a definition says what one viewer and all of them take.
  const exact = 100 * 64 * 1024 * 1024 + 5000 * oneViewer
  assert.ok(bound !== undefined && bound.bytes >= exact && bound.bytes <= exact + 100 * oneViewer)
  assert.match(
    renderMemoryBound(bound),
    /GiB of memory for its viewers of 100 streams: 64 MiB of each stream shared by all, 256 KiB for each of 5000,/,
  )
})

test('memory that viewers do not add to is told without them, and that of a recorder with its option', () => {
  const graph = graphOf(5000)
  const [one] = graph.pipelines
  const [ts] = one!.nodes
  const definition = { ...output, memoryBound: () => 1024 * 1024, memoryOptions: () => ['window.size'] }
  const shared = { ...ts!, definition }
  const recorded = { ...ts!, id: 'one/in', definition: { kind: 'input' }, recorder: { maxBytes: 1024 * 1024 } }
  const nodes = [shared, recorded] as unknown as readonly NodeSettings[]
  assert.deepEqual(memoryBounds({ ...graph, pipelines: [{ ...one!, nodes }] }).map(renderMemoryBound), [
    'one/ts: at most 1 MiB of memory; lower it with window.size',
    'one/in: at most 2 MiB of memory for its recorder; lower it with recorder.size',
  ])
})

test('without a viewer limit there is no bound', () => {
  const [bound] = memoryBounds(graphOf(0))
  assert.equal(bound?.bytes, Infinity)
  assert.match(renderMemoryBound(bound), /^one\/ts: no bound on memory; set a viewer limit/)
  assert.equal((memoryBoundRow(bound) as { memoryBoundBytes: unknown }).memoryBoundBytes, null)
})

test('what an output takes usually is told beside the bound, with the bit rate that it is for', () => {
  const graph = graphOf(5000)
  const [one] = graph.pipelines
  const [ts] = one!.nodes
  const usualMemory = (_: unknown, bitsPerSecond: number): object => ({
    ...{ sharedBytes: (bitsPerSecond / 8) * 10, viewerBytes: 16 * 1024 },
  })
  const nodes = [{ ...ts!, definition: { ...output, usualMemory } }] as unknown as readonly NodeSettings[]
  const [bound] = memoryBounds({ ...graph, pipelines: [{ ...one!, nodes }] })
  assert.match(
    renderMemoryBound(bound!),
    /^one\/ts: at most 1.3 GiB .*; lower it with .*; usually 6 MiB at 5 Mbit\/s, and 16 KiB for each viewer that keeps up$/,
  )
  const { usualMemory: row } = memoryBoundRow(bound!) as { usualMemory?: unknown }
  assert.deepEqual(row, { sharedBytes: 6_250_000, viewerBytes: 16 * 1024 })
  const [unlimited] = memoryBounds({ ...graph, engine: { maxClients: 0 }, pipelines: [{ ...one!, nodes }] } as never)
  assert.match(renderMemoryBound(unlimited!), /^one\/ts: no bound on memory; .*; usually 6 MiB at 5 Mbit\/s/)
})
