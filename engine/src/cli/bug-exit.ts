// What nobody has caught: a fault of a plugin costs nodes of that plugin; anything else is a bug, after which nothing in
// this process can be relied on: it is reported and the process ends at once, for its supervisor to start it again.
import type { Logger } from '../plugin/contract.js'
import type { TextStream } from './cli-streams.js'
import { EXIT } from './exit-codes.js'
import { renderFailure } from './render-failure.js'

/** The part of `process` that is used here. */
export interface BugTarget {
  on(event: 'uncaughtException' | 'unhandledRejection', listener: (error: unknown) => void): unknown
  exit(code: number): void
}

export interface BugReport {
  /** Where bugs are reported once there is a log; by default as text on `err`. */
  log: Logger | undefined
  /** True if the error has been dealt with and the process can continue. By default none has. */
  contain?: (error: unknown) => boolean
  /** Called before the process ends; must be done when it returns. */
  beforeExit?: (error: unknown) => void
}

/** Ends the process with exit code 70 on whatever nobody has caught or contained. */
export function exitOnBugs(target: BugTarget, err: TextStream): BugReport {
  const report: BugReport = { log: undefined }
  const end = (error: unknown): void => {
    try {
      if (report.log === undefined) err.write(renderFailure(error))
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
