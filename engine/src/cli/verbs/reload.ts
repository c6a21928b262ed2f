// `engine reload`: makes a running engine reread its files; the exit code says what the reload did.
import type { Command } from 'commander'
import { EXIT } from '../exit-codes.js'
import { addApiOption } from '../api-option.js'
import type { ApiOption } from '../api-option.js'
import { addJsonOption } from '../json-option.js'
import type { JsonOption } from '../json-option.js'
import { exitCodeOfReload, printReload } from '../print-reload.js'
import { renderJsonText } from '../render-json-text.js'
import type { Verb, VerbContext } from '../verb.js'

interface ReloadOptions extends ApiOption, JsonOption {
  readonly plan?: boolean
  readonly force?: boolean
}

/** New nodes may take 10 s to open, each edge 5 s to be cut; a reload in progress is finished first. */
const TIMEOUT_MS = 120_000

export const reloadVerb = {
  declare(program: Command): Command {
    const command = program
      .command('reload')
      .description('make a running engine reread its files and apply them; viewers stay connected where possible')
      .argument('[draft...]', 'with --plan: YAML files to compare with what runs, in place of the files of the engine')
      .option('--plan', 'only print what would change, and which viewers would stay')
      .option('--force', 'let new nodes take over even if they are not ready')
    return addApiOption(addJsonOption(command))
  },
  /** 0 applied or nothing to do, 75 refused, superseded or rolled back, 78 mistakes, 69 not reachable. */
  async run(
    { streams, folder }: Pick<VerbContext, 'streams' | 'folder'>,
    drafts: readonly string[],
    { api, json, plan, force }: ReloadOptions,
  ) {
    if (drafts.length > 0) {
      if (plan !== true) {
        streams.err.write(`error: the engine reloads the files that it runs: to plan a draft, say --plan\n`)
        return EXIT.usage
      }
      const { checkAgainst } = await import('../check-against.js')
      return checkAgainst(drafts, streams, { format: json === true ? 'json' : 'text', api, folder })
    }
    const { answerOf, askEngine } = await import('../ask-engine.js')
    const { reloadFailureSchema, reloadReportSchema } = await import('../../observe/reload-report.js')
    const query = plan === true ? '?plan=1' : force === true ? '?force=1' : ''
    const path = `/api/v1/reload${query}`
    const reply = await askEngine(streams, { api, folder }, path, 'POST', { timeoutMs: TIMEOUT_MS })
    if (typeof reply === 'number') return reply
    const schema = reloadFailureSchema.transform(({ reload }) => reload).or(reloadReportSchema)
    const report = answerOf(streams, reply, schema)
    if (typeof report === 'number') return report
    if (json === true) streams.out.write(renderJsonText(report))
    else printReload(report, plan === true, streams)
    return exitCodeOfReload(report)
  },
} satisfies Verb
