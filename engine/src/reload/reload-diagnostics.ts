// Turns what a reload found into what it reports: only texts that may be shown.
import type { DiagnosticReport, ReloadFailure, ReloadReport, ReloadResult } from '../observe/reload-report.js'
import type { Diagnostic } from '../config/report/diagnostic.js'
import { type ReloadErrorCode, reloadError } from './reload-errors.js'

/** More would not be read in one response; `engine check` prints them all. */
const MOST_DIAGNOSTICS = 200

const CODES = {
  invalid: 'RELOAD_INVALID',
  refused: 'RELOAD_REFUSED',
  failed: 'RELOAD_FAILED',
  superseded: 'RELOAD_SUPERSEDED',
  'rolled-back': 'RELOAD_ROLLED_BACK',
} as const satisfies Partial<Record<ReloadResult, ReloadErrorCode>>

/** The error that a report stands for; undefined if the request succeeded. */
export function failureOf(report: ReloadReport): ReloadFailure | undefined {
  const { result, why } = report
  if (result === 'applied' || result === 'unchanged' || result === 'planned') return undefined
  const code = CODES[result]
  return { error: { code, message: why, help: reloadError.table[code].hint }, reload: report }
}

/** Errors first, in the order of the files. */
export function reportDiagnostics(diagnostics: readonly Diagnostic[]): readonly DiagnosticReport[] {
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  const warnings = diagnostics.filter(({ severity }) => severity !== 'error')
  return [...errors, ...warnings].slice(0, MOST_DIAGNOSTICS).map(({ source, ...diagnostic }) => ({
    ...diagnostic,
    ...(source === undefined ? {} : { source }),
  }))
}

/** `live.yaml:13:15: "check" reads from "mian", which does not exist`, for the first error. */
export function firstReason(
  diagnostics: readonly Pick<DiagnosticReport, 'file' | 'line' | 'column' | 'message'>[],
): string {
  const [first] = diagnostics
  if (first === undefined) return 'the files have mistakes'
  return `${first.file}:${first.line}:${first.column}: ${first.message}`
}
