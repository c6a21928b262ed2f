// An assertion about a list that should be empty: the message is the list.
import { AssertionError } from 'node:assert'

/** Throws what was found, an item per line. */
export function assertNone(found: readonly string[], what: string): void {
  const items = [...new Set(found)]
  if (items.length === 0) return
  throw new AssertionError({
    message: [what, ...items].join('\n  - '),
    actual: items.length,
    expected: 0,
    operator: 'assertNone',
  })
}
