// `engine reload`: makes a running engine reread its files; the exit code says what the reload did.
import type { Command } from 'commander'
import { printable } from '../../observe/printable.js'
import type { ReloadReport } from '../../observe/reload-report.js'
import { addApiOption } from '../api-option.js'
import type { ApiOption } from '../api-option.js'
import type { CliStreams } from '../cli-streams.js'
import { EXIT } from '../exit-codes.js'
import { addJsonOption } from '../json-option.js'
import type { JsonOption } from '../json-option.js'
import { renderJsonText } from '../render-json-text.js'
import { renderPlan } from '../render-plan.js'
import { renderReported } from '../render-reported.js'
import { styleFor } from '../terminal-style.js'
import type { Verb, VerbContext } from '../verb.js'

interface ReloadOptions extends ApiOption, JsonOption {
  readonly plan?: boolean
}

/** New nodes may take 10 s to open, each edge 5 s to be cut; a reload in progress is finished first. */
const TIMEOUT_MS = 120_000

export const reloadVerb = {
  declare(program: Command): Command {
    const command = program
      .command('reload')
      .description('make a running engine reread its files and apply them; viewers stay connected where possible')
      .option('--plan', 'only print what would change, and which viewers would stay')
    return addApiOption(addJsonOption(command))
  },
  /** 0 applied or nothing to do, 75 refused, superseded or rolled back, 78 mistakes, 69 not reachable. */
  async run({ streams, folder }: Pick<VerbContext, 'streams' | 'folder'>, { api, json, plan }: ReloadOptions) {
    const { answerOf, askEngine } = await import('../ask-engine.js')
    const { reloadFailureSchema, reloadReportSchema } = await import('../../observe/reload-report.js')
    const path = plan === true ? '/api/v1/reload?plan=1' : '/api/v1/reload'
    const reply = await askEngine(streams, { api, folder }, path, 'POST', { timeoutMs: TIMEOUT_MS })
    if (typeof reply === 'number') return reply
    const schema = reloadFailureSchema.transform(({ reload }) => reload).or(reloadReportSchema)
    const report = answerOf(streams, reply, schema)
    if (typeof report === 'number') return report
    if (json === true) streams.out.write(renderJsonText(report))
    else printReport(report, plan === true, streams)
    return exitCodeOf(report)
  },
} satisfies Verb

/** What to do about a reload that was not applied. */
const HELP: Readonly<Partial<Record<ReloadReport['result'], string>>> = {
  refused: 'restart the engine to apply this, or undo the change',
  failed: 'nothing has changed: remove the cause, and reload again',
  superseded: 'a newer request was applied instead: look at `engine status`',
  'rolled-back': 'the configuration from before runs again: look at the log for the node that failed',
}

function printReport(report: ReloadReport, isPlan: boolean, streams: CliStreams): void {
  const { out, err, env } = streams
  const { result, why, diagnostics, plan, viewers } = report
  err.write(renderReported(diagnostics))
  if (isPlan && plan !== undefined && viewers !== undefined) {
    out.write(renderPlan(plan, { perNode: [], ...viewers }, styleFor(out, env)))
    return
  }
  if (result === 'applied') err.write(`applied${detailsOf(report)}\n`)
  else if (result === 'unchanged') err.write('no change\n')
  else if (result !== 'invalid')
    err.write(printable(`${result}: ${why}\n  = help: ${HELP[result] ?? 'look at the log'}\n`))
}

function detailsOf({ id, durationMs, viewers }: ReloadReport): string {
  const watched =
    viewers === undefined || viewers.before === 0 ? 'no viewers' : `${viewers.before} viewers, ${viewers.lost} lost`
  return `${id === undefined ? '' : ` ${id}`} in ${(durationMs / 1000).toFixed(1)} s; ${watched}`
}

function exitCodeOf({ result, plan }: ReloadReport): number {
  if (result === 'invalid') return EXIT.config
  const isDone = result === 'applied' || result === 'unchanged' || result === 'planned'
  return isDone && (plan?.refusals.length ?? 0) === 0 ? EXIT.ok : EXIT.refused
}
