// `engine history`: the configurations that a running engine has run, newest first.
import type { Command } from 'commander'
import type { HistoryEntry } from '../../observe/history-report.js'
import { printable } from '../../observe/printable.js'
import { addApiOption } from '../api-option.js'
import type { ApiOption } from '../api-option.js'
import type { CliStreams } from '../cli-streams.js'
import { EXIT } from '../exit-codes.js'
import { addJsonOption } from '../json-option.js'
import type { JsonOption } from '../json-option.js'
import { renderJsonText } from '../render-json-text.js'
import { renderTable } from '../render-table.js'
import { styleFor } from '../terminal-style.js'
import type { Verb, VerbContext } from '../verb.js'

export const historyVerb = {
  declare(program: Command): Command {
    const command = program
      .command('history')
      .description('list the configurations that a running engine has run, and what each changed')
    return addApiOption(addJsonOption(command))
  },
  /** 0, 1 if there is no history, 69 not reachable. */
  async run({ streams, folder }: Pick<VerbContext, 'streams' | 'folder'>, { api, json }: ApiOption & JsonOption) {
    const { answerOf, askEngine } = await import('../ask-engine.js')
    const { historyListSchema } = await import('../../observe/history-report.js')
    const reply = await askEngine(streams, { api, folder }, '/api/v1/history', 'GET')
    const list = typeof reply === 'number' ? reply : answerOf(streams, reply, historyListSchema)
    if (typeof list === 'number') return list
    streams.out.write(json === true ? renderJsonText(list) : renderHistory(list.entries, streams))
    return EXIT.ok
  },
} satisfies Verb

function renderHistory(entries: readonly HistoryEntry[], { out, env }: Pick<CliStreams, 'out' | 'env'>): string {
  if (entries.length === 0) return 'no configuration has been kept\n'
  const style = styleFor(out, env)
  const head = ['id', 'when', 'by', 'state', 'changes'].map((text) => ({ text, paint: style.dim }))
  const rows = entries.map((entry) => cellsOf(entry).map((text) => ({ text: printable(text).replaceAll('\n', ' ') })))
  return `${renderTable([head, ...rows]).join('\n')}\n`
}

function cellsOf({ id, at, by, state, why, changes }: HistoryEntry): readonly string[] {
  const [first = '', ...more] = changes
  const changed = more.length === 0 ? first : `${first}; ${more.length} more`
  const when = at.replace('T', ' ').replace(/\.\d+Z$/, 'Z')
  return [String(id), when, by, state, why === undefined ? changed : `${changed} (${why})`]
}
