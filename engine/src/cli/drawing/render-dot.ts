// The graph in the language of Graphviz (https://graphviz.org/doc/info/lang.html), as for `dot -Tsvg`.
import { labelOf } from './outline-graph.js'
import type { GraphOutline, NodeOutline, PipelineOutline } from './outline-graph.js'

const SHAPES: Readonly<Record<NodeOutline['kind'], string>> = {
  input: 'cds',
  transform: 'box',
  output: 'note',
  service: 'component',
  listener: 'house',
}

/** Ends with a newline. */
export function renderDot({ pipelines, services }: GraphOutline): string {
  return [
    'digraph millrace {',
    '  rankdir=LR;',
    '  node [fontname="sans-serif"];',
    '  edge [fontname="sans-serif", fontsize=10];',
    ...pipelines.flatMap(renderPipeline),
    ...(services.length === 0 ? [] : cluster('services', 'services', services)),
    '}',
    '',
  ].join('\n')
}

function renderPipeline({ name, description, nodes, edges }: PipelineOutline, index: number): readonly string[] {
  const title = description === '' ? name : `${name}: ${description}`
  const arrows = edges.map((edge) => `  ${quote(edge.from)} -> ${quote(edge.to)} [label=${quote(labelOf(edge))}];`)
  return [...cluster(String(index), title, nodes), ...arrows]
}

function cluster(id: string, title: string, nodes: readonly NodeOutline[]): readonly string[] {
  const boxes = nodes.map(({ id: node, name, type, kind }) => {
    return `    ${quote(node)} [label=${quote(`${name}\n${type}`)}, shape=${SHAPES[kind]}];`
  })
  return [`  subgraph ${quote(`cluster_${id}`)} {`, `    label=${quote(title)};`, ...boxes, '  }']
}

/** In a quoted label a backslash begins an escape such as `\n`. */
function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
}
