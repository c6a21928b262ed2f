// The most memory that outputs use for their viewers, according to their definitions, for `engine check`.
import type { Graph, NodeSettings } from '../graph/graph.js'
import { SIZE_UNITS } from '../plugin/amounts.js'

export interface MemoryBound {
  /** `pipeline/node`. */
  readonly node: string
  /** Infinity without a limit. */
  readonly bytes: number
  readonly at: NodeSettings['at']
}

/** One for each output that declares a bound, in the order of the graph. */
export function memoryBounds(graph: Graph): readonly MemoryBound[] {
  const { maxClients } = graph.engine
  const bounds: MemoryBound[] = []
  for (const { id, definition, options, at } of graph.pipelines.flatMap(({ nodes }) => nodes)) {
    if (definition.kind !== 'output' || definition.memoryBound === undefined) continue
    const bytes = definition.memoryBound(options, maxClients === 0 ? Infinity : maxClients)
    bounds.push({ node: id, bytes, at })
  }
  return bounds
}

/** One sentence for people. */
export function renderMemoryBound({ node, bytes }: MemoryBound): string {
  if (Number.isFinite(bytes)) return `${node}: at most ${renderMemory(bytes)} of memory for its viewers`
  return `${node}: no bound on memory; set a viewer limit on the output, or engine.maxClients`
}

/** A row beside the diagnostics of the JSON format; the bytes are null without a limit. */
export function memoryBoundRow(bound: MemoryBound): object {
  const { node, bytes, at } = bound
  return {
    severity: 'info',
    message: renderMemoryBound(bound),
    file: at.file,
    line: at.line,
    column: at.column,
    node,
    memoryBoundBytes: Number.isFinite(bytes) ? bytes : null,
  }
}

/** Rounded up to a tenth of the largest unit that fits, so that it stays a bound. */
function renderMemory(bytes: number): string {
  const [unit, size] = Object.entries(SIZE_UNITS).findLast(([, one]) => bytes >= one) ?? ['B', 1]
  return `${Math.ceil((bytes / size) * 10) / 10} ${unit}`
}
