// In which form a command writes to stderr: text for people, or a line of JSON each, so that all of stderr can be parsed.
import type { CliStreams } from './cli-streams.js'

export const LOG_FORMATS = ['text', 'json'] as const

export type LogFormat = (typeof LOG_FORMATS)[number]

type Level = 'info' | 'warn' | 'error' | 'fatal'

/** By default. */
export function defaultFormat({ isTTY }: CliStreams['err']): LogFormat {
  return isTTY === true ? 'text' : 'json'
}

/**
 * Before the arguments are parsed, for what can go wrong until then. Only `run` has a log; what others write to stderr is
 * for people.
 */
export function formatOf(args: readonly string[], err: CliStreams['err']): LogFormat {
  if (args[0] !== 'run') return 'text'
  const at = args.lastIndexOf('--log-format')
  const named = at < 0 ? args.findLast((arg) => arg.startsWith('--log-format='))?.split('=')[1] : args[at + 1]
  return LOG_FORMATS.find((format) => format === named) ?? defaultFormat(err)
}

/** A line with the keys of the log, which is written beside it. */
export function renderRecord(level: Level, data: object, msg: string): string {
  return `${JSON.stringify({ level, time: new Date().toISOString(), ...data, msg })}\n`
}
