// `engine config` without files: the configuration of a running engine; with --diff, its files compared with that.
import { z } from 'zod'
import { reloadFailureSchema } from '../observe/reload-report.js'
import { printable } from '../observe/printable.js'
import { answerOf, askEngine } from './ask-engine.js'
import type { EngineAddress } from './ask-engine.js'
import type { CliStreams } from './cli-streams.js'
import { diffLines } from './diff-lines.js'
import { EXIT } from './exit-codes.js'
import { renderJsonText } from './render-json-text.js'
import { renderReported } from './render-reported.js'
import { styleFor } from './terminal-style.js'

/** Loading the files of a large configuration takes time. */
const TIMEOUT_MS = 30_000

/** Both texts have been masked before they are compared. */
const UNCOMPARED = ', as far as they are shown: what is *** may differ'

export interface RunningConfigOptions extends EngineAddress {
  readonly json?: boolean | undefined
  readonly diff?: boolean | undefined
}

/** Resolves with the exit code: 0; with `diff` 1 if they differ; 78 if the files have mistakes, 69 not reachable. */
export async function showRunningConfig(streams: CliStreams, options: RunningConfigOptions): Promise<number> {
  const format = options.json === true && options.diff !== true ? 'json' : 'yaml'
  const running = await askFor('running', format, streams, options)
  if (typeof running === 'number') return running
  if (options.diff !== true) {
    streams.out.write(printable(running))
    return EXIT.ok
  }
  const disk = await askFor('disk', format, streams, options)
  if (typeof disk === 'number') return disk
  const lines = diffLines(running, disk)
  const isDifferent = lines.length > 0
  if (!isDifferent) streams.err.write(`the files on disk are what runs${running.includes('***') ? UNCOMPARED : ''}\n`)
  streams.out.write(
    options.json === true ? renderJsonText({ differs: isDifferent, lines }) : renderDiff(lines, streams),
  )
  return isDifferent ? EXIT.failed : EXIT.ok
}

async function askFor(
  source: 'running' | 'disk',
  format: 'yaml' | 'json',
  streams: CliStreams,
  options: RunningConfigOptions,
): Promise<string | number> {
  const path = `/api/v1/config?source=${source}&format=${format}`
  const reply = await askEngine(streams, options, path, 'GET', { timeoutMs: TIMEOUT_MS })
  if (typeof reply === 'number') return reply
  if (reply.reached) {
    if (format === 'json') return renderJsonText(reply.json)
    if (reply.json === undefined) return reply.text
    return answerOf(streams, reply, z.never())
  }
  const failure = answerOf(streams, reply, reloadFailureSchema)
  if (typeof failure === 'number') return failure
  streams.err.write(renderReported(failure.reload.diagnostics))
  return EXIT.config
}

function renderDiff(lines: readonly string[], { out, env }: CliStreams): string {
  const style = styleFor(out, env)
  const paint = (line: string): string => {
    if (line.startsWith('@@')) return style.cyan(line)
    if (line.startsWith('+')) return style.green(line)
    return line.startsWith('-') ? style.red(line) : line
  }
  const head = lines.length === 0 ? [] : [style.bold('--- running'), style.bold('+++ disk')]
  return [...head, ...lines.map((line) => paint(printable(line)))].map((line) => `${line}\n`).join('')
}
