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
  return match(running, next, ({ id, was }, byId) => {
    return was === undefined || was === id || byId.get(id)?.was === was ? undefined : byId.get(was)
  })
}

/**
 * For going back to a graph that ran before: a node continues the running node of the same lineage, whatever their names
 * are now; otherwise the one with its id. `lineageOf`: undefined if it is not known.
 */
export function matchBack(
  running: Graph,
  before: Graph,
  lineageOf: (node: NodeSettings) => object | undefined,
): NodeMatches {
  const byLineage = new Map<object, NodeSettings>()
  for (const node of nodesOf(running)) {
    const lineage = lineageOf(node)
    if (lineage !== undefined) byLineage.set(lineage, node)
  }
  return match(running, before, (node) => {
    const lineage = lineageOf(node)
    return lineage && byLineage.get(lineage)
  })
}

/** First those that `find` returns, whatever their ids; then by id. */
function match(
  running: Graph,
  next: Graph,
  find: (node: NodeSettings, byId: ReadonlyMap<string, NodeSettings>) => NodeSettings | undefined,
): NodeMatches {
  const byId = new Map(nodesOf(running).map((node) => [node.id, node]))
  const oldOf = new Map<string, NodeSettings>()
  const newOf = new Map<string, NodeSettings>()
  const areInCopies = new Map([running, next].flatMap(patternNodes))
  const add = (node: NodeSettings, old: NodeSettings | undefined): void => {
    if (old === undefined || oldOf.has(node.id) || newOf.has(old.id)) return
    if (old.definition.kind !== node.definition.kind) return
    if (areInCopies.get(old) !== areInCopies.get(node)) return
    // An output of another type could not serve the viewers of the old one.
    if (node.definition.kind === 'output' && old.definition.type !== node.definition.type) return
    oldOf.set(node.id, old)
    newOf.set(old.id, node)
  }
  const nodes = nodesOf(next)
  for (const node of nodes) add(node, find(node, byId))
  for (const node of nodes) add(node, byId.get(node.id))
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
