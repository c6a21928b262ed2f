// Errors as data: a code, what it means, what to do, and how the engine reacts. A plugin declares a table of its own
// with `defineErrors`; an error carries its row, so that two copies of this file agree.

/**
 * What the engine does with a node whose stream fails with this error. `retry`: subscribe again, with back-off. `end`:
 * the node is finished, as if it had completed. `config`: stop the node, its options are wrong. `bug`: stop the node,
 * report. Any error that is not an EngineError counts as `bug`.
 */
export type Reaction = 'retry' | 'end' | 'config' | 'bug'

export interface ErrorRow {
  /** What it means, one sentence, without details of the case. */
  readonly sentence: string
  /** What to do about it. */
  readonly hint: string
  readonly reaction: Reaction
}

export type ErrorTable = Readonly<Record<string, ErrorRow>>

export interface ErrorDetails {
  readonly cause?: unknown
  /** A node id, or `file:line:column`. */
  readonly at?: string
  /** Reaction `retry`: subscribe again after this long instead of the back-off of the target. */
  readonly retryAfterMs?: number
  /** Reaction `retry`: the target that could not be reached; back-off is kept per target. By default the node. */
  readonly target?: string
}

const MARK = Symbol.for('millrace.EngineError')

export class EngineError extends Error {
  readonly code: string
  readonly row: ErrorRow
  readonly at: string | undefined
  readonly retryAfterMs: number | undefined
  readonly target: string | undefined

  constructor(code: string, row: ErrorRow, detail: string, more: ErrorDetails = {}) {
    super(detail, more.cause === undefined ? undefined : { cause: more.cause })
    this.name = 'EngineError'
    this.code = code
    this.row = row
    this.at = more.at
    this.retryAfterMs = more.retryAfterMs
    this.target = more.target
    Object.defineProperty(this, MARK, { value: true })
  }
}

/**
 * The text of anything that can be thrown. Never throws: plugins can throw values that have no text, such as
 * `Object.create(null)`.
 */
export function messageOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error)
  } catch {
    return 'a value that cannot be shown as text'
  }
}

/** Its stack as text; empty if it has none. Never throws: `Error.prepareStackTrace` can return anything. */
export function stackOf(error: unknown): string {
  try {
    const stack: unknown = error instanceof Error ? error.stack : undefined
    return Array.isArray(stack) ? stack.join('\n') : typeof stack === 'string' ? stack : ''
  } catch {
    return ''
  }
}

/** What it wraps. Never throws. */
export function causeOf(error: unknown): unknown {
  try {
    return error instanceof Error ? error.cause : undefined
  } catch {
    return undefined
  }
}

/** True for an EngineError from any copy of the engine. */
export function isEngineError(error: unknown): error is EngineError {
  try {
    return typeof error === 'object' && error !== null && MARK in error
  } catch {
    return false
  }
}

/** The reaction that an error asks for; `bug` if it is not an EngineError. */
export function reactionOf(error: unknown): Reaction {
  try {
    return isEngineError(error) ? error.row.reaction : 'bug'
  } catch {
    return 'bug'
  }
}

/**
 * Declares a table of errors and returns the function that creates them: `throw fileError('FILE_GONE', 'it is gone')`.
 */
export function defineErrors<T extends ErrorTable>(
  table: T,
): ((code: keyof T & string, detail: string, more?: ErrorDetails) => EngineError) & { readonly table: T } {
  const make = (code: keyof T & string, detail: string, more?: ErrorDetails): EngineError => {
    const row = table[code]
    if (row === undefined) throw new TypeError(`no such error code: ${code}`)
    return new EngineError(code, row, detail, more)
  }
  return Object.assign(make, { table })
}
