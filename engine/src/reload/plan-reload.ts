// The plan of a reload: two checked graphs in, what would happen out. No I/O, no changes. The effect of an option comes
// from its declaration; nothing here knows a node type.
import type { Graph } from '../graph/graph.js'
import type { Definition } from '../plugin/contract.js'
import { matchNodes, nodesOf } from './match-nodes.js'
import { OptionText } from './option-text.js'
import { findHolders, planHandoff } from './plan-handoffs.js'
import type { PlanContext } from './plan-node.js'
import { planAdded, planNode, planRemoved } from './plan-node.js'
import { planParts } from './plan-parts.js'
import { tellRename } from './plan-renames.js'
import type { ReloadClasses } from './reload-classes.js'
import type { NodeChange, ReloadPlan } from '../observe/reload-plan.js'

/** Never throws for graphs made by `loadConfig`. `matches`: by default those of their ids and `was:`. */
export function planReload(running: Graph, next: Graph, matches = matchNodes(running, next)): ReloadPlan {
  const text = new OptionText([running.secrets, next.secrets])
  const nodes = planNodes(running, next, { matches, text })
  const parts = planParts(running, next, text)
  const refusals = [...parts, ...nodes].flatMap(({ id, verb, why }) => (verb === 'refuse' ? [`${id}: ${why}`] : []))
  const isEmpty = parts.length === 0 && nodes.every(({ verb }) => verb === 'keep')
  return { nodes, parts, isEmpty, refusals }
}

function planNodes(
  running: Graph,
  next: Graph,
  { matches, text }: Pick<PlanContext, 'matches' | 'text'>,
): readonly NodeChange[] {
  const before = nodesOf(running)
  const holders = findHolders(before)
  const context: PlanContext = { matches, text, classes: new Map<Definition, ReloadClasses>() }
  const remaining = nodesOf(next).map((node) => {
    const old = matches.oldOf.get(node.id)
    const change = old === undefined ? planAdded(node) : planNode(old, node, context)
    return planHandoff(change, node, holders, text)
  })
  const added = nodesOf(next).filter(({ id }) => !matches.oldOf.has(id))
  const removed = before.filter(({ id }) => !matches.newOf.has(id))
  return [...remaining, ...removed.map((node) => tellRename(planRemoved(node), node, added))]
}
