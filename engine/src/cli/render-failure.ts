// An error that ends a command, for people: what happened, where, and what to do.
import { isEngineError, messageOf, stackOf } from '../errors.js'
import { printable } from '../observe/printable.js'

/** Ends with a newline. A bug is shown with its stack, which a bug report needs. */
export function renderFailure(error: unknown): string {
  try {
    const text = renderKnown(error)
    if (text !== undefined) return printable(text)
  } catch {
    // Its properties cannot be read: plugins can throw anything.
  }
  const text = stackOf(error) || messageOf(error)
  return printable(`error: this is a bug in the engine or in a plugin, please report it\n${text}\n`)
}

function renderKnown(error: unknown): string | undefined {
  if (isEngineError(error) && error.row.reaction !== 'bug') {
    const at = error.at === undefined ? '' : `\n  --> ${error.at}`
    return `error[${error.code}]: ${error.message}${at}\n  = help: ${error.row.hint}\n`
  }
  if (error instanceof Error && 'syscall' in error) return `error: ${error.message}\n`
  return undefined
}
