// The way of a stream through a pipeline, from its status: what is behind a node, what is ahead of it, who watches there.
import type { EdgeStatus, NodeStatus, PipelineStatus } from './status.js'

export type StatusGraph = Pick<PipelineStatus, 'nodes' | 'edges'>

/** The node whose port an edge reads. */
export function sourceOf({ from }: Pick<EdgeStatus, 'from'>): string {
  return from.slice(0, from.lastIndexOf('.'))
}

/** The nodes that this one reads. */
export function nodesBehind({ nodes, edges }: StatusGraph, id: string): readonly NodeStatus[] {
  const ids = new Set(edges.filter(({ to }) => to === id).map(sourceOf))
  return nodes.filter((node) => ids.has(node.id))
}

/** The node, then all that its stream reaches, nearest first. */
export function reachedFrom({ nodes, edges }: StatusGraph, id: string): readonly NodeStatus[] {
  const ids = new Set([id])
  // A set can grow while it is iterated.
  for (const from of ids) for (const edge of edges) if (sourceOf(edge) === from) ids.add(edge.to)
  return [...ids].flatMap((each) => nodes.find((node) => node.id === each) ?? [])
}

/** Viewers of the node and of every output that its stream reaches. */
export function viewersReachedFrom(graph: StatusGraph, id: string): number {
  return reachedFrom(graph, id).reduce((sum, { clients = 0 }) => sum + clients, 0)
}
