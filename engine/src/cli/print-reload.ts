// Prints how a reload of a running engine went, or would go.
import { printable } from '../observe/printable.js'
import type { ReloadReport } from '../observe/reload-report.js'
import type { CliStreams } from './cli-streams.js'
import { EXIT } from './exit-codes.js'
import { renderPlan } from './render-plan.js'
import { renderReported } from './render-reported.js'
import { styleFor } from './terminal-style.js'

/** What to do about a reload that was not applied. */
const HELP: Readonly<Partial<Record<ReloadReport['result'], string>>> = {
  refused: 'restart the engine to apply this, or undo the change',
  failed: 'nothing has changed: remove the cause, and reload again',
  superseded: 'a newer request was applied instead: look at `engine status`',
  'rolled-back': 'the configuration from before runs again: look at the log for the node that failed',
}

export function printReload(report: ReloadReport, isPlan: boolean, streams: CliStreams): void {
  const { out, err, env } = streams
  const { result, why, diagnostics, plan, viewers } = report
  err.write(renderReported(diagnostics))
  if (isPlan && plan !== undefined && viewers !== undefined) {
    out.write(renderPlan(plan, { perNode: [], ...viewers }, styleFor(out, env)))
    return
  }
  if (result === 'applied') err.write(`applied${detailsOf(report)}\n`)
  else if (result === 'unchanged') err.write('no change\n')
  else if (result !== 'invalid') err.write(printable(`${result}: ${why}\n  = help: ${helpOf(report)}\n`))
}

function helpOf({ result, retryInMs }: ReloadReport): string {
  if (retryInMs === undefined) return HELP[result] ?? 'look at the log'
  const seconds = Math.round(retryInMs / 1000)
  return `nothing has changed: it is tried again in ${seconds} s; \`engine reload --force\` does not wait for nodes to be ready`
}

function detailsOf({ id, durationMs, viewers }: ReloadReport): string {
  const watched = renderViewers(viewers?.before ?? 0, viewers?.lost ?? 0)
  return `${id === undefined ? '' : ` ${id}`} in ${(durationMs / 1000).toFixed(1)} s; ${watched}`
}

/** How many there were, and how many of them were lost. */
export function renderViewers(before: number, lost: number): string {
  if (before === 0) return 'no viewers'
  return `${before === 1 ? '1 viewer' : `${before} viewers`}, ${lost} lost`
}

export function exitCodeOfReload({ result, plan }: ReloadReport): number {
  if (result === 'invalid') return EXIT.config
  const isDone = result === 'applied' || result === 'unchanged' || result === 'planned'
  return isDone && (plan?.refusals.length ?? 0) === 0 ? EXIT.ok : EXIT.refused
}
