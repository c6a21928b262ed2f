// The rows of the table of pipelines: the sums and the worst of the nodes of each, all copies of a pattern pipeline as one.
import { type EngineModel, isBadState, type NodeModel } from './engine-model.js'
import { patternProblemOf, problemOf } from './problems.js'

export interface PipelineRow {
  readonly name: string
  readonly isPattern: boolean
  /** Nodes; of a pattern pipeline: copies. */
  readonly parts: number
  readonly notWell: number
  /** The worst of its nodes. */
  readonly state: string
  readonly problem: string | undefined
  readonly inBits: number
  readonly outBits: number
  /** Bits per second that enter it, oldest first. */
  readonly history: () => number[]
  readonly viewers: number
}

/** Worst first. */
export const STATES = ['failed', 'waiting', 'degraded', 'opening', 'ended', 'stopped', 'idle', 'ready'] as const

/** In the order of the configuration; pattern pipelines last. */
export function pipelineRows(model: EngineModel, nowMs: number): readonly PipelineRow[] {
  const byName = new Map<string, NodeModel[]>()
  for (const node of model.nodes.values()) {
    // What a pattern pipeline has besides its copies belongs to its one row.
    if (model.patterns.has(node.pipeline)) continue
    if (node.pattern !== undefined || node.pipeline === 'services' || node.pipeline === 'listeners') continue
    const nodes = byName.get(node.pipeline)
    if (nodes === undefined) byName.set(node.pipeline, [node])
    else nodes.push(node)
  }
  const patterns = [...model.patterns.values()].map(({ summary, received, sent }): PipelineRow => ({
    ...{ name: summary.pattern, isPattern: true, parts: summary.copies, notWell: summary.notWell },
    ...{ state: summary.state, problem: patternProblemOf(summary), viewers: summary.clients },
    ...{ inBits: received.latest, outBits: sent.latest, history: () => received.samples() },
  }))
  return [...[...byName].map(([name, nodes]) => rowOf(name, nodes, nowMs)), ...patterns]
}

/** Of these states the worst. */
export function worstState(states: readonly string[]): string {
  return STATES.find((state) => states.includes(state)) ?? 'ready'
}

function rowOf(name: string, nodes: readonly NodeModel[], nowMs: number): PipelineRow {
  const sum = (kind: string, of: (node: NodeModel) => number): number =>
    nodes.reduce((total, node) => (node.status.kind === kind ? total + of(node) : total), 0)
  const troubled = nodes.filter((node) => problemOf(node, nowMs) !== undefined)
  const worst = troubled.toSorted((a, b) => rankOf(a) - rankOf(b))[0]
  const inputs = nodes.filter(({ status }) => status.kind === 'input')
  const states = nodes.map(({ status }) => status.state).filter((state) => isBadState(state) || state === 'ended')
  return {
    ...{ name, isPattern: false, parts: nodes.length, notWell: troubled.length, state: worstState(states) },
    problem: worst === undefined ? undefined : `${nameOf(worst)} ${problemOf(worst, nowMs) ?? ''}`,
    inBits: sum('input', ({ received }) => received.latest),
    outBits: sum('output', ({ sent }) => sent.latest),
    history: () => sumOf(inputs.map(({ received }) => received.samples())),
    viewers: sum('output', ({ status }) => status.clients ?? 0),
  }
}

function rankOf({ status }: NodeModel): number {
  return (STATES as readonly string[]).indexOf(status.state)
}

function nameOf({ id }: NodeModel): string {
  return id.slice(id.indexOf('/') + 1)
}

/** Lists that end now, and may begin at different times. */
function sumOf(lists: readonly (readonly number[])[]): number[] {
  const length = Math.max(0, ...lists.map((list) => list.length))
  return Array.from({ length }, (_, at) =>
    lists.reduce((total, list) => total + (list[at - length + list.length] ?? 0), 0),
  )
}
