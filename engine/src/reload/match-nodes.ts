// Which running node each node of the next graph continues: the one of the same id and kind, or the one that `was:`
// names. Planning and applying a reload use the same answer.
import type { Graph, NodeSettings } from '../graph/graph.js'

export interface NodeMatches {
  /** By id of the next graph. A node that is not in it is new. */
  readonly oldOf: ReadonlyMap<string, NodeSettings>
  /** By id of the running graph. A node that is not in it goes. */
  readonly newOf: ReadonlyMap<string, NodeSettings>
}

/**
 * A `was` that names nothing that runs has been carried out before, and so has one that the running node of the same id
 * has too; both are ignored. A node that changes its kind is another node, and so is an output that changes its type.
 */
export function matchNodes(running: Graph, next: Graph): NodeMatches {
  const byId = new Map(nodesOf(running).map((node) => [node.id, node]))
  const oldOf = new Map<string, NodeSettings>()
  const newOf = new Map<string, NodeSettings>()
  const match = (node: NodeSettings, old: NodeSettings | undefined): void => {
    if (old === undefined || oldOf.has(node.id) || newOf.has(old.id)) return
    if (old.definition.kind !== node.definition.kind) return
    // The viewers of the one are nothing that the other could serve.
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

/** Services, then the nodes of all pipelines. */
export function nodesOf({ services, pipelines }: Graph): readonly NodeSettings[] {
  return [...services, ...pipelines.flatMap(({ nodes }) => nodes)]
}
