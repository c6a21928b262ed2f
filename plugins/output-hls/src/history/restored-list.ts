// Segments that the last process has left, as the history goes on with them.
import { type ListChange, LongList, type LongEntry, type LongLife } from './long-list.js'
import { trimBefore } from './losses.js'
import { PeriodNames } from './period.js'
import { type Need, noteNeeds } from './segment-needs.js'
import type { SegmentRecord } from './segment-record.js'

export interface LifeFrom {
  readonly id: string
  /** Number of its first segment. */
  readonly from: number
}

export class RestoredList {
  readonly #lengthTicks: () => number | undefined
  #list = new LongList()
  #lives: LifeFrom[] = []
  /** Number of the last segment of each period. */
  readonly lastOf = new Map<string, number>()
  readonly needs = new Map<string, Need>()
  #floor = 0
  #before: LongList | undefined
  #lastSequence = -1
  readonly #periods = new PeriodNames()

  /** `lengthTicks`: of the long playlists now; undefined: those of an event, which has all of one life. */
  constructor(lengthTicks: () => number | undefined) {
    this.#lengthTicks = lengthTicks
  }

  get list(): LongList {
    return this.#list
  }

  /** As of `Losses`. */
  get floor(): number {
    return this.#floor
  }

  /** What is behind the last segment that is lost. */
  get before(): LongList | undefined {
    return this.#before
  }

  /** Oldest first. */
  get lives(): readonly LifeFrom[] {
    return this.#lives
  }

  /** In the order of their numbers. */
  add(segment: SegmentRecord): void {
    const { life: id, target, sequence } = segment
    if (sequence <= this.#lastSequence) return
    this.#lastSequence = sequence
    const [list, entry] = [this.#list, longEntryOf(segment)]
    const isOther = this.#lives.at(-1)?.id !== id
    const lengthTicks = this.#lengthTicks()
    if (isOther && lengthTicks === undefined) list.unlist()
    const life = { id, targetSeconds: target }
    const renditions = withAll(list.renditions, entry.media)
    list.append(life, entry, renditions)
    // As it was before: a list that is longer again would begin with numbers that have left it.
    if (lengthTicks !== undefined) list.trim(lengthTicks, life)
    this.#noteLost(segment)
    if (sequence >= this.#floor) this.#addBefore(life, entry, renditions)
    noteNeeds(this.needs, entry)
    this.lastOf.set(this.#periods.of(segment.dateMs), sequence)
    if (isOther) this.#lives.push({ id, from: sequence })
  }

  /** What has happened to the list meanwhile. */
  apply(change: ListChange): void {
    change(this.#list)
    if (this.#before !== undefined) change(this.#before)
  }

  /** Nothing so far can be played. */
  forget(): void {
    this.#list = new LongList()
    if (this.#before !== undefined) this.#before = new LongList()
    this.#lives = []
    this.lastOf.clear()
    this.needs.clear()
  }

  #noteLost({ sequence, lost, floor = 0 }: SegmentRecord): void {
    const found = lost === true ? sequence + 1 : floor
    if (found <= this.#floor) return
    this.#floor = found
    this.#before ??= new LongList()
    this.#before.removeThrough(found - 1)
  }

  #addBefore(life: LongLife, entry: LongEntry, renditions: readonly string[]): void {
    if (this.#before === undefined) return
    this.#before.append(life, entry, renditions)
    trimBefore(this.#before, life, entry.sequence)
  }
}

/** Mostly there is no other one. */
function withAll(known: readonly string[], media: LongEntry['media']): readonly string[] {
  for (const name of media.keys()) if (!known.includes(name)) return [...new Set([...known, ...media.keys()])]
  return known
}

/** Field by field: a restart makes a million of them. */
function longEntryOf({ sequence, name, ticks, isNew, dateMs, discontinuity, media }: SegmentRecord): LongEntry {
  const files = new Map(Object.entries(media)) as unknown as LongEntry['media']
  return { sequence, name, ticks, isNew, dateMs, discontinuity, media: files }
}
