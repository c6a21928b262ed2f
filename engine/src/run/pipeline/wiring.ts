// Wires the nodes of a pipeline: which node reads which port, which stream a port carries, and which inputs wait for
// which readers.
import type { NodeSettings } from '../../graph/graph.js'
import { Edge } from '../edge/edge.js'
import { InputRunner } from '../node/input-runner.js'
import type { NodePlacement } from '../node/node-runner.js'
import type { Port } from '../edge/port.js'
import type { NodeServices } from '../node/node-services.js'
import { OutputRunner } from '../node/output-runner.js'
import { TransformRunner } from '../node/transform-runner.js'

export type PipelineNode = InputRunner | TransformRunner | OutputRunner
export type Reader = TransformRunner | OutputRunner

export function createNode(
  settings: NodeSettings,
  services: NodeServices,
  placement: NodePlacement = {},
): PipelineNode {
  const { kind } = settings.definition
  if (kind === 'input') return new InputRunner(settings, services, placement)
  if (kind === 'transform') return new TransformRunner(settings, services, placement)
  return new OutputRunner(settings, services, placement)
}

/** One edge per reference of the reader, not connected yet. */
export function addEdges(
  node: Reader,
  portOf: (ref: NodeSettings['from'][number], index: number) => Port | undefined,
): void {
  for (const [index, ref] of node.settings.from.entries()) {
    const enter = (run: () => void): void => node.calls.enter(run)
    const edge = new Edge({ id: `${ref.node}.${ref.port}`, enter, fail: (error) => node.fail(error) })
    edge.port = portOf(ref, index)
    node.edges.push(edge)
  }
}

/** The port of that name. */
export function portOf(node: PipelineNode | undefined, name: string): Port {
  if (node instanceof InputRunner) return node.port
  if (node instanceof TransformRunner) return node.port(name)
  throw new TypeError(`${node?.id ?? 'nothing'} has no port ${name}`)
}

/**
 * Sets `roots` and `sources` of each port, in graph order, from the planned edges. A transform keeps the origins of the
 * chunks that it reads, unless it makes a stream of its own.
 */
export function traceStreams(nodes: readonly PipelineNode[]): void {
  for (const node of nodes) {
    if (!(node instanceof TransformRunner)) continue
    const { definition, ports } = node.settings
    const passes = definition.kind === 'transform' && definition.makesStream !== true
    const read = node.edges.flatMap(({ port }) => port ?? [])
    const roots = [...new Set(read.flatMap((port) => port.roots))]
    const sources = [...new Set(read.flatMap((port) => port.sources))]
    for (const { name, kind } of ports) {
      const port = node.port(name)
      // Two ports that make their streams have different ones.
      port.roots = passes && kind !== 'bytes' ? roots : [port]
      port.sources = sources
    }
  }
}

/** From now on, readers that hold make the inputs behind them wait. */
export function connectBackpressure(nodes: readonly PipelineNode[]): void {
  for (const node of nodes) {
    if (node instanceof InputRunner) continue
    for (const edge of node.edges) edge.sources = edge.port?.sources ?? []
  }
}
