// Which nodes can't open beside the running ones: those that need a resource held by a running node, such as a UDP port
// or stdin. The old node then releases it first, and there is a gap.
import { ResourceHolders } from '../config/section/resource-holders.js'
import { readResources, renderResource } from '../config/section/resources.js'
import type { NodeSettings } from '../graph/graph.js'
import type { Resource } from '../plugin/resource.js'
import type { OptionText } from './option-text.js'
import type { NodeChange, PlanVerb } from '../observe/reload-plan.js'
import { whyHandedOff } from './plan-reasons.js'

/** Verbs of nodes that open beside the running ones. */
const OPENING: readonly PlanVerb[] = ['add', 'swap', 'source']

/** Ids of the running nodes, by the resources that they hold. */
export type Holders = Pick<ResourceHolders<string>, 'of'>

export function findHolders(nodes: readonly NodeSettings[]): Holders {
  const holders = new ResourceHolders<string>()
  for (const node of nodes) for (const resource of handedOff(node)) holders.add(resource, node.id)
  return holders
}

/** Returns the change, as a handoff if the node needs one. `next`: the node as it will be. */
export function planHandoff(change: NodeChange, next: NodeSettings, holders: Holders, text: OptionText): NodeChange {
  if (!OPENING.includes(change.verb)) return change
  const needed = handedOff(next).filter((resource) => holders.of(resource).length > 0)
  if (needed.length === 0) return change
  const holding = [...new Set(needed.flatMap((resource) => holders.of(resource)))]
  const own = change.verb === 'add' ? undefined : (change.was ?? change.id)
  const others = holding.filter((id) => id !== own)
  const resources = needed.map((resource) => text.plain(renderResource(resource)))
  return { ...change, verb: 'handoff', holders: holding, why: whyHandedOff(resources, others) }
}

/** Resources that one node releases before the next can have them; paths of listeners move without a gap. */
function handedOff({ definition, options }: NodeSettings): readonly Resource[] {
  if (options === undefined) return []
  try {
    return readResources({ definition, options }).filter(({ kind }) => kind !== 'http')
  } catch {
    // The check of the configuration has already reported it.
    return []
  }
}
