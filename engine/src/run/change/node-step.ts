// What a reload does with one node of a pipeline: who has its place now, and who will have it.
import type { NodeSettings } from '../../graph/graph.js'
import type { NodeChange, PlanVerb } from '../../observe/reload-plan.js'
import { isGone } from '../node/become-ready.js'
import { InputRunner } from '../node/input-runner.js'
import type { NodePlacement } from '../node/node-runner.js'
import type { PipelineRunner } from '../pipeline/pipeline-runner.js'
import { createNode, type PipelineNode } from '../pipeline/wiring.js'

export interface Step {
  readonly settings: NodeSettings
  readonly verb: PlanVerb
  /** What has its place now. */
  readonly old: PipelineNode | undefined
  /** What will have it: the same for a node that stays. */
  node: PipelineNode
  /** It is found at another listener or path from the commit on. */
  readonly moves: boolean
  /** Of the edges of a node that opens late: what comes until then waits. */
  holds: readonly Disposable[]
}

/**
 * In graph order. A node that stays is one that the plan keeps, and that is still there to be changed. One whose stream
 * has ended for ever is made anew where what it reads is new.
 */
export function makeSteps(
  nodes: readonly NodeSettings[],
  changes: ReadonlyMap<string, NodeChange>,
  runner: PipelineRunner,
): readonly Step[] {
  const fresh = new Set<string>()
  return nodes.map((settings) => {
    const isFedAnew = settings.from.some(({ node }) => fresh.has(node))
    const step = makeStep(settings, changes.get(settings.id), runner, isFedAnew)
    if (isNew(step)) fresh.add(settings.id)
    return step
  })
}

function makeStep(
  settings: NodeSettings,
  change: NodeChange | undefined,
  runner: PipelineRunner,
  isFedAnew: boolean,
): Step {
  const { verb = 'add', was = settings.id, changes = [] } = change ?? {}
  const isHandoff = verb === 'handoff'
  const moves = changes.some((each) => each.reload === 'rebind')
  const old = verb === 'add' ? undefined : placeholderOf(runner.find(was), isFedAnew || MADE_ANEW.has(verb))
  const make = (placement: NodePlacement): PipelineNode =>
    createNode(settings, runner.services, runner.container, { isStandby: true, isHandoff, ...placement })
  if (old === undefined) {
    return { settings, verb: isHandoff ? verb : 'add', old, node: make({}), moves, holds: [] }
  }
  const stays = verb === 'keep' || (STAYS.has(verb) && !isGone(old))
  return { settings, verb, old, node: stays ? old : make({ before: old }), moves, holds: [] }
}

/** Who has the place now; nobody, if its stream has ended and another is to begin. */
function placeholderOf(found: PipelineNode | undefined, beginsAnew: boolean): PipelineNode | undefined {
  return found !== undefined && beginsAnew && hasEnded(found) ? undefined : found
}

const MADE_ANEW: ReadonlySet<PlanVerb> = new Set(['swap', 'source'])
const STAYS: ReadonlySet<PlanVerb> = new Set(['live', 'rebind'])

/** Nothing will come to it any more, or from it. */
function hasEnded(node: PipelineNode): boolean {
  if (node.state === 'ended' || node instanceof InputRunner) return node.state === 'ended'
  return node.edges.length > 0 && node.edges.every((edge) => edge.isComplete)
}

/** Another node will have its place. */
export function isNew({ node, old }: Step): boolean {
  return node !== old
}
