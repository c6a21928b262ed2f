// The rows of the node table: one a node, and one for all copies of a pattern pipeline.
import type { EngineModel, NodeModel, PatternModel } from './engine-model.js'
import { STATES } from './pipeline-rows.js'
import { patternProblemOf, problemOf } from './problems.js'

export interface NodeRow {
  readonly id: string
  /** Of a pattern pipeline: its name, and how many copies it has. */
  readonly copies: { readonly pattern: string; readonly count: number } | undefined
  readonly kind: string
  readonly type: string
  readonly state: string
  readonly problem: string | undefined
  readonly inBits: number
  readonly outBits: number
  readonly history: () => number[]
  readonly viewers: number | undefined
  readonly node: NodeModel | undefined
  readonly continuityErrors: number | undefined
  readonly drops: number
  readonly restarts: number
}

/** Worst first. */
const WORST: readonly string[] = STATES

/** `pattern`: only the nodes of its copies, worst first. */
export function nodeRows(model: EngineModel, pattern: string | undefined, nowMs: number): readonly NodeRow[] {
  const own = [...model.nodes.values()].filter((node) => node.pattern === pattern)
  const rows = own.map((node) => rowOf(node, nowMs))
  if (pattern !== undefined) return rows.sort((a, b) => rankOf(a) - rankOf(b) || compare(a.id, b.id))
  return [...rows, ...[...model.patterns.values()].map(patternRow)]
}

function rankOf({ state, problem }: NodeRow): number {
  const rank = WORST.indexOf(state)
  return problem !== undefined && rank > 3 ? 3.5 : rank
}

function rowOf(node: NodeModel, nowMs: number): NodeRow {
  const { status, received, sent, drops, details } = node
  const { id, kind, type, state, clients, restarts } = status
  const isInput = kind === 'input'
  return {
    ...{ id, copies: undefined, kind, type, state, node, drops, restarts, viewers: clients },
    problem: problemOf(node, nowMs),
    inBits: isInput && status.bitsPerSecond !== undefined ? status.bitsPerSecond : received.latest,
    outBits: sent.latest,
    history: () => received.samples(),
    continuityErrors: details.continuityErrors,
  }
}

function patternRow({ summary, received, sent }: PatternModel): NodeRow {
  const { pattern, copies, state, clients, drops, restarts, continuityErrors } = summary
  return {
    id: `${pattern}@*`,
    copies: { pattern, count: copies },
    ...{ kind: 'pattern', type: 'pattern', state, problem: patternProblemOf(summary), node: undefined },
    ...{ inBits: received.latest, outBits: sent.latest, history: () => received.samples() },
    ...{ viewers: clients, continuityErrors, drops, restarts },
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
