// How many viewers a plan would keep and lose, counted before anything happens.
import type { ReloadPlan } from '../observe/reload-plan.js'

export interface ExpectedViewers {
  readonly kept: number
  readonly lost: number
  /** Only nodes that have viewers, by their current id. */
  readonly perNode: readonly NodeViewers[]
}

interface NodeViewers {
  readonly id: string
  readonly kept: number
  readonly lost: number
}

/**
 * Viewers of removed outputs are lost, but none if the plan is refused. `viewersOf` is called once for each node, with
 * its current id.
 */
export function expectViewers(plan: ReloadPlan, viewersOf: (id: string) => number): ExpectedViewers {
  const isRefused = plan.refusals.length > 0
  const gone = new Set(plan.nodes.filter(({ verb }) => verb === 'remove').map(({ id }) => id))
  const renamed = plan.nodes.flatMap(({ was }) => was ?? [])
  const other = plan.nodes.filter(({ was, verb }) => was === undefined && verb !== 'add').map(({ id }) => id)
  // A new node can have the id of one that is removed or renamed.
  const perNode = [...new Set([...gone, ...renamed, ...other])].flatMap((id) => {
    const count = viewersOf(id)
    const isLost = gone.has(id) && !isRefused
    return count > 0 ? [{ id, kept: isLost ? 0 : count, lost: isLost ? count : 0 }] : []
  })
  const sum = (key: 'kept' | 'lost'): number => perNode.reduce((total, node) => total + node[key], 0)
  return { kept: sum('kept'), lost: sum('lost'), perNode }
}
