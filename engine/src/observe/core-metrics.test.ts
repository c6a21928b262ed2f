import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { addNodeMetrics } from './core-metrics.js'
import type { NodeReadings } from './core-metrics.js'
import { parseExposition } from './exposition.test.kit.js'
import { MetricsRegistry } from './metrics-registry.js'

const LABELS = { pipeline: 'one', node: 'x', type: 'test' }

function readings(more: Partial<NodeReadings>): NodeReadings {
  return {
    kind: 'transform',
    isUp: true,
    isConnected: true,
    restarts: 2,
    stalls: 3,
    stalledMs: 750,
    receivedBytes: 30,
    sentBytes: 20,
    droppedPackets: undefined,
    losses: undefined,
    oddities: undefined,
    edges: [],
    takesPublishers: false,
    publishers: undefined,
    route: undefined,
    audience: undefined,
    ...more,
  }
}

/** Each row as `name{more labels} value`, without the prefix. */
async function rowsOf(registry: MetricsRegistry): Promise<string[]> {
  return [...parseExposition(await registry.render()).values()]
    .flatMap(({ samples }) => samples)
    .filter(({ labels }) => labels['node'] === 'x')
    .map(({ name, labels, value }) => {
      const more = Object.entries(labels).filter(([label]) => !(label in LABELS))
      return `${name.replace('millrace_', '')}{${more.map((pair) => pair.join('=')).join()}} ${value}`
    })
    .sort()
}

describe('the metrics of a node', () => {
  test('are read at scrape time, and end with the node', async () => {
    const registry = new MetricsRegistry()
    const now = { ...readings({ edges: [{ id: 'one/main.out', queuedBytes: 5, drops: 1 }] }) }
    const series = addNodeMetrics(registry, LABELS, now)
    const before = [
      'drops_total{reason=edge} 1',
      'edge_queue_bytes{from=one/main.out} 5',
      'node_event_loop_stall_seconds_total{} 0.75',
      'node_event_loop_stalls_total{} 3',
      'node_received_bytes_total{} 30',
      'node_restarts_total{} 2',
      'node_sent_bytes_total{} 20',
      'node_up{} 1',
    ]
    assert.deepEqual(await rowsOf(registry), before)
    Object.assign(now, { isUp: false, receivedBytes: 31 })
    assert.ok((await rowsOf(registry)).includes('node_up{} 0'))
    assert.ok((await rowsOf(registry)).includes('node_received_bytes_total{} 31'))
    series[Symbol.dispose]()
    assert.deepEqual(await rowsOf(registry), [])
  })

  for (const [kind, droppedPackets, rows] of [
    ['input', 7, ['drops_total{reason=junction} 7', 'input_connected{} 1']],
    ['transform', undefined, ['drops_total{reason=edge} 0']],
    ['transform', 0, ['drops_total{reason=edge} 0', 'drops_total{reason=junction} 0']],
    ['output', undefined, ['drops_total{reason=edge} 0']],
    ['service', undefined, []],
  ] as const) {
    test(`depend on its kind: ${kind}${droppedPackets === 0 ? ' whose bytes are framed' : ''}`, async () => {
      const registry = new MetricsRegistry()
      addNodeMetrics(registry, LABELS, readings({ kind, droppedPackets }))
      assert.deepEqual(
        (await rowsOf(registry)).filter((row) => !row.startsWith('node_')),
        rows,
      )
    })
  }

  test('of an input whose bytes are framed say what was put right in its stream', async () => {
    const registry = new MetricsRegistry()
    const oddities = { clockJumps: 1, believedTables: 2, repeatedPackets: 3 }
    addNodeMetrics(registry, LABELS, readings({ kind: 'input', droppedPackets: 0, oddities }))
    const rows = await rowsOf(registry)
    for (const row of [
      'input_clock_jumps_total{} 1',
      'input_believed_tables_total{} 2',
      'drops_total{reason=repeated} 3',
    ])
      assert.ok(rows.includes(row), row)
  })
})
