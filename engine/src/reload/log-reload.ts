// Reports a finished reload in the log and as an event.
import type { ReloadTrigger, ReloadReport, ReloadResult } from '../observe/reload-report.js'
import type { EventLog } from '../observe/events.js'
import type { Logger } from '../plugin/contract.js'
import { nodeName } from '../graph/node-id.js'

/** A rollback is logged when it happens, not with the reload. */
type LoggedResult = Exclude<ReloadResult, 'rolled-back'>

const LOG_LINES = {
  applied: { level: 'info', text: 'the configuration was reloaded' },
  unchanged: { level: 'info', text: 'the configuration was read again: nothing has changed' },
  superseded: { level: 'info', text: 'a reload was superseded by a newer one' },
  invalid: { level: 'error', text: 'the configuration on disk has mistakes; the running one stays in place' },
  refused: { level: 'error', text: 'the configuration on disk needs a restart; the running one stays in place' },
  failed: { level: 'error', text: 'the reload failed and changed nothing' },
} as const satisfies Record<LoggedResult, { level: 'info' | 'error'; text: string }>

/** Changes that one log line lists. */
const MOST_LISTED = 20

/** Writes one line with all diagnostics. A reload that found no change emits no event. */
export function logReload(
  report: ReloadReport & { readonly result: LoggedResult },
  by: ReloadTrigger,
  { log, events }: { readonly log: Logger; readonly events: Pick<EventLog, 'emit'> },
): void {
  const { result, id, why, durationMs, viewers, diagnostics } = report
  const { text } = LOG_LINES[result]
  const data = {
    by,
    ...(id === undefined ? {} : { id }),
    durationMs: Math.round(durationMs),
    ...(why === '' ? {} : { why }),
    ...(report.retryInMs === undefined ? {} : { retryInMs: report.retryInMs }),
  }
  const lostViewers = result === 'applied' && viewers !== undefined && viewers.lost > 0
  const more = result === 'applied' ? { viewers, changed: changesOf(report), ...renamesOf(report) } : {}
  const shown = diagnostics.length === 0 ? {} : { diagnostics: diagnostics.map(lineOf) }
  const level = lostViewers ? 'warn' : LOG_LINES[result].level
  log[level]({ ...data, ...more, ...shown }, lostViewers ? `${text}, and ${viewersText(viewers.lost)}` : text)
  if (result === 'unchanged') return
  const lost = result === 'applied' ? { viewersLost: viewers?.lost ?? 0 } : {}
  events.emit({ kind: `reload.${result}`, data: { ...data, ...lost } })
}

/** `swap one/ts`; few enough to keep the line readable. */
function changesOf({ plan }: ReloadReport): readonly string[] {
  const changed = [...(plan?.parts ?? []), ...(plan?.nodes ?? []).filter(({ verb }) => verb !== 'keep')]
  const shown = changed.slice(0, MOST_LISTED).map(({ verb, id }) => `${verb} ${id}`)
  return changed.length > MOST_LISTED ? [...shown, `${changed.length - MOST_LISTED} more`] : shown
}

/** What looks like a rename without `was:`, which cost viewers. */
function renamesOf({ plan }: ReloadReport): { readonly renamed?: readonly string[] } {
  const renamed = (plan?.nodes ?? []).flatMap(({ id, renamedTo }) =>
    renamedTo === undefined ? [] : [`${id} to ${renamedTo}? say was: ${nodeName(id)} there`],
  )
  return renamed.length === 0 ? {} : { renamed: renamed.slice(0, MOST_LISTED) }
}

function viewersText(lost: number): string {
  return lost === 1 ? '1 viewer lost its stream' : `${lost} viewers lost their stream`
}

function lineOf({ severity, code, file, line, column, message }: ReloadReport['diagnostics'][number]): string {
  return `${severity}[${code}]: ${file}:${line}:${column}: ${message}`
}
