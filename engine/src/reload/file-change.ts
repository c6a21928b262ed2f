// A change of the files by the engine itself, for an operator: what the reloader carries out between two reloads. It is
// all or nothing: if it cannot be applied, or a node of it is rolled back, the files are put back.
import type { NodeEdit } from '../config/edit/edit-node.js'
import type { ReloadReport, ReloadTrigger } from '../observe/reload-report.js'
import type { ConfigReading } from './config-reader.js'
import type { Replacement } from './replace-file.js'

export interface FileChange {
  readonly by: ReloadTrigger
  /** The edit of a node; undefined: earlier texts are brought back. */
  readonly edit: NodeEdit | undefined
  /** So far, in this order. */
  readonly written: readonly Replacement[]
  /**
   * Decides and writes, while no reload runs: `compare` says what a reading would change. Resolves with the final result
   * if nothing is to be written. Rejects if it is refused.
   */
  prepare(compare: (reading: ConfigReading) => Promise<Attempt>): Promise<Attempt | undefined>
}

export interface Attempt extends Omit<ReloadReport, 'durationMs'> {
  /** It failed because something did not answer. */
  readonly isTemporary?: boolean
}

export interface WaitingChange {
  readonly change: FileChange
  answer(report: ReloadReport): void
  fail(error: unknown): void
}
