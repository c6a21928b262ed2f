// The memory that outputs use for their viewers, at most and usually, according to their definitions, and the most that
// inputs use for what they record, for `engine check`.
import type { Graph, NodeSettings, Pipeline } from '../graph/graph.js'
import { SIZE_UNITS } from '../plugin/amounts.js'
import type { OutputDefinition } from '../plugin/contract.js'
import type { UsualMemory } from '../plugin/usual-window-bytes.js'

/** Of a stream whose bit rate is not known: HD video. */
const USUAL_BITS_PER_SECOND = 5_000_000

interface MemoryParts {
  readonly sharedBytes: number
  readonly viewerBytes: number
  readonly viewers: number
}

export interface MemoryBound {
  /** `pipeline/node`. */
  readonly node: string
  /** Infinity without a limit. */
  readonly bytes: number
  /** Of a pattern pipeline: how many streams it takes, all of which are in `bytes`. */
  readonly copies?: number
  readonly use: 'viewers' | 'recorder'
  /** Of a bound: what all viewers share, of each copy, and what each of so many viewers takes; undefined for recorders. */
  readonly parts?: MemoryParts
  /** At USUAL_BITS_PER_SECOND, of each copy, while viewers keep up; undefined if the output does not say. */
  readonly usual?: UsualMemory
  /** What lowers it. */
  readonly options: readonly string[]
  readonly at: NodeSettings['at']
}

/** One for each output that declares a bound, and for each input that records, in the order of the graph. */
export function memoryBounds(graph: Graph): readonly MemoryBound[] {
  const { maxClients } = graph.engine
  const bounds: MemoryBound[] = []
  for (const pipeline of graph.pipelines) {
    const copies = copiesOf(pipeline)
    const shared = copies === undefined ? {} : { copies }
    for (const { id, definition, options, from, recorder, at } of pipeline.nodes) {
      // Twice: what is kept, and what is being written.
      const recorded = 2 * (recorder?.maxBytes ?? 0) * (copies ?? 1)
      if (recorded > 0)
        bounds.push({ node: id, bytes: recorded, ...shared, use: 'recorder', options: ['recorder.size'], at })
      // With `--no-env`, options can be unknown.
      if (definition.kind !== 'output' || definition.memoryBound === undefined || options === undefined) continue
      const boundOf = (clients: number): number => definition.memoryBound?.(options, clients, from.length) ?? 0
      const bytes = boundOfCopies(boundOf, maxClients === 0 ? Infinity : maxClients, copies ?? 1)
      const parts = partsOf(boundOf, maxClients === 0 ? Infinity : maxClients)
      const told = toldBy(definition, options, from.length)
      bounds.push({ node: id, bytes, ...shared, use: 'viewers', parts, ...told, at })
    }
  }
  return bounds
}

function toldBy(
  definition: OutputDefinition,
  options: unknown,
  inlets: number,
): Pick<MemoryBound, 'options' | 'usual'> {
  const lowering = definition.memoryOptions?.(options) ?? []
  const usual = definition.usualMemory?.(options, USUAL_BITS_PER_SECOND, inlets)
  return usual === undefined ? { options: lowering } : { options: lowering, usual }
}

/**
 * The viewers of the engine are spread over the copies: each copy has its buffers, and no viewer is in two. The first
 * spread is the largest if a viewer costs less the more there are, the second if it costs more.
 */
function boundOfCopies(boundOf: (clients: number) => number, maxClients: number, copies: number): number {
  const all = boundOf(maxClients)
  if (copies === 1 || !Number.isFinite(all * maxClients)) return all * copies
  const perViewer = boundOf(2) - boundOf(1)
  const spread = copies * (boundOf(1) - perViewer) + maxClients * perViewer
  return Math.min(all * copies, Math.max(spread, all + (copies - 1) * boundOf(1)))
}

function partsOf(boundOf: (clients: number) => number, maxClients: number): MemoryParts {
  const sharedBytes = boundOf(0)
  const viewerBytes = boundOf(1) - sharedBytes
  const viewers = viewerBytes === 0 ? 0 : Math.round((boundOf(maxClients) - sharedBytes) / viewerBytes)
  return { sharedBytes, viewerBytes, viewers }
}

/** Undefined for an ordinary pipeline. */
function copiesOf({ nodes, pattern }: Pipeline): number | undefined {
  return nodes.find(({ id }) => id === pattern?.input)?.publish?.maxStreams
}

/** One sentence for people: how much, for what, what of it is shared, what lowers it, and how much it is usually. */
export function renderMemoryBound(bound: MemoryBound): string {
  const { node, bytes, copies, use, options, parts } = bound
  // A push has no viewers, and those of HLS add nothing.
  const whose = parts?.viewers === 0 ? '' : ` for its ${use}`
  const streams = copies === undefined ? '' : ` of ${copies} streams`
  const usual = renderUsual(bound)
  if (!Number.isFinite(bytes))
    return `${node}: no bound on memory; set a viewer limit on the output, or engine.maxClients${usual}`
  const lower = options.length === 0 ? '' : `; lower it with ${options.join(', ')}`
  return `${node}: at most ${renderMemory(bytes)} of memory${whose}${streams}${renderParts(bound)}${lower}${usual}`
}

function renderUsual({ usual, copies }: MemoryBound): string {
  if (usual === undefined) return ''
  const { sharedBytes, viewerBytes } = usual
  const each = copies === undefined ? '' : ' for each stream'
  const rate = `${USUAL_BITS_PER_SECOND / 1e6} Mbit/s`
  const viewers = viewerBytes === undefined ? '' : `, and ${renderMemory(viewerBytes)} for each viewer that keeps up`
  return `; usually ${renderMemory(sharedBytes)}${each} at ${rate}${viewers}`
}

function renderParts({ parts, copies }: MemoryBound): string {
  if (parts === undefined) return ''
  const { sharedBytes, viewerBytes, viewers } = parts
  const shared = `${renderMemory(sharedBytes)} ${copies === undefined ? '' : 'of each stream '}`
  if (viewers === 0) return ''
  return `: ${shared}shared by all, ${renderMemory(viewerBytes)} for each of ${viewers}, if all read slowly at once`
}

/** A row beside the diagnostics of the JSON format; the bytes are null without a limit. */
export function memoryBoundRow(bound: MemoryBound): object {
  const { node, bytes, usual, at } = bound
  return {
    severity: 'info',
    message: renderMemoryBound(bound),
    file: at.file,
    line: at.line,
    column: at.column,
    node,
    memoryBoundBytes: Number.isFinite(bytes) ? bytes : null,
    ...(usual === undefined ? {} : { usualMemory: usual }),
  }
}

/** Rounded up to a tenth of the largest unit that fits, so that it stays a bound. */
function renderMemory(bytes: number): string {
  const [unit, size] = Object.entries(SIZE_UNITS).findLast(([, one]) => bytes >= one) ?? ['B', 1]
  return `${Math.ceil((bytes / size) * 10) / 10} ${unit}`
}
