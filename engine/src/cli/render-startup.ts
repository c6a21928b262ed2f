// What `engine run` prints when everything has started: what is running, and the URLs to open.
import type { Graph, NodeSettings, Pipeline } from '../graph/graph.js'
import { printable } from '../observe/printable.js'
import type { TerminalStyle } from './terminal-style.js'
import { nodeName } from '../graph/node-id.js'

export interface LabelledUrl {
  /** `viewers`, `control API`, `metrics` ... */
  readonly label: string
  readonly url: string
}

/** Ends with a newline. */
export function renderStartup(
  graph: Graph,
  urls: readonly LabelledUrl[],
  version: string,
  style: TerminalStyle,
): string {
  const rows: (readonly [label: string, text: string])[] = graph.pipelines.flatMap((pipeline) =>
    drawPipeline(pipeline).map((line, index) => [index === 0 ? pipeline.name : '', line] as const),
  )
  const links = urls.map(({ label, url }) => [label, style.cyan(printable(url))] as const)
  const width = Math.max(0, ...[...rows, ...links].map(([label]) => label.length))
  const lines = [...rows, ...links].map(([label, text]) => `  ${style.dim(printable(label.padEnd(width)))}  ${text}`)
  return [`${style.bold(`Millrace ${version}`)} is running ${printable(graph.files.join(', '))}`, ...lines, ''].join(
    '\n',
  )
}

/**
 * `main -> check -> gops -> ts`: one line per chain of nodes. A chain ends at a node with several readers and begins at a
 * node with several sources; outputs that only end a fork share one line.
 */
export function drawPipeline({ nodes }: Pick<Pipeline, 'nodes'>): readonly string[] {
  const readers = new Map<string, NodeSettings[]>(nodes.map((node) => [node.id, []]))
  for (const node of nodes) for (const source of new Set(sourcesOf(node))) readers.get(source)?.push(node)
  const readersOf = (node: NodeSettings): readonly NodeSettings[] => readers.get(node.id) ?? []

  /** The only reader of a node, if it has no other source. */
  const nextOf = (node: NodeSettings): NodeSettings | undefined => {
    const [next, ...others] = readersOf(node)
    return next !== undefined && others.length === 0 && sourcesOf(next).length === 1 ? next : undefined
  }
  const endsHere = (node: NodeSettings): boolean => readersOf(node).length === 0 && sourcesOf(node).length === 1
  const isFork = (node: NodeSettings): boolean => readersOf(node).length > 1 && readersOf(node).every(endsHere)

  function drawChain(first: NodeSettings): string | undefined {
    const sources = sourcesOf(first).map(nodeName)
    const chain = [...(sources.length > 0 ? [sources.join(', ')] : []), nodeName(first.id)]
    let last = first
    for (let next = nextOf(last); next !== undefined; next = nextOf(last)) {
      chain.push(nodeName(next.id))
      last = next
    }
    if (isFork(last))
      chain.push(
        readersOf(last)
          .map(({ id }) => nodeName(id))
          .join(', '),
      )
    // An input whose readers all have lines of their own is named on those.
    return chain.length === 1 && readersOf(last).length > 0 ? undefined : chain.join(' -> ')
  }

  const followed = new Set<NodeSettings>()
  for (const node of nodes) {
    const next = nextOf(node)
    if (next !== undefined) followed.add(next)
    if (isFork(node)) for (const reader of readersOf(node)) followed.add(reader)
  }
  return nodes
    .filter((node) => !followed.has(node))
    .map(drawChain)
    .filter((line) => line !== undefined)
}

function sourcesOf(node: NodeSettings): readonly string[] {
  return node.from.map((reference) => reference.node)
}
