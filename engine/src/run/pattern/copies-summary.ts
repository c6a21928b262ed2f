// All copies of a pattern pipeline as one row: what a dashboard shows of hundreds of them.
import type { CopiesSummary, NodeState } from '../../observe/status.js'
import type { SampledPipeline } from '../pipeline/pipeline-sample.js'

/** Worst first. */
const STATES: readonly NodeState[] = [
  ...(['failed', 'waiting', 'degraded', 'opening', 'stopped', 'ended', 'idle', 'ready'] as const),
]

/** One for each pattern pipeline that has copies, in the order of their first copies. */
export function summariseCopies(pipelines: readonly SampledPipeline[]): readonly CopiesSummary[] {
  const patterns = new Map<string, SampledPipeline[]>()
  for (const pipeline of pipelines) {
    if (pipeline.pattern === undefined) continue
    const copies = patterns.get(pipeline.pattern)
    if (copies === undefined) patterns.set(pipeline.pattern, [pipeline])
    else copies.push(pipeline)
  }
  return [...patterns].map(([pattern, copies]) => summaryOf(pattern, copies))
}

function summaryOf(pattern: string, copies: readonly SampledPipeline[]): CopiesSummary {
  const summary = {
    ...{ pattern, copies: copies.length, state: 'ready' as NodeState, notWell: 0, receivedBytes: 0, sentBytes: 0 },
    ...{ clients: 0, drops: 0, restarts: 0 },
  }
  let errors: number | undefined
  for (const { nodes, edges } of copies) {
    let worst = STATES.length - 1
    for (const { kind, state, receivedBytes, sentBytes, clients = 0, restarts, continuityErrors } of nodes) {
      worst = Math.min(worst, STATES.indexOf(state))
      if (kind === 'input') summary.receivedBytes += receivedBytes
      if (kind === 'output') summary.sentBytes += sentBytes
      summary.clients += clients
      summary.restarts += restarts
      if (continuityErrors !== undefined) errors = (errors ?? 0) + continuityErrors
    }
    if (worst < STATES.indexOf('stopped')) summary.notWell++
    if (worst < STATES.indexOf(summary.state)) summary.state = STATES[worst] ?? summary.state
    for (const { drops } of edges) summary.drops += drops
  }
  return errors === undefined ? summary : { ...summary, continuityErrors: errors }
}
