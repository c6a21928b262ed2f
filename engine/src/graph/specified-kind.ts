import type { NodeKind } from '../plugin/contract.js'
import type { Graph } from './graph.js'
import { isNodeOrCopy } from './node-id.js'

/** The kind of a node of a pipeline, or of one of a copy: also of one that has just begun, or is over. */
export function specifiedKind({ pipelines }: Graph, id: string): NodeKind | undefined {
  for (const { nodes } of pipelines) {
    const node = nodes.find((each) => isNodeOrCopy(id, each.id))
    if (node !== undefined) return node.definition.kind
  }
  return undefined
}
