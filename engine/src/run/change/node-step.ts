// What a reload does with one node of a pipeline: the node that runs now, and the node that will run.
import type { NodeSettings } from '../../graph/graph.js'
import type { NodeChange, PlanVerb } from '../../observe/reload-plan.js'
import { isGone } from '../node/become-ready.js'
import { InputRunner } from '../node/input-runner.js'
import type { NodePlacement } from '../node/node-runner.js'
import type { PipelineRunner } from '../pipeline/pipeline-runner.js'
import type { PipelineNode } from '../pipeline/wiring.js'
import type { EndpointStep } from './endpoint-moves.js'

export interface Step extends EndpointStep {
  /** The node that runs now. */
  readonly old: PipelineNode | undefined
  /** The node that will run: the same one if it stays. */
  node: PipelineNode
  /** Holds on the edges of a node that opens after the commit: chunks wait until then. */
  holds: readonly Disposable[]
}

/**
 * In graph order. A node stays if the plan keeps it and it has not failed or stopped. A node whose stream has ended for
 * good is created again if a node it reads is new.
 */
export function makeSteps(
  nodes: readonly NodeSettings[],
  changes: ReadonlyMap<string, NodeChange>,
  runner: PipelineRunner,
): readonly Step[] {
  const newIds = new Set<string>()
  return nodes.map((settings) => {
    const readsNewNode = settings.from.some(({ node }) => newIds.has(node))
    const step = makeStep(settings, changes.get(settings.id), runner, readsNewNode)
    if (isNew(step)) newIds.add(settings.id)
    return step
  })
}

function makeStep(
  settings: NodeSettings,
  change: NodeChange | undefined,
  runner: PipelineRunner,
  readsNewNode: boolean,
): Step {
  const { verb = 'add', was = settings.id } = change ?? {}
  const isHandoff = verb === 'handoff'
  const found = verb === 'add' ? undefined : runner.find(was)
  const old = currentNode(found, readsNewNode || REPLACES.has(verb))
  const make = (placement: NodePlacement): PipelineNode =>
    runner.services.createNode(settings, { isStandby: true, isHandoff, ...placement })
  if (old === undefined) {
    return {
      settings,
      verb: isHandoff ? verb : 'add',
      old,
      node: make(found === undefined ? {} : { continues: found }),
      holds: [],
    }
  }
  const stays = verb === 'keep' || (UPDATES_IN_PLACE.has(verb) && !isGone(old))
  return { settings, verb, old, node: stays ? old : make({ before: old }), holds: [] }
}

/** The node that runs now; undefined if its stream has ended and it is to be replaced. */
function currentNode(found: PipelineNode | undefined, isReplaced: boolean): PipelineNode | undefined {
  return found !== undefined && isReplaced && hasEnded(found) ? undefined : found
}

const REPLACES: ReadonlySet<PlanVerb> = new Set(['swap', 'source'])
const UPDATES_IN_PLACE: ReadonlySet<PlanVerb> = new Set(['live', 'rebind'])

/** No more chunks will enter or leave it. */
function hasEnded(node: PipelineNode): boolean {
  if (node.state === 'ended' || node instanceof InputRunner) return node.state === 'ended'
  return node.edges.length > 0 && node.edges.every((edge) => edge.isComplete)
}

/** Another node replaces the old one. */
export function isNew({ node, old }: Step): boolean {
  return node !== old
}
