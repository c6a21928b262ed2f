// `engine logs`: the newest lines of the log of a running engine, and with -f those that follow.
import { type Command, Option } from 'commander'
import { LOG_LEVELS } from '../../observe/log-report.js'
import type { LogEntry } from '../../observe/log-report.js'
import { printable } from '../../observe/printable.js'
import { addApiOption } from '../api-option.js'
import type { ApiOption } from '../api-option.js'
import { EXIT } from '../exit-codes.js'
import { addJsonOption } from '../json-option.js'
import type { JsonOption } from '../json-option.js'
import { styleFor, type TerminalStyle } from '../terminal-style.js'
import type { Verb, VerbContext } from '../verb.js'

interface LogsOptions extends ApiOption, JsonOption {
  readonly node?: string
  readonly level?: string
  readonly lines: string
  readonly follow?: boolean
}

const MOST_LINES = 1000

export const logsVerb = {
  declare(program: Command): Command {
    const command = program
      .command('logs')
      .description('show the newest lines of the log of a running engine; with -f, those that follow too')
      .option('--node <id>', 'only lines of this node (pipeline/node), or of this pipeline')
      .addOption(new Option('--level <level>', 'only this level, and those above it').choices(LOG_LEVELS))
      .option('-n, --lines <number>', `how many lines that are there already, at most ${MOST_LINES}`, '100')
      .option('-f, --follow', 'go on as lines are written; connects again where it stopped')
    return addApiOption(addJsonOption(command))
  },
  /** `signal`: ends -f. 0, 1 refused, 2 usage, 69 not reachable. */
  async run(
    { streams, folder }: Pick<VerbContext, 'streams' | 'folder'>,
    { api, json, node, level, lines, follow = false }: LogsOptions,
    signal?: AbortSignal,
  ) {
    const { answerOf, askEngine, findEngine } = await import('../ask-engine.js')
    const { logEntrySchema, logListSchema } = await import('../../observe/log-report.js')
    const { out, err, env } = streams
    if (!/^\d{1,4}$/.test(lines) || Number(lines) > MOST_LINES) {
      err.write(`error: --lines takes a number of at most ${MOST_LINES}\n`)
      return EXIT.usage
    }
    const style = styleFor(out, env)
    const write = (entry: LogEntry): void =>
      void out.write(json === true ? `${JSON.stringify(entry)}\n` : renderEntry(entry, style))
    const query = new URLSearchParams({ limit: lines })
    if (node !== undefined) query.set('node', node)
    if (level !== undefined) query.set('level', level)
    if (!follow) {
      const reply = await askEngine(streams, { api, folder }, `/api/v1/logs?${query.toString()}`, 'GET')
      const list = typeof reply === 'number' ? reply : answerOf(streams, reply, logListSchema)
      if (typeof list === 'number') return list
      for (const entry of list.lines) write(entry)
      return EXIT.ok
    }
    const { followFeed } = await import('../follow-feed.js')
    const target = await findEngine(streams, { api, folder })
    if (typeof target === 'number') return target
    query.set('follow', '1')
    return followFeed(streams, target, `/api/v1/logs?${query.toString()}`, {
      ...{ isFollowing: true, signal },
      onEvent: ({ name, data }) => {
        if (name === 'log') write(logEntrySchema.parse(JSON.parse(data)))
        return true
      },
    })
  },
} satisfies Verb

function renderEntry({ at, level, node, message, data }: LogEntry, style: TerminalStyle): string {
  const paint = level === 'warn' ? style.yellow : level === 'error' || level === 'fatal' ? style.red : style.dim
  const more = Object.keys(data).length === 0 ? '' : ` ${style.dim(printable(JSON.stringify(data)))}`
  const text = printable(node === undefined ? message : `${node}: ${message}`).replaceAll('\n', ' ')
  return `${at.slice(11, 23)} ${paint(level.toUpperCase().padEnd(5))} ${text}${more}\n`
}
