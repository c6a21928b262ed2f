// The lines of the log as the control API shows them.
import { z } from 'zod'
import type { LogLine } from './log-lines.js'

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const

type ShownLevel = (typeof LOG_LEVELS)[number]

export const logEntrySchema = z.object({
  at: z.string().meta({ description: 'RFC 3339', format: 'date-time' }),
  level: z.enum(LOG_LEVELS),
  node: z.exactOptional(z.string()).meta({ description: 'Id of the node whose line it is' }),
  message: z.string(),
  data: z.record(z.string(), z.unknown()).meta({ description: 'Further fields of the line' }),
})

/** One line of the log. */
export type LogEntry = Readonly<z.infer<typeof logEntrySchema>>

export const logListSchema = z
  .object({ lines: z.array(logEntrySchema).readonly() })
  .meta({ description: 'The newest lines of the log, oldest first' })

export interface LogFilter {
  /** Lines of this node, or of the nodes of this pipeline. By default all. */
  readonly node?: string | undefined
  /** This level, and those above it. By default all. */
  readonly level?: ShownLevel | undefined
}

/** Undefined if the line is not JSON of the log, or the filter leaves it out. */
export function readLogLine({ text }: LogLine, { node, level = 'trace' }: LogFilter): LogEntry | undefined {
  const fields = parse(text)
  const { time, level: own, node: id, msg, ...data } = fields
  const parsed = logEntrySchema.safeParse({
    at: time,
    level: own,
    ...(typeof id === 'string' ? { node: id } : {}),
    message: typeof msg === 'string' ? msg : '',
    data,
  })
  if (!parsed.success || LOG_LEVELS.indexOf(parsed.data.level) < LOG_LEVELS.indexOf(level)) return undefined
  const isAsked = node === undefined || parsed.data.node === node || parsed.data.node?.startsWith(`${node}/`) === true
  return isAsked ? parsed.data : undefined
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const fields: unknown = JSON.parse(text)
    return typeof fields === 'object' && fields !== null ? { ...fields } : {}
  } catch {
    return {}
  }
}
