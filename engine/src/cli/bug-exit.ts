// Uncaught exceptions and unhandled rejections. One that a plugin caused fails nodes of that plugin. Any other is a bug,
// after which the process cannot be relied on: the bug is reported and the process ends at once, so that its supervisor
// restarts it.
import type { Logger } from '../plugin/contract.js'
import type { TextStream } from './cli-streams.js'
import { EXIT } from './exit-codes.js'
import { renderFailure } from './render-failure.js'
import { type LogFormat, renderRecord } from './stderr-format.js'

/** The part of `process` that is used here. */
export interface BugTarget {
  on(event: 'uncaughtException' | 'unhandledRejection', listener: (error: unknown) => void): unknown
  exit(code: number): void
}

export interface BugReport {
  /** Bugs are reported here once there is a log; until then on `err`. */
  log: Logger | undefined
  /** Of what is written to `err`. By default text. */
  format?: LogFormat
  /** True if the error has been handled and the process can continue. By default no error is. */
  contain?: (error: unknown) => boolean
  /** Called before the process ends; its work has to be complete when it returns. */
  beforeExit?: (error: unknown) => void
}

/** Ends the process with exit code 70 on every uncaught exception and unhandled rejection that is not contained. */
export function exitOnBugs(target: BugTarget, err: TextStream): BugReport {
  const report: BugReport = { log: undefined }
  const end = (error: unknown): void => {
    try {
      if (report.log === undefined) err.write(early(error, report.format))
      else report.log.fatal({ err: error }, 'a bug in the engine or in a plugin; please report it')
      report.beforeExit?.(error)
    } finally {
      target.exit(EXIT.bug)
    }
  }
  const handle = (error: unknown): void => {
    try {
      if (report.contain?.(error) === true) return
    } catch (failure) {
      return end(failure)
    }
    end(error)
  }
  target.on('uncaughtException', handle)
  target.on('unhandledRejection', handle)
  return report
}

/** Of a bug before there is a log. */
function early(error: unknown, format: LogFormat | undefined): string {
  const text = renderFailure(error)
  return format === 'json' ? renderRecord('fatal', {}, text.trimEnd()) : text
}
