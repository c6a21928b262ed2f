// Diagnostics that a running engine reports, rendered as `engine check` renders its own.
import type { Diagnostic, DiagnosticCode } from '../config/report/diagnostic.js'
import { renderText } from '../config/report/render-diagnostics.js'
import type { DiagnosticReport } from '../observe/reload-report.js'

export function renderReported(reported: readonly DiagnosticReport[]): string {
  return renderText(reported.map(diagnosticOf))
}

export function diagnosticOf(reported: DiagnosticReport): Diagnostic {
  return { source: undefined, ...reported, code: reported.code as DiagnosticCode }
}
