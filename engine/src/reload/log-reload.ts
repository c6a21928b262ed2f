// A reload that has come to an end, in the log and as an event.
import type { ReloadAsker, ReloadReport, ReloadResult } from '../observe/reload-report.js'
import type { EventLog } from '../observe/events.js'
import type { Logger } from '../plugin/contract.js'

/** Going back is told when it happens, not by the reload. */
type LoggedResult = Exclude<ReloadResult, 'rolled-back'>

const SAID = {
  applied: { level: 'info', text: 'the configuration was reloaded' },
  unchanged: { level: 'info', text: 'the configuration was read again: nothing differs' },
  superseded: { level: 'info', text: 'a reload was superseded by a newer one' },
  invalid: { level: 'error', text: 'the configuration on disk has mistakes; what ran goes on' },
  refused: { level: 'error', text: 'the configuration on disk needs a restart; what ran goes on' },
  failed: { level: 'error', text: 'the reload failed and has changed nothing' },
} as const satisfies Record<LoggedResult, { level: 'info' | 'error'; text: string }>

/** Changes that a line of the log names. */
const MOST_SAID = 20

/** One line with all diagnostics in it; nothing that changes nothing is an event. */
export function logReload(
  report: ReloadReport & { readonly result: LoggedResult },
  by: ReloadAsker,
  { log, events }: { readonly log: Logger; readonly events: Pick<EventLog, 'emit'> },
): void {
  const { result, id, why, durationMs, viewers, diagnostics } = report
  const { level, text } = SAID[result]
  const data = { by, ...(id === undefined ? {} : { id }), durationMs: Math.round(durationMs), why }
  const more = result === 'applied' ? { viewers, changed: changesOf(report) } : {}
  const shown = diagnostics.length === 0 ? {} : { diagnostics: diagnostics.map(lineOf) }
  log[level]({ ...data, ...more, ...shown }, text)
  if (result === 'unchanged') return
  const lost = result === 'applied' ? { viewersLost: viewers?.lost ?? 0 } : {}
  events.emit({ kind: `reload.${result}`, data: { ...data, ...lost } })
}

/** `swap one/ts`; at most so many that the line can be read. */
function changesOf({ plan }: ReloadReport): readonly string[] {
  const changed = [...(plan?.parts ?? []), ...(plan?.nodes ?? []).filter(({ verb }) => verb !== 'keep')]
  const shown = changed.slice(0, MOST_SAID).map(({ verb, id }) => `${verb} ${id}`)
  return changed.length > MOST_SAID ? [...shown, `${changed.length - MOST_SAID} more`] : shown
}

function lineOf({ severity, code, file, line, column, message }: ReloadReport['diagnostics'][number]): string {
  return `${severity}[${code}]: ${file}:${line}:${column}: ${message}`
}
