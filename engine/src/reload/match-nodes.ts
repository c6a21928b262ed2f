// Which running node each node of the next graph continues: the one with the same id and kind, or the one that `was:`
// names. Planning and applying a reload share this result.
import type { Graph, NodeSettings } from '../graph/graph.js'

export interface NodeMatches {
  /** By id in the next graph. A node that is missing here is new. */
  readonly oldOf: ReadonlyMap<string, NodeSettings>
  /** By id in the running graph. A node that is missing here is removed. */
  readonly newOf: ReadonlyMap<string, NodeSettings>
}

/**
 * A `was` that names no running node has already been carried out, and so has one that the running node of the same id
 * also has; both are ignored. A node whose kind changes is a different node, and so is an output whose type changes. A
 * pipeline that becomes a pattern pipeline, or an ordinary one again, has other nodes.
 */
export function matchNodes(running: Graph, next: Graph): NodeMatches {
  const byId = new Map(nodesOf(running).map((node) => [node.id, node]))
  const oldOf = new Map<string, NodeSettings>()
  const newOf = new Map<string, NodeSettings>()
  const areInCopies = new Map([running, next].flatMap(patternNodes))
  const match = (node: NodeSettings, old: NodeSettings | undefined): void => {
    if (old === undefined || oldOf.has(node.id) || newOf.has(old.id)) return
    if (old.definition.kind !== node.definition.kind) return
    if (areInCopies.get(old) !== areInCopies.get(node)) return
    // An output of another type could not serve the viewers of the old one.
    if (node.definition.kind === 'output' && old.definition.type !== node.definition.type) return
    oldOf.set(node.id, old)
    newOf.set(old.id, node)
  }
  const nodes = nodesOf(next)
  for (const node of nodes) {
    const { id, was } = node
    if (was === undefined || was === id || byId.get(id)?.was === was) continue
    match(node, byId.get(was))
  }
  for (const node of nodes) match(node, byId.get(node.id))
  return { oldOf, newOf }
}

function patternNodes({ pipelines }: Graph): readonly (readonly [NodeSettings, true])[] {
  return pipelines.flatMap(({ nodes, pattern }) =>
    pattern === undefined ? [] : nodes.map((node) => [node, true] as const),
  )
}

/** Services, then the nodes of all pipelines. */
export function nodesOf({ services, pipelines }: Graph): readonly NodeSettings[] {
  return [...services, ...pipelines.flatMap(({ nodes }) => nodes)]
}
