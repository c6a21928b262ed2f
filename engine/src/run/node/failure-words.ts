// What is said of a failure, whoever threw what.
import { isEngineError } from '../../errors.js'

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

export function codeOf(error: unknown): string {
  return isEngineError(error) ? error.code : 'NODE_FAILED'
}
