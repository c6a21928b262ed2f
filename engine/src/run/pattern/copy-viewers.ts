// Which copies of a pattern pipeline a node id of the configuration stands for, and which of them a reload ends.
import type { Graph } from '../../graph/graph.js'
import { copyName, splitCopyName } from '../../graph/node-id.js'
import { KeyCheck } from '../../graph/stream-keys.js'

export interface RunningCopies {
  readonly graph: Graph
  readonly pipelines: readonly { readonly name: string }[]
}

/** Names of the copies of the pipeline of this node; none if it is not a pattern pipeline. */
export function copiesOf(node: string, { graph, pipelines }: RunningCopies): readonly string[] {
  const { pipeline, stream } = splitCopyName(node)
  if (stream !== undefined || checkOf(pipeline, graph) === undefined) return []
  return pipelines.map(({ name }) => name).filter((name) => name.startsWith(copyName(pipeline, '')))
}

/** Those whose streams `next` does not take. */
export function endingCopiesOf(node: string, running: RunningCopies, next: Graph): readonly string[] {
  const check = checkOf(splitCopyName(node).pipeline, next)
  const isTaken = (name: string): boolean => check?.problemOf(splitCopyName(name).stream ?? '') === undefined
  return copiesOf(node, running).filter((name) => check === undefined || !isTaken(name))
}

/** Undefined if the graph has no such pattern pipeline. */
function checkOf(pipeline: string, { pipelines }: Graph): KeyCheck | undefined {
  const found = pipelines.find(({ name, pattern }) => name === pipeline && pattern !== undefined)
  const rules = found?.nodes.find(({ id }) => id === found.pattern?.input)?.publish
  return rules && new KeyCheck(rules)
}
