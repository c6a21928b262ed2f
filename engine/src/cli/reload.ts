// `engine reload`: a running engine reads its files again; the exit code says what came of it.
import { z } from 'zod'
import {
  reloadFailureSchema,
  reloadReportSchema,
  type DiagnosticReport,
  type ReloadReport,
} from '../observe/reload-report.js'
import type { Diagnostic, DiagnosticCode } from '../config/report/diagnostic.js'
import { renderText } from '../config/report/render-diagnostics.js'
import { printable } from '../observe/printable.js'
import { renderPlan } from './render-plan.js'
import { answerOf, askEngine } from './ask-engine.js'
import type { EngineAddress } from './ask-engine.js'
import type { CliStreams } from './cli-streams.js'
import { EXIT } from './exit-codes.js'
import { styleFor } from './terminal-style.js'

/** New nodes may take 10 s to open, each edge 5 s to be cut; a reload that is under way comes first. */
const TIMEOUT_MS = 120_000

export interface ReloadOptions extends EngineAddress {
  readonly plan?: boolean | undefined
  readonly json?: boolean | undefined
}

const answerSchema = z.union([reloadFailureSchema.transform(({ reload }) => reload), reloadReportSchema])

/** Resolves with the exit code: 0 applied or nothing to do, 75 refused, superseded or rolled back, 78 mistakes, 69. */
export async function reloadEngine(streams: CliStreams, options: ReloadOptions): Promise<number> {
  const path = options.plan === true ? '/api/v1/reload?plan=1' : '/api/v1/reload'
  const reply = await askEngine(streams, options, path, 'POST', { timeoutMs: TIMEOUT_MS })
  if (typeof reply === 'number') return reply
  const report = answerOf(streams, reply, answerSchema)
  if (typeof report === 'number') return report
  if (options.json === true) streams.out.write(`${JSON.stringify(report, undefined, 2)}\n`)
  else printReport(report, options.plan === true, streams)
  return exitCodeOf(report)
}

/** As `check` prints what it found itself. */
export function renderReported(diagnostics: readonly DiagnosticReport[]): string {
  const known: readonly Diagnostic[] = diagnostics.map((diagnostic) => ({
    source: undefined,
    ...diagnostic,
    code: diagnostic.code as DiagnosticCode,
  }))
  return renderText(known)
}

function printReport(report: ReloadReport, isPlan: boolean, streams: CliStreams): void {
  const { out, err, env } = streams
  const { result, why, diagnostics, plan, viewers } = report
  err.write(renderReported(diagnostics))
  if (isPlan && plan !== undefined && viewers !== undefined) {
    out.write(renderPlan(plan, { perNode: [], ...viewers }, styleFor(out, env)))
    return
  }
  if (result === 'applied') err.write(`applied${wordsOf(report)}\n`)
  else if (result === 'unchanged') err.write('nothing differs\n')
  else if (result !== 'invalid') err.write(printable(`${result}: ${why}\n`))
}

function wordsOf({ id, durationMs, viewers }: ReloadReport): string {
  const watched =
    viewers === undefined || viewers.before === 0 ? 'nobody watches' : `${viewers.before} viewers, ${viewers.lost} lost`
  return `${id === undefined ? '' : ` ${id}`} in ${(durationMs / 1000).toFixed(1)} s; ${watched}`
}

function exitCodeOf({ result, plan }: ReloadReport): number {
  if (result === 'invalid') return EXIT.config
  const isDone = result === 'applied' || result === 'unchanged' || result === 'planned'
  return isDone && (plan?.refusals.length ?? 0) === 0 ? EXIT.ok : EXIT.refused
}
