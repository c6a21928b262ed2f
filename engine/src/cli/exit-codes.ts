// The exit codes of the process, for scripts and service managers; part of the contract with users. The numbers from 64
// up are those of BSD's sysexits.
import { constants } from 'node:os'
import { isEngineError, reactionOf } from '../errors.js'

export const EXIT = {
  ok: 0,
  /** Runtime failure, degraded, or a comparison or check that failed. */
  failed: 1,
  usage: 2,
  /** The control API could not be reached. */
  unreachable: 69,
  bug: 70,
  /** A reload was refused, superseded or rolled back: the previous configuration still runs. */
  refused: 75,
  config: 78,
} as const

/** For an error that ends a command. A call that the system refused (a port in use) is a runtime failure. */
export function exitCodeOf(error: unknown): number {
  if (isSystemError(error)) return EXIT.failed
  const reaction = reactionOf(error)
  if (reaction === 'config') return EXIT.config
  return reaction === 'bug' ? EXIT.bug : EXIT.failed
}

/** As in shells: 128 plus the number of the signal. */
export function exitCodeOfSignal(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal]
}

function isSystemError(error: unknown): boolean {
  return !isEngineError(error) && error instanceof Error && 'syscall' in error
}

/** Of the dashboard that `run --tui` has started: the person wants the engine to stop. */
export const STOP_ENGINE = 10
