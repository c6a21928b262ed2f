// What a reading of the configuration would change of the running one.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Graph } from '../graph/graph.js'
import type { SecretMask } from '../graph/secret-mask.js'
import type { ReloadPlan } from '../observe/reload-plan.js'
import type { ViewersReport } from '../observe/reload-report.js'
import { configId } from './config-id.js'
import type { ConfigReading } from './config-reader.js'
import type { Attempt } from './file-change.js'
import { planReload } from './plan-reload.js'
import { expectViewers } from './plan-viewers.js'
import { firstReason, reportDiagnostics } from './reload-diagnostics.js'
import type { ReloadTarget } from './reload-target.js'

/** A reload that can be applied. */
export interface Compared {
  /** Of the configuration. */
  readonly id: string
  readonly planned: Attempt
  readonly plan: ReloadPlan
  /** What it changes: the plan is for this one alone. */
  readonly before: Graph
  readonly next: Graph
}

/** The final result, or what is to be applied. Yields to the data path between its steps. */
export async function compareConfig(
  reading: ConfigReading,
  { target, mask }: { readonly target: ReloadTarget; readonly mask: SecretMask },
): Promise<Attempt | Compared> {
  const { graph: next } = reading
  const diagnostics = reportDiagnostics(reading.diagnostics)
  if (next === undefined) return { result: 'invalid', why: firstReason(diagnostics), diagnostics }
  // In this order: secrets of the running configuration are never forgotten.
  mask.include(target.graph.secrets)
  mask.include(next.secrets)
  next.secrets.include(mask)
  await nextTurn()
  const id = configId(next)
  await nextTurn()
  const before = target.graph
  const plan = planReload(before, next)
  const expected = expectViewers(
    plan,
    (node) => target.viewersOf(node),
    (node) => target.endingOf(node, next),
  )
  const viewers: ViewersReport = { before: expected.kept + expected.lost, ...expected }
  await nextTurn()
  const planned: Attempt = { result: 'planned', id, why: '', diagnostics, plan, viewers }
  if (plan.isEmpty) return { ...planned, result: 'unchanged' }
  const [refusal] = plan.refusals
  if (refusal !== undefined) return { ...planned, result: 'refused', why: refusal }
  return { id, planned, plan, before, next }
}
