// Which nodes can't open beside what runs: those that need a thing which a running node holds, as an UDP port or stdin.
// Then the old one lets go first, and there is a gap.
import type { NodeSettings } from '../graph/graph.js'
import type { OptionText } from './option-text.js'
import type { NodeChange, PlanVerb } from '../observe/reload-plan.js'
import { whyHandedOff } from './plan-reasons.js'

/** Belongs to the listeners of the engine, which move it from one node to the next without a gap. */
const WITHOUT_A_GAP = 'http:'
/** Verbs of nodes that are opened beside what runs. */
const OPENING: readonly PlanVerb[] = ['add', 'swap', 'source']

/** By the name of a thing, the id of the running node that holds it. */
export type Holders = ReadonlyMap<string, string>

export function findHolders(nodes: readonly NodeSettings[]): Holders {
  return new Map(nodes.flatMap((node) => exclusiveNames(node).map((name) => [name, node.id] as const)))
}

/** The change, as a handoff where it is one. `next`: the node as it will be. */
export function planHandoff(change: NodeChange, next: NodeSettings, holders: Holders, text: OptionText): NodeChange {
  if (!OPENING.includes(change.verb)) return change
  const names = exclusiveNames(next).filter((name) => holders.has(name))
  if (names.length === 0) return change
  const holding = [...new Set(names.flatMap((name) => holders.get(name) ?? []))]
  const own = change.verb === 'add' ? undefined : (change.was ?? change.id)
  const others = holding.filter((id) => id !== own)
  const things = names.map((name) => text.plain(name))
  return { ...change, verb: 'handoff', holders: holding, why: whyHandedOff(things, others) }
}

// The check of the configuration has reported an `exclusive` that throws.
function exclusiveNames({ definition, options }: NodeSettings): readonly string[] {
  if (options === undefined || definition.exclusive === undefined) return []
  try {
    return definition.exclusive(options).filter((name) => !name.startsWith(WITHOUT_A_GAP))
  } catch {
    return []
  }
}
