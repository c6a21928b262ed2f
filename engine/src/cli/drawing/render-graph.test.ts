import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EdgeOutline, NodeOutline, PipelineOutline } from './outline-graph.js'
import { renderBoxes } from './render-boxes.js'
import { renderDot } from './render-dot.js'
import { renderMermaid } from './render-mermaid.js'

const node = (name: string, kind: NodeOutline['kind'], type: string): NodeOutline => ({
  id: `one/${name}`,
  name,
  kind,
  type,
  description: '',
})
const edge = (from: string, to: string, chunks = 'ts', port = 'out'): EdgeOutline => ({
  from: `one/${from}`,
  to: `one/${to}`,
  chunks,
  port,
})
const drawn = (pipeline: PipelineOutline, plain = false): string =>
  renderBoxes({ pipelines: [pipeline], services: [] }, { plain, bold: (text) => text })

const failover: PipelineOutline = {
  name: 'one',
  description: 'channel one',
  nodes: [
    node('main', 'input', 'http'),
    node('backup', 'input', 'http'),
    node('pick', 'transform', 'failover'),
    node('ts', 'output', 'http-ts'),
    node('hls', 'output', 'hls'),
  ],
  edges: [edge('main', 'pick'), edge('backup', 'pick'), edge('pick', 'ts'), edge('pick', 'hls')],
}

test('lines fork where a port has several readers, and enter separately where a node has several sources', () => {
  assert.equal(
    drawn(failover),
    `one  channel one
  ┌────────┐        ┌──────────┐        ┌─────────┐
  │ main   │╶ts────▶│ pick     │╶ts─┬──▶│ ts      │
  │ http   │    ┌──▶│ failover │    │   │ http-ts │
  └────────┘    │   └──────────┘    │   └─────────┘
                │                   │
  ┌────────┐    │                   │   ┌─────────┐
  │ backup │╶ts─┘                   └──▶│ hls     │
  │ http   │                            │ hls     │
  └────────┘                            └─────────┘
`,
  )
})

test('without Unicode the same drawing is ASCII', () => {
  assert.match(drawn(failover, true), /^[\n -~]+$/)
  assert.match(drawn(failover, true), /\| pick {5}\|-ts-\+-->\| ts/)
})

test('each port has a line of its own, and lines pass through the columns between', () => {
  const text = drawn({
    name: 'one',
    description: '',
    nodes: [
      node('in', 'input', 'srt'),
      node('enc', 'transform', 'transcode'),
      node('hd', 'output', 'hls'),
      node('sd', 'output', 'hls'),
      node('raw', 'output', 'http-ts'),
    ],
    edges: [
      edge('in', 'enc'),
      edge('enc', 'hd', 'gop', '1080p'),
      edge('enc', 'sd', 'gop', '480p'),
      edge('in', 'raw'),
      edge('enc', 'raw', 'ts', '480p'),
    ],
  })
  assert.match(text, /│╶1080p: gop─+▶│ hd/)
  assert.match(text, /│╶480p: gop─/)
  // Two arrows into the box that reads two ports, one of them from two columns away.
  assert.match(text, /▶│ raw +│\n.*▶│ http-ts/)
})

test('a pipeline of a few hundred nodes is drawn in well under a second of CPU time', () => {
  const nodes = Array.from({ length: 300 }, (_, index) => node(`n${index}`, 'transform', 'gop'))
  const edges = nodes.slice(1).map((_, index) => edge(`n${Math.floor(index / 3)}`, `n${index + 1}`))
  const began = process.cpuUsage()
  assert.ok(drawn({ name: 'one', description: '', nodes, edges }).includes('n299'))
  const { user, system } = process.cpuUsage(began)
  assert.ok(user + system < 1_000_000, `${user + system} µs`)
})

const hostile: PipelineOutline = {
  name: 'end',
  description: 'a "quote" \\ back#slash; <b> | ]\nnext',
  nodes: [node('end', 'input', 'file'), node('graph', 'output', 'http-ts')],
  edges: [edge('end', 'graph', 'ts', 'sub"graph')],
}

test('Mermaid text uses entities, and its ids are not Mermaid keywords', () => {
  const lines = renderMermaid({ pipelines: [hostile], services: [node('m', 'service', 'prometheus')] }).split('\n')
  assert.equal(lines[0], 'flowchart LR')
  assert.equal(lines[1], '  subgraph p0["end: a #34;quote#34; #92; back#35;slash#59; #60;b#62; #124; #93; next"]')
  assert.deepEqual(lines.slice(2, 6), [
    '    n0(["end<br/>file"])',
    '    n1[/"graph<br/>http-ts"/]',
    '  end',
    '  n0 -->|"sub#34;graph: ts"| n1',
  ])
  assert.ok(lines.includes('    n2{{"m<br/>prometheus"}}'))
})

test('DOT text is quoted, with quotes and backslashes escaped', () => {
  const text = renderDot({ pipelines: [hostile], services: [] })
  assert.ok(text.includes('label="end: a \\"quote\\" \\\\ back#slash; <b> | ]\\nnext";'), text)
  assert.ok(text.includes('"one/end" -> "one/graph" [label="sub\\"graph: ts"];'))
  assert.ok(text.includes('"one/end" [label="end\\nfile", shape=cds];'))
})
