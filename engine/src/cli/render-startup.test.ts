import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Graph, NodeSettings } from '../graph/graph.js'
import { drawPipeline, renderStartup } from './render-startup.js'
import { styleFor } from './terminal-style.js'

/** `main`, `check<main`, `pick<main+backup`. */
function nodesOf(...specs: readonly string[]): readonly NodeSettings[] {
  return specs.map((spec) => {
    const [name = '', from = ''] = spec.split('<')
    const sources = from === '' ? [] : from.split('+')
    return {
      id: `one/${name}`,
      from: sources.map((each) => ({ node: `one/${each}`, port: 'out' })),
    } as unknown as NodeSettings
  })
}

const drawings = [
  { name: 'a line', nodes: ['main', 'check<main', 'gops<check', 'ts<gops'], lines: ['main -> check -> gops -> ts'] },
  { name: 'a fork into outputs', nodes: ['main', 'ts<main', 'hls<main'], lines: ['main -> ts, hls'] },
  {
    name: 'a fork into branches',
    nodes: ['main', 'gops<main', 'raw<main', 'ts<gops'],
    lines: ['main -> gops -> ts', 'main -> raw'],
  },
  {
    name: 'a failover',
    nodes: ['main', 'backup', 'pick<main+backup', 'ts<pick'],
    lines: ['main, backup -> pick -> ts'],
  },
  {
    name: 'a failover behind checks',
    nodes: ['main', 'check<main', 'backup', 'pick<check+backup', 'ts<pick'],
    lines: ['main -> check', 'check, backup -> pick -> ts'],
  },
  { name: 'an input without readers', nodes: ['main'], lines: ['main'] },
  { name: 'nothing', nodes: [], lines: [] },
]

for (const { name, nodes, lines } of drawings) {
  test(`${name} is drawn`, () => assert.deepEqual(drawPipeline({ nodes: nodesOf(...nodes) }), lines))
}

test('every node of a diamond is drawn', () => {
  const lines = drawPipeline({ nodes: nodesOf('in', 'a<in', 'b<in', 'join<a+b', 'out<join') })
  assert.deepEqual(lines, ['in -> a', 'in -> b', 'a, b -> join -> out'])
})

test('the startup text says what is running and which URLs to open', () => {
  const graph = {
    files: ['live.yaml'],
    pipelines: [{ name: 'live', description: '', nodes: nodesOf('main', 'ts<main') }],
  } as unknown as Graph
  const urls = [
    { label: 'viewers', url: 'http://127.0.0.1:8000/live.ts' },
    { label: 'control', url: 'http://127.0.0.1:9990/' },
  ]
  assert.equal(
    renderStartup(graph, urls, '0.1.0', styleFor({ write: () => undefined }, {})),
    [
      'Millrace 0.1.0 is running live.yaml',
      '  live     main -> ts',
      '  viewers  http://127.0.0.1:8000/live.ts',
      '  control  http://127.0.0.1:9990/',
      '',
    ].join('\n'),
  )
})

test('colours are for terminals without NO_COLOR', () => {
  const terminal = { write: () => undefined, isTTY: true }
  assert.equal(styleFor(terminal, {}).red('x'), '\u001b[31mx\u001b[39m')
  assert.equal(styleFor(terminal, { NO_COLOR: '1' }).red('x'), 'x')
  assert.equal(styleFor(terminal, { TERM: 'dumb' }).red('x'), 'x')
  assert.equal(styleFor({ write: () => undefined }, {}).red('x'), 'x')
})
