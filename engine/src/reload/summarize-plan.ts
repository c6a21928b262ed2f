// What a plan changes, in a few lines for the history.
import type { NodeChange, OptionChange, PartChange, PlanVerb, ReloadPlan } from '../observe/reload-plan.js'

const MOST_LINES = 20
const LONGEST_LINE = 200
/** Options on a line. */
const MOST_OPTIONS = 4

/** Most disruptive first. */
export const VERBS: readonly PlanVerb[] = [
  'refuse',
  'remove',
  'handoff',
  'source',
  'swap',
  'rebind',
  'add',
  'live',
  'keep',
]

/** What a plan changes, most disruptive first. */
export function changesOf({ nodes, parts }: ReloadPlan): readonly (NodeChange | PartChange)[] {
  const all = [...nodes, ...parts]
  return VERBS.filter((verb) => verb !== 'keep').flatMap((verb) => all.filter((one) => one.verb === verb))
}

/** `live one/ts: clients.max: 500 -> 600`, secrets masked. */
export function summarizePlan(plan: ReloadPlan): readonly string[] {
  const changed = changesOf(plan)
  const lines = changed.slice(0, MOST_LINES).map(({ verb, id, changes }) => {
    const options = changes.slice(0, MOST_OPTIONS).map(optionText)
    const more = changes.length > MOST_OPTIONS ? [`${changes.length - MOST_OPTIONS} more`] : []
    const text = [...options, ...more].join(', ')
    const line = text === '' ? `${verb} ${id}` : `${verb} ${id}: ${text}`
    return line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE - 1)}…` : line
  })
  return changed.length > MOST_LINES ? [...lines, `${changed.length - MOST_LINES} more`] : lines
}

function optionText({ path, before, after }: OptionChange): string {
  return before === after ? `${path} changed` : `${path}: ${before ?? 'not set'} -> ${after ?? 'not set'}`
}
