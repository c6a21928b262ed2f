// A reload that has come to an end, in the log and as an event.
import type { ReloadAsker, ReloadReport, ReloadResult } from '../api/reload-types.js'
import type { EventLog } from '../observe/events.js'
import type { Logger } from '../plugin/contract.js'

/** Going back is told when it happens, not by the reload. */
type ToldResult = Exclude<ReloadResult, 'rolled-back'>

const SAID = {
  applied: { level: 'info', text: 'the configuration was reloaded' },
  unchanged: { level: 'info', text: 'the configuration was read again: nothing differs' },
  superseded: { level: 'info', text: 'a reload was superseded by a newer one' },
  invalid: { level: 'error', text: 'the configuration on disk has mistakes; what ran goes on' },
  refused: { level: 'error', text: 'the configuration on disk needs a restart; what ran goes on' },
  failed: { level: 'error', text: 'the reload failed and has changed nothing' },
} as const satisfies Record<ToldResult, { level: 'info' | 'error'; text: string }>

/** One line with all diagnostics in it; nothing that changes nothing is an event. */
export function tellReload(
  { result, id, why, durationMs, viewers, diagnostics }: ReloadReport & { readonly result: ToldResult },
  by: ReloadAsker,
  { log, events }: { readonly log: Logger; readonly events: Pick<EventLog, 'emit'> },
): void {
  const { level, text } = SAID[result]
  const data = { by, ...(id === undefined ? {} : { id }), durationMs: Math.round(durationMs), why }
  const more = result === 'applied' ? { viewers } : {}
  const shown = diagnostics.length === 0 ? {} : { diagnostics: diagnostics.map(lineOf) }
  log[level]({ ...data, ...more, ...shown }, text)
  if (result === 'unchanged') return
  const lost = result === 'applied' ? { viewersLost: viewers?.lost ?? 0 } : {}
  events.emit({ kind: `reload.${result}`, data: { ...data, ...lost } })
}

function lineOf({ severity, code, file, line, column, message }: ReloadReport['diagnostics'][number]): string {
  return `${severity}[${code}]: ${file}:${line}:${column}: ${message}`
}
