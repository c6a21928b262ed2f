// What a reload that ended with an error reports.
import { isEngineError, messageOf, reactionOf } from '../errors.js'
import type { SecretMask } from '../graph/secret-mask.js'
import type { Logger } from '../plugin/contract.js'
import type { Attempt } from './file-change.js'
import { reloadError } from './reload-errors.js'

/** An unexpected error is logged as a bug. */
export function failedBy(error: unknown, { log, mask }: { readonly log: Logger; readonly mask: SecretMask }): Attempt {
  if (!isEngineError(error)) log.error({ err: error }, 'a bug: a reload ended with an unexpected error')
  const text = messageOf(error)
  // The sentence of an error need not name the node.
  const at = isEngineError(error) && error.at !== undefined && !text.includes(error.at) ? `${error.at}: ` : ''
  const why = mask.mask(isEngineError(error) ? `${error.code}: ${at}${text}` : text)
  return { result: 'failed', why, diagnostics: [], isTemporary: reactionOf(error) === 'retry' }
}

/** The engine is stopping. */
export function stopping(): Attempt {
  return { result: 'failed', why: reloadError.table.RELOAD_STOPPING.sentence, diagnostics: [] }
}
