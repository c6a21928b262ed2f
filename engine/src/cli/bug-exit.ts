// An exception or rejection that nothing handles is a bug, and after a bug the process cannot be relied on: the bug is
// reported and the process ends at once, so that its supervisor restarts it.
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
  /** Bugs are reported here once there is a log; until then as text on `err`. */
  log: Logger | undefined
}

/** Ends the process with exit code 70 on every uncaught exception and unhandled rejection. */
export function exitOnBugs(target: BugTarget, err: TextStream): BugReport {
  const report: BugReport = { log: undefined }
  const end = (error: unknown): void => {
    try {
      if (report.log === undefined) err.write(renderFailure(error))
      else report.log.fatal({ err: error }, 'a bug in the engine or in a plugin; please report it')
    } finally {
      target.exit(EXIT.bug)
    }
  }
  target.on('uncaughtException', end)
  target.on('unhandledRejection', end)
  return report
}
