// `engine check FILE... --against URL`: a running engine reports what the files would change, and for which viewers. It
// uses its own variables, secrets, plugins and flags; included files are sent along.
import { resolve } from 'node:path'
import { checkReportSchema, type CheckReport, type CheckRequest } from '../observe/reload-report.js'
import { loadConfig } from '../config/load-config.js'
import { renderGithub, renderJson, renderText } from '../config/report/render-diagnostics.js'
import { ConfigReader } from '../reload/config-reader.js'
import { renderPlan } from './render-plan.js'
import { answerOf, askEngine, refused } from './ask-engine.js'
import type { EngineAddress } from './ask-engine.js'
import type { CheckFormat } from './check-format.js'
import type { CliStreams } from './cli-streams.js'
import { EXIT } from './exit-codes.js'
import { diagnosticOf, renderReported } from './render-reported.js'
import { styleFor } from './terminal-style.js'

const TIMEOUT_MS = 30_000

export interface CheckAgainstOptions extends EngineAddress {
  readonly format: CheckFormat
  readonly strict?: boolean | undefined
}

/** Resolves with the exit code: 0, 75 if the reload would be refused, 78 for mistakes, 69 not reachable. */
export async function checkAgainst(
  files: readonly string[],
  streams: CliStreams,
  options: CheckAgainstOptions,
): Promise<number> {
  const request = await collect(files, streams)
  if (request === undefined) return EXIT.config
  const ask = { body: request, timeoutMs: TIMEOUT_MS }
  const reply = await askEngine(streams, options, '/api/v1/config/check', 'POST', ask)
  if (typeof reply === 'number') return reply
  if (!reply.reached) return refused(streams, reply)
  const report = answerOf(streams, reply, checkReportSchema)
  if (typeof report === 'number') return report
  print(withNames(report, files), streams, options)
  const isWrong = ({ severity }: { severity: string }): boolean => severity === 'error' || options.strict === true
  if (report.diagnostics.some(isWrong)) return EXIT.config
  return report.ok ? EXIT.ok : EXIT.refused
}

/** Reports files by the names given on the command line, as `check` does. */
function withNames(report: CheckReport, files: readonly string[]): CheckReport {
  const names = new Map(files.map((name) => [resolve(name), name]))
  const diagnostics = report.diagnostics.map((one) => ({ ...one, file: names.get(one.file) ?? one.file }))
  return { ...report, diagnostics }
}

function print(report: CheckReport, { out, err, env }: CliStreams, { format }: CheckAgainstOptions): void {
  const diagnostics = report.diagnostics.map(diagnosticOf)
  const { plan, viewers } = report
  if (format === 'github') out.write(renderGithub(diagnostics))
  else if (format === 'json') out.write(renderJson(diagnostics, plan === undefined ? [] : [{ plan, viewers }]))
  else err.write(renderReported(report.diagnostics))
  if (format !== 'text' || plan === undefined || viewers === undefined) return
  out.write(renderPlan(plan, { perNode: [], ...viewers }, styleFor(out, env)))
}

/** The files and what they include. This needs no variables, and the engine finds the mistakes. */
async function collect(files: readonly string[], { err, env }: CliStreams): Promise<CheckRequest | undefined> {
  const reader = new ConfigReader({ files, options: { env, noEnv: true }, load: loadConfig })
  const { texts, diagnostics } = await reader.read()
  const run = [...new Set(files.map((name) => resolve(name)))]
  if (run.some((path) => !texts.has(path))) {
    err.write(renderText(diagnostics.filter(({ code }) => code === 'CONFIG_UNREADABLE')))
    return undefined
  }
  return { files: [...texts].map(([path, text]) => ({ path, text })), run, against: true }
}
