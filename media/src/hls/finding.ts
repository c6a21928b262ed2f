// What the checker reports, and where it collects that.
import { RULES } from './rules.js'
import type { RuleClass, RuleId } from './rules.js'

/** One sighting of a broken rule. */
export interface Finding {
  readonly rule: RuleId
  /** What was seen, in a few words. */
  readonly seen: string
  /** Line of the playlist, from 1. */
  readonly line?: number | undefined
}

/** A broken rule of one playlist, segment or presentation, however often it was seen. */
export interface ReportedFinding extends Finding {
  readonly class: RuleClass
  readonly section: string
  readonly sentence: string
  /** The playlist, or the segment of one. */
  readonly where: string
  /** How often it was seen; `seen` and `line` are those of the first time. */
  readonly count: number
}

const MAX_REPORTED = 500
const MAX_SEEN_LENGTH = 200

/** Collects findings: one for each rule and place, and not more than 500. */
export class FindingList {
  readonly #found = new Map<string, ReportedFinding>()

  add(where: string, findings: readonly Finding[]): void {
    for (const { rule, seen, line } of findings) {
      const key = `${rule} ${where}`
      const known = this.#found.get(key)
      if (known !== undefined) this.#found.set(key, { ...known, count: known.count + 1 })
      else if (this.#found.size < MAX_REPORTED) {
        const { class: ofClass, section, sentence } = RULES[rule]
        const text = seen.length > MAX_SEEN_LENGTH ? `${seen.slice(0, MAX_SEEN_LENGTH)}...` : seen
        this.#found.set(key, { rule, class: ofClass, section, sentence, where, line, seen: text, count: 1 })
      }
    }
  }

  /** In order of class, then of the first sighting. */
  list(): readonly ReportedFinding[] {
    const order: readonly RuleClass[] = ['must', 'should', 'apple']
    return [...this.#found.values()].sort((a, b) => order.indexOf(a.class) - order.indexOf(b.class))
  }
}
