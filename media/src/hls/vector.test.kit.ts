// A deliberately broken playlist, response or segment, for one rule.
import type { Finding } from './finding.js'
import type { RuleId } from './rules.js'

export interface Vector {
  readonly rule: RuleId
  /** What is broken, where a rule has several vectors. */
  readonly name?: string
  found(): readonly Finding[]
}

/** Throws where a mutation would change nothing. */
export function replaced(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`not in the playlist: ${from}`)
  return text.replace(from, () => to)
}
