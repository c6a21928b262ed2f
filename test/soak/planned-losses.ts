// What an edit may cost: the outputs that it removes, and the nodes behind which the stream has a gap. The engine's plan,
// before anything happens, must say the same as the model.
import assert from 'node:assert/strict'
import type { CheckReport } from '@millrace/engine/api'
import type { ConfigModel } from './config-model.js'
import { outputsOf } from './config-model.js'
import type { Edit } from './edits/edit.js'

export interface PlannedLosses {
  /** Outputs whose viewers get a clean end. */
  readonly gone: ReadonlySet<string>
  readonly gapsBehind: ReadonlySet<string>
}

export function readPlannedLosses(
  edit: Edit,
  now: ConfigModel,
  next: ConfigModel,
  { ok, plan, diagnostics }: CheckReport,
): PlannedLosses {
  assert.ok(ok && plan !== undefined, `a valid edit was refused: ${JSON.stringify(diagnostics.slice(0, 3))}`)
  const verbs = new Set([...plan.nodes, ...plan.parts].map(({ verb }) => verb).filter((verb) => verb !== 'keep'))
  if (edit.verbs.length > 0 || edit.kind === 'comment') {
    for (const verb of verbs) assert.ok(edit.verbs.includes(verb), `the plan has a ${verb}`)
  }
  const gone = goneOutputs(now, next)
  const outputs = new Set(outputsOf(now).map(({ id }) => id))
  const removed = plan.nodes.filter(({ id, verb }) => verb === 'remove' && outputs.has(id)).map(({ id }) => id)
  assert.deepEqual(removed.sort(), [...gone].sort(), 'removed outputs, by the plan')
  const handedOver = plan.nodes.filter(({ verb }) => verb === 'handoff')
  return { gone, gapsBehind: new Set(handedOver.map(({ id, was }) => was ?? id)) }
}

function goneOutputs(now: ConfigModel, next: ConfigModel): ReadonlySet<string> {
  const stay = new Set(outputsOf(next).map(({ was }) => was))
  const ids = new Set(outputsOf(next).map(({ id }) => id))
  return new Set(outputsOf(now).flatMap(({ id }) => (stay.has(id) || ids.has(id) ? [] : [id])))
}
