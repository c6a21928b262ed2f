// The log: readable lines on a terminal, JSON lines elsewhere, both written to stderr, which never blocks. Formatting for a
// terminal is a plain function here, not a transport: transports are threads, and their last lines are lost with the
// process.
import process from 'node:process'
import { type DestinationStream, type Logger, pino } from 'pino'
import pinoPretty from 'pino-pretty'
import type { SecretMask } from '../graph/secret-mask.js'
import type { LogLevel } from '../graph/graph.js'
import { messageOf, stackOf } from '../errors.js'
import { cutLine } from './cut-line.js'
import { attachLines, LogLines } from './log-lines.js'
import { printable } from './printable.js'
import { openStderr } from './stderr.js'

/** Lets descendants find the output: each has its parent as prototype. */
const DROPPED = Symbol('dropped')

/** Keys whose values the engine writes: they are not masked, even if a secret has the same text. */
const NEVER_SECRET = ['level', 'time']

export interface LogSettings {
  readonly level: LogLevel
  /** Where whole lines go. By default stderr. */
  readonly stream?: DestinationStream
  /** Lines for people. By default if stderr is a terminal and no `stream` is given. */
  readonly pretty?: boolean
  /** Values that no line shows. More can be added while the log is open. */
  readonly secrets?: SecretMask
  /** By default if lines are pretty and NO_COLOR is not set. */
  readonly colour?: boolean
}

/** The engine's log. Components use a child of it. */
export function createLog(settings: LogSettings): Logger {
  const pretty = settings.pretty ?? (settings.stream === undefined && process.stderr.isTTY === true)
  const onRecovered = (dropped: number): void =>
    log.warn({ dropped }, 'log lines were dropped, because nobody read them in time')
  const open = settings.stream ?? openStderr(onRecovered)
  const colour = settings.colour ?? !process.env['NO_COLOR']
  const lines = new LogLines()
  const stream = short(kept(lines, pretty ? readable(open, colour) : open))
  const log = pino(
    {
      level: settings.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: renderError },
      onChild: followParent,
    },
    settings.secrets === undefined ? stream : masked(stream, settings.secrets),
  )
  attachLines(log, lines)
  Object.defineProperty(log, DROPPED, { value: () => ('dropped' in open ? Number(open.dropped) : 0) })
  return log
}

/** Lines of the log, its ancestors and descendants that its stream has not written, if the stream counts them. */
export function droppedLines(log: object): number {
  return DROPPED in log && typeof log[DROPPED] === 'function' ? Number(log[DROPPED]()) : 0
}

/** Never throws, unlike pino's own: the properties of an error that a plugin throws can throw too. */
function renderError(error: unknown): unknown {
  try {
    // Of another type if `Error.prepareStackTrace` or the error says so.
    if (!(error instanceof Error) || typeof error.stack === 'string') return pino.stdSerializers.err(error as Error)
  } catch {
    // Without what cannot be read.
  }
  return { type: 'Error', message: messageOf(error), stack: stackOf(error) }
}

/** The log of one node: every line carries its id. */
export function nodeLog(log: Logger, id: string): Logger {
  return log.child({ node: id })
}

/** Takes effect at once, for this log and for all its existing and future descendants. */
export function setLogLevel(log: Logger, level: LogLevel): void {
  log.level = level
}

/**
 * A pino child has its parent as prototype, and gets copies of the level and of a method per level that writes or does
 * nothing. Without these copies it follows its parent, now and later.
 */
function followParent(child: Logger): void {
  for (const copy of [pino.symbols.levelValSym, ...Object.keys(pino.levels.values)]) Reflect.deleteProperty(child, copy)
}

// A line that contains a secret is parsed and written again: masking a value inside a number, or one with quotes in it,
// would leave a line that cannot be parsed. All other lines pass unchanged.
function masked(stream: DestinationStream, secrets: SecretMask): DestinationStream {
  return {
    write(line) {
      stream.write(secrets.isIn(line) ? maskLine(line, secrets) : line)
    },
  }
}

/** After masking: a part of a secret would not be recognized. */
function short(stream: DestinationStream): DestinationStream {
  return {
    write(line) {
      stream.write(cutLine(line))
    },
  }
}

/** After masking and cutting, before lines become readable. */
function kept(lines: LogLines, stream: DestinationStream): DestinationStream {
  return {
    write(line) {
      lines.push(line)
      stream.write(line)
    },
  }
}

function maskLine(line: string, secrets: SecretMask): string {
  const fields = parseLine(line)
  if (fields === undefined) return secrets.mask(line)
  const kept = Object.fromEntries(NEVER_SECRET.flatMap((key) => (key in fields ? [[key, fields[key]]] : [])))
  const rest = Object.fromEntries(Object.entries(fields).filter(([key]) => !NEVER_SECRET.includes(key)))
  return `${JSON.stringify({ ...kept, ...(secrets.maskValue(rest) as object) })}\n`
}

function parseLine(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(line) as Readonly<Record<string, unknown>>
  } catch {
    return undefined
  }
}

function readable(stream: DestinationStream, colour: boolean): DestinationStream {
  const render = pinoPretty.prettyFactory({
    colorize: colour,
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'node',
    // Not `error`, which holds a code.
    errorLikeObjectKeys: ['err'],
    messageFormat: (line, messageKey) => {
      const message = line[messageKey]
      const text = typeof message === 'string' ? message : ''
      return printable(typeof line['node'] === 'string' ? `${line['node']}: ${text}` : text)
    },
  })
  return {
    write(line) {
      const fields = parseLine(line)
      stream.write(render(fields === undefined ? line : withoutRepeats(fields)) ?? '')
    },
  }
}

/** The reason of a reload that failed is one of its diagnostics. */
function withoutRepeats(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { why, diagnostics, ...rest } = fields
  const isRepeated =
    typeof why === 'string' && Array.isArray(diagnostics) && diagnostics.some((each) => String(each).includes(why))
  return isRepeated ? { ...rest, diagnostics } : fields
}
