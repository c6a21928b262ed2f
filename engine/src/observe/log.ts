// The log: readable lines on a terminal, JSON lines elsewhere, both written to stderr before the call returns, so that
// the last line before an exit is never lost. Formatting for a terminal is a plain function here, not a transport:
// transports are threads, and their last lines die with the process.
import process from 'node:process'
import { type DestinationStream, type Logger, pino } from 'pino'
import pinoPretty from 'pino-pretty'
import type { LogLevel } from '../graph/graph.js'
import { printable } from './printable.js'

const STDERR = 2

/** Paths (in pino's notation) whose values never reach the log. Options that hold secrets are added here. */
const REDACTED: readonly string[] = []

export interface LogSettings {
  readonly level: LogLevel
  /** Where whole lines go. By default stderr. */
  readonly stream?: DestinationStream
  /** Lines for people. By default where stderr is a terminal and no `stream` is given. */
  readonly pretty?: boolean
  /** By default where lines are pretty and NO_COLOR is not set. */
  readonly colour?: boolean
}

/** The engine's log. Components take a child of it. */
export function createLog(settings: LogSettings): Logger {
  const pretty = settings.pretty ?? (settings.stream === undefined && process.stderr.isTTY === true)
  const stream = settings.stream ?? openStderr()
  const colour = settings.colour ?? !process.env['NO_COLOR']
  return pino(
    {
      level: settings.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: [...REDACTED], censor: '***' },
    },
    pretty ? readable(stream, colour) : stream,
  )
}

/** The log of one node: every line carries its id. */
export function nodeLog(log: Logger, id: string): Logger {
  return log.child({ node: id })
}

/** A reader that has gone or a full disk must not end the streams: what can't be written is dropped. */
function openStderr(): DestinationStream {
  const stderr = pino.destination({ fd: STDERR, sync: true })
  stderr.on('error', () => undefined)
  return stderr
}

function readable(stream: DestinationStream, colour: boolean): DestinationStream {
  const render = pinoPretty.prettyFactory({
    colorize: colour,
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'node',
    messageFormat: (line, messageKey) => {
      const message = line[messageKey]
      const text = typeof message === 'string' ? message : ''
      return printable(typeof line['node'] === 'string' ? `${line['node']}: ${text}` : text)
    },
  })
  return {
    write(line) {
      stream.write(render(line) ?? '')
    },
  }
}
