// What a file in verbs/ exports: one verb of the command line, its declaration and its implementation.
import type { Command } from 'commander'
import type { BugReport } from './bug-exit.js'
import type { CliStreams } from './cli-streams.js'
import type { SecretInput } from './read-secret.js'
import type { SignalTarget } from './signals.js'

/** What the process gives every verb. */
export interface VerbContext {
  readonly streams: CliStreams
  /** The working folder. */
  readonly folder: string
  /** Source of passwords and keys; called only by a verb that needs one. */
  input(): SecretInput
  readonly signals: SignalTarget
  readonly bugs: BugReport
}

/**
 * The help loads every verb. So `run` imports what takes long to load (the schemas, the configuration, the engine) only
 * when it is called.
 */
export interface Verb {
  /** Adds the command with its arguments, options and help. */
  declare(program: Command): Command
  /** Called with the parsed arguments in their order, then the options. Resolves with the exit code. */
  run(context: VerbContext, ...parsed: readonly unknown[]): Promise<number>
}
