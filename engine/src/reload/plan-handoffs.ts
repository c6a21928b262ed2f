// Which nodes can't open beside the running ones: those that need a resource held by a running node, such as a UDP port
// or stdin. The old node then releases it first, and there is a gap.
import type { NodeSettings } from '../graph/graph.js'
import type { OptionText } from './option-text.js'
import type { NodeChange, PlanVerb } from '../observe/reload-plan.js'
import { whyHandedOff } from './plan-reasons.js'

/** Paths of the engine's listeners, which move from one node to the next without a gap. */
const LISTENER_PREFIX = 'http:'
/** Verbs of nodes that open beside the running ones. */
const OPENING: readonly PlanVerb[] = ['add', 'swap', 'source']

/** By the name of a resource, the id of the running node that holds it. */
export type Holders = ReadonlyMap<string, string>

export function findHolders(nodes: readonly NodeSettings[]): Holders {
  return new Map(nodes.flatMap((node) => exclusiveNames(node).map((name) => [name, node.id] as const)))
}

/** Returns the change, as a handoff if the node needs one. `next`: the node as it will be. */
export function planHandoff(change: NodeChange, next: NodeSettings, holders: Holders, text: OptionText): NodeChange {
  if (!OPENING.includes(change.verb)) return change
  const names = exclusiveNames(next).filter((name) => holders.has(name))
  if (names.length === 0) return change
  const holding = [...new Set(names.flatMap((name) => holders.get(name) ?? []))]
  const own = change.verb === 'add' ? undefined : (change.was ?? change.id)
  const others = holding.filter((id) => id !== own)
  const resources = names.map((name) => text.plain(name))
  return { ...change, verb: 'handoff', holders: holding, why: whyHandedOff(resources, others) }
}

// The check of the configuration has already reported an `exclusive` that throws.
function exclusiveNames({ definition, options }: NodeSettings): readonly string[] {
  if (options === undefined || definition.exclusive === undefined) return []
  try {
    return definition.exclusive(options).filter((name) => !name.startsWith(LISTENER_PREFIX))
  } catch {
    return []
  }
}
