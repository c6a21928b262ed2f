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
 * Viewers of removed outputs are lost, those who have to load the stream again, and those of streams that are no longer taken (`endingOf`), but none if the plan
 * is refused. Both are called once for each node, with its current id.
 */
export function expectViewers(
  plan: ReloadPlan,
  viewersOf: (id: string) => number,
  endingOf: (id: string) => number = () => 0,
): ExpectedViewers {
  const isRefused = plan.refusals.length > 0
  const gone = new Set(plan.nodes.filter(({ verb }) => verb === 'remove').map(({ id }) => id))
  const losing = new Set(plan.nodes.filter((node) => node.losesViewers).map(({ was, id }) => was ?? id))
  const renamed = plan.nodes.flatMap(({ was }) => was ?? [])
  const other = plan.nodes.filter(({ was, verb }) => was === undefined && verb !== 'add').map(({ id }) => id)
  // A new node can have the id of one that is removed or renamed.
  const perNode = [...new Set([...gone, ...renamed, ...other])].flatMap((id) => {
    const count = viewersOf(id)
    const lost = isRefused ? 0 : gone.has(id) || losing.has(id) ? count : endingOf(id)
    return count > 0 ? [{ id, kept: count - lost, lost }] : []
  })
  const sum = (key: 'kept' | 'lost'): number => perNode.reduce((total, node) => total + node[key], 0)
  return { kept: sum('kept'), lost: sum('lost'), perNode }
}
