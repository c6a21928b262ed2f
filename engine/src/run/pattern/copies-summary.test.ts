import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeState, NodeStatus, PipelineStatus } from '../../observe/status.js'
import { summariseCopies } from './copies-summary.js'

const since = '2026-01-01T00:00:00.000Z'

function node(kind: NodeStatus['kind'], state: NodeState, bytes: number): NodeStatus {
  const texts = { description: '', why: '', since, from: [] }
  return { id: `x/${kind}`, kind, type: kind, state, restarts: 1, receivedBytes: bytes, sentBytes: bytes, ...texts }
}

function copy(pattern: string, stream: string, state: NodeState): PipelineStatus {
  const nodes = [
    node('input', state, 100),
    node('transform', 'ready', 7),
    { ...node('output', 'idle', 40), clients: 2 },
  ]
  const edge = { from: 'x/a.out', to: 'x/b', bitsPerSecond: 0, receivedBytes: 0, queuedBytes: 0, isHeld: false }
  const edges = [{ ...edge, drops: 3, droppedBytes: 9 }]
  return { name: `${pattern}@${stream}`, description: '', pattern, stream, nodes, edges }
}

test('copies have the continuity errors of all nodes that count them', () => {
  const counted = ['a', 'b'].map((stream) => {
    const made = copy('cam', stream, 'ready')
    return {
      ...made,
      nodes: made.nodes.map((each) => (each.kind === 'transform' ? { ...each, continuityErrors: 13 } : each)),
    }
  })
  assert.deepEqual(
    summariseCopies([...counted, copy('cam', 'c', 'ready')]).map(({ continuityErrors }) => continuityErrors),
    [26],
  )
})

test('copies of a pattern pipeline are one row: sums, the worst state, and how many are not well', () => {
  const plain: PipelineStatus = { name: 'live', description: '', nodes: [node('input', 'failed', 1)], edges: [] }
  const copies = [copy('cam', 'a', 'ready'), copy('cam', 'b', 'waiting'), copy('cam', 'c', 'degraded')]
  assert.deepEqual(summariseCopies([plain, ...copies, copy('tv', 'a', 'ready')]), [
    {
      ...{ pattern: 'cam', copies: 3, state: 'waiting', notWell: 2, receivedBytes: 300, sentBytes: 120 },
      ...{ clients: 6, drops: 9, restarts: 9 },
    },
    {
      ...{ pattern: 'tv', copies: 1, state: 'idle', notWell: 0, receivedBytes: 100, sentBytes: 40 },
      ...{ clients: 2, drops: 3, restarts: 3 },
    },
  ])
  assert.deepEqual(summariseCopies([plain]), [])
})
