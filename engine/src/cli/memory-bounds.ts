// The most memory that outputs use for their viewers, according to their definitions, for `engine check`.
import type { Graph, NodeSettings, Pipeline } from '../graph/graph.js'
import { SIZE_UNITS } from '../plugin/amounts.js'

export interface MemoryBound {
  /** `pipeline/node`. */
  readonly node: string
  /** Infinity without a limit. */
  readonly bytes: number
  /** Of a pattern pipeline: how many streams it takes, all of which are in `bytes`. */
  readonly copies?: number
  readonly at: NodeSettings['at']
}

/** One for each output that declares a bound, in the order of the graph. */
export function memoryBounds(graph: Graph): readonly MemoryBound[] {
  const { maxClients } = graph.engine
  const bounds: MemoryBound[] = []
  for (const pipeline of graph.pipelines) {
    const copies = copiesOf(pipeline)
    for (const { id, definition, options, at } of pipeline.nodes) {
      if (definition.kind !== 'output' || definition.memoryBound === undefined) continue
      const bytes = definition.memoryBound(options, maxClients === 0 ? Infinity : maxClients)
      bounds.push({ node: id, bytes: bytes * (copies ?? 1), ...(copies === undefined ? {} : { copies }), at })
    }
  }
  return bounds
}

/** Undefined for an ordinary pipeline. */
function copiesOf({ nodes, pattern }: Pipeline): number | undefined {
  return nodes.find(({ id }) => id === pattern?.input)?.publish?.maxStreams
}

/** One sentence for people. */
export function renderMemoryBound({ node, bytes, copies }: MemoryBound): string {
  const streams = copies === undefined ? '' : ` of ${copies} streams`
  if (Number.isFinite(bytes)) return `${node}: at most ${renderMemory(bytes)} of memory for its viewers${streams}`
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
