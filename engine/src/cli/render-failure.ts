// An error that ends a command, for people: what happened, where, and what to do.
import { isEngineError } from '../errors.js'
import { printable } from '../observe/printable.js'

/** Ends with a newline. A bug is shown with its stack, which a bug report needs. */
export function renderFailure(error: unknown): string {
  if (isEngineError(error) && error.row.reaction !== 'bug') {
    const at = error.at === undefined ? '' : `\n  --> ${error.at}`
    return printable(`error[${error.code}]: ${error.message}${at}\n  = help: ${error.row.hint}\n`)
  }
  if (error instanceof Error && 'syscall' in error) return printable(`error: ${error.message}\n`)
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return printable(`error: this is a bug in the engine or in a plugin, please report it\n${text}\n`)
}
