// The graph as a Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html), for Markdown pages. Ids are generated
// because words such as `end` break a chart. All text is quoted, with entities for characters that have a meaning there.
import { labelOf } from './outline-graph.js'
import type { GraphOutline, NodeOutline, PipelineOutline } from './outline-graph.js'

/** Around the text of a node, by its kind. */
const SHAPES: Readonly<Record<NodeOutline['kind'], readonly [open: string, close: string]>> = {
  input: ['([', '])'],
  transform: ['[', ']'],
  output: ['[/', '/]'],
  service: ['{{', '}}'],
  listener: ['[(', ')]'],
}

/** Ends with a newline. */
export function renderMermaid({ pipelines, services }: GraphOutline): string {
  const ids = new Map<string, string>()
  for (const { id } of [...pipelines.flatMap(({ nodes }) => nodes), ...services]) ids.set(id, `n${ids.size}`)
  const lines = pipelines.flatMap((pipeline, index) => renderPipeline(pipeline, index, ids))
  const beside = services.length === 0 ? [] : subgraph('services', 'services', services, ids)
  return ['flowchart LR', ...lines, ...beside, ''].join('\n')
}

function renderPipeline(pipeline: PipelineOutline, index: number, ids: ReadonlyMap<string, string>): readonly string[] {
  const { name, description, nodes, edges } = pipeline
  const title = description === '' ? name : `${name}: ${description}`
  const arrows = edges.map((edge) => {
    return `  ${ids.get(edge.from) ?? ''} -->|"${escape(labelOf(edge))}"| ${ids.get(edge.to) ?? ''}`
  })
  return [...subgraph(`p${index}`, title, nodes, ids), ...arrows]
}

function subgraph(
  id: string,
  title: string,
  nodes: readonly NodeOutline[],
  ids: ReadonlyMap<string, string>,
): readonly string[] {
  const boxes = nodes.map((node) => {
    const [open, close] = SHAPES[node.kind]
    return `    ${ids.get(node.id) ?? ''}${open}"${escape(node.name)}<br/>${escape(node.type)}"${close}`
  })
  return [`  subgraph ${id}["${escape(title)}"]`, ...boxes, '  end']
}

function escape(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll(/[^\w .,:/@()-]/gu, (char) => `#${char.codePointAt(0) ?? 63};`)
}
