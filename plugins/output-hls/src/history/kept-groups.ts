// Segments that are released together: those in one folder of the disk, or one alone in memory. Each group stays until
// nobody can ask for its segments any more.
import type { HeldMedia } from './held-media.js'

export interface Group {
  readonly period: string | undefined
  /** -1: none of its segments is known. */
  lastSequence: number
  /** Monotonic; undefined while one of them is listed. */
  untilMs: number | undefined
  readonly held: Map<string, HeldMedia>
}

export class KeptGroups {
  /** Oldest first. */
  readonly #groups: Group[] = []

  get oldest(): Group | undefined {
    return this.#groups[0]
  }

  get newest(): Group | undefined {
    return this.#groups.at(-1)
  }

  add(period: string | undefined): Group {
    const made: Group = { period, lastSequence: -1, untilMs: undefined, held: new Map() }
    this.#groups.push(made)
    return made
  }

  /** The group of the period has one more segment, which is listed. */
  addSegment(period: string, sequence: number): void {
    const group = this.#groups.findLast((each) => each.period === period) ?? this.add(period)
    group.lastSequence = sequence
    group.untilMs = undefined
  }

  /** Folders that are there already. Those that no group has are removed in time. */
  addFound(periods: readonly string[], untilMs: number): void {
    const known = new Set(this.#groups.map(({ period }) => period))
    const left = periods.filter((period) => !known.has(period))
    this.#groups.unshift(...left.map((period) => ({ period, lastSequence: -1, untilMs, held: new Map() })))
  }

  /** What is in the folders has been read. `lastOf`: by period. */
  noteLast(lastOf: ReadonlyMap<string, number>, untilMs: number): void {
    for (const group of this.#groups) {
      group.lastSequence = Math.max(group.lastSequence, lastOf.get(group.period ?? '') ?? -1)
      if (group.lastSequence < 0) group.untilMs ??= untilMs
    }
  }

  /** What is before this number is not listed any more. */
  noteUnlisted(before: number, untilMs: number): void {
    for (const group of this.#groups) {
      if (group.lastSequence >= before) return
      group.untilMs ??= untilMs
    }
  }

  /** Undefined: nothing is over. */
  takeExpired(nowMs: number): Group | undefined {
    const { untilMs = Infinity } = this.#groups[0] ?? {}
    return nowMs < untilMs ? undefined : this.#groups.shift()
  }

  takeOldest(): Group | undefined {
    return this.#groups.shift()
  }
}
