// A plan as text for people: a summary on the first line, then a line for each change, most disruptive first.
import type { Cell } from './render-table.js'
import { renderTable } from './render-table.js'
import type { Paint, TerminalStyle } from './terminal-style.js'
import { printable } from '../observe/printable.js'
import { changesOf, VERBS } from '../reload/summarize-plan.js'
import type { ExpectedViewers } from '../reload/plan-viewers.js'
import type { NodeChange, OptionChange, PartChange, PlanVerb, ReloadPlan } from '../observe/reload-plan.js'

type Viewers = Pick<ExpectedViewers, 'kept' | 'lost'>

/** The most options on a line; the JSON form has all of them. */
const MAX_CHANGES = 4

/** Ends with a newline. */
export function renderPlan(plan: ReloadPlan, viewers: Viewers, style: TerminalStyle): string {
  if (plan.isEmpty) return 'no change\n'
  const rows = changesOf(plan).map((change) => cellsOf(change, style))
  return `${[headline(plan, viewers, style), ...renderTable(rows, '  ')].join('\n')}\n`
}

function headline({ nodes, parts, refusals }: ReloadPlan, viewers: Viewers, style: TerminalStyle): string {
  const verbs = [...nodes, ...parts].map(({ verb }) => verb)
  const counts = VERBS.flatMap((verb) => {
    const count = verbs.filter((one) => one === verb).length
    return count === 0 ? [] : [`${count} ${verb === 'keep' ? 'kept' : verb}`]
  })
  const summary = `${counts.join(', ')}; ${viewersText(viewers)}`
  return refusals.length === 0
    ? style.bold(summary)
    : `${style.red('refused, nothing changes:')} ${style.bold(summary)}`
}

function viewersText({ kept, lost }: Viewers): string {
  if (kept === 0 && lost === 0) return 'no viewers'
  const stay = `${viewerCount(kept)} ${kept === 1 ? 'stays' : 'stay'}`
  if (lost === 0) return stay
  const go = lost === 1 ? 'loses its stream' : 'lose their stream'
  return kept === 0 ? `${viewerCount(lost)} ${go}` : `${stay}, ${lost} ${go}`
}

function viewerCount(count: number): string {
  return `${count} ${count === 1 ? 'viewer' : 'viewers'}`
}

function cellsOf(change: NodeChange | PartChange, style: TerminalStyle): readonly Cell[] {
  const { id, verb, changes, why } = change
  const shown = changes.slice(0, MAX_CHANGES).map(changeText)
  const more = changes.length > MAX_CHANGES ? [`${changes.length - MAX_CHANGES} more`] : []
  const shownChanges = [...shown, ...more].join(', ')
  const text = shownChanges === '' ? why : `${shownChanges}; ${why}`
  return [{ text: verb, paint: paintOf(verb, style) }, { text: oneLine(id) }, { text: oneLine(text) }]
}

function changeText({ path, before, after }: OptionChange): string {
  // Other code for the same type, a secret, or options that are not known.
  if (before === after) return `${path} changed`
  return `${path}: ${before ?? 'not set'} -> ${after ?? 'not set'}`
}

function paintOf(verb: PlanVerb, style: TerminalStyle): Paint {
  if (verb === 'refuse' || verb === 'remove') return style.red
  if (verb === 'handoff') return style.yellow
  return verb === 'live' || verb === 'add' ? style.green : style.cyan
}

function oneLine(text: string): string {
  return printable(text).replaceAll('\n', ' ')
}
