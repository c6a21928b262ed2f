// Splices as date ranges: the out and the in of a break are one range; other signals are ranges of their own. Messages that
// are repeated, or moved a little, are one: a range keeps the attributes that it has.
import { difference33, mod33 } from '@millrace/media/mpegts'
import type { HeardSplice } from '../segment/splice-listener.js'
import {
  endOf,
  isBreak,
  lasts,
  LONGEST_BREAK_MS,
  renderRange,
  type SpliceAttribute,
  type SpliceRange,
} from './splice-range.js'
import { cancelledBy, isOfEvent, NO_EVENT, type Signal, signalsOf } from './splice-signals.js'

/** Of the segment that has been published last. */
export interface DatedTime {
  readonly start90k: number
  readonly dateMs: number
}

interface Kept {
  readonly range: SpliceRange
  readonly tag: string
  /** When it changed; 0: as an index on a disk has it. */
  readonly version: number
}

/** Where segments end. */
interface Cut {
  readonly event: string
  readonly at90k: number
}

const TICKS_PER_MS = 90
/** Heard since the last segment. */
const MAX_WAITING = 32
const MAX_CUTS = 32
/** Of all playlists; bytes are those of their tags. */
const MAX_RANGES = 4096
const MAX_BYTES = 1024 * 1024
/** Breaks that have no end, and whose beginning is not listed any more. */
const MAX_ENDLESS = 32
/** Two messages of one event. */
const SAME_TICKS = 90
/** Signals without an event; one with an event that has been moved; the out or the in of a break that has been moved. */
const SAME_MS = 20
const MOVED_SIGNAL_MS = 1000
const MOVED_BREAK_MS = 60_000
/** Key frames and splices that differ by no more than 20 ms are at the same time. */
const TOLERANCE = 1800
/** A splice is announced at most so long before it, and heard at most so long after it: one hour, one minute. */
const MOST_AHEAD = 324_000_000
const MOST_BEHIND = 5_400_000

export class SpliceRanges {
  #waiting: Signal[] = []
  #cuts: Cut[] = []
  /** By ID. */
  readonly #kept = new Map<string, Kept>()
  #version = 1
  #newest: DatedTime | undefined
  /** Some are of the last process: where to cut for these is not known. */
  #hasRestored = false

  /** Grows with each change. */
  get version(): number {
    return this.#version
  }

  /** `latest90k`: the newest time of the stream. False: a message whose time is not on its clock. */
  hear(heard: HeardSplice, latest90k: number): boolean {
    let isPlaced = true
    for (const event of cancelledBy(heard)) this.#cancel(event, latest90k)
    for (const signal of signalsOf(heard, latest90k)) {
      const ahead = difference33(signal.at90k, latest90k)
      if (ahead > MOST_AHEAD || ahead < -MOST_BEHIND) isPlaced = false
      else this.#add(signal)
    }
    return isPlaced
  }

  /** Ticks from there to the next splice; undefined if none is known. */
  ticksAfter(start90k: number): number | undefined {
    let next: number | undefined
    for (const { at90k } of this.#cuts) {
      const ticks = difference33(at90k, start90k) - TOLERANCE
      if (ticks > TOLERANCE && (next === undefined || ticks < next)) next = ticks
    }
    return next
  }

  /** A segment has been published: what has been heard since gets its date. `fromMs`: date of the first listed one. */
  settle(newest: DatedTime, fromMs: number): void {
    this.#newest = newest
    for (const signal of this.#waiting.splice(0)) this.#place(signal, newest)
    for (const { range } of this.#kept.values()) this.#endAlone(range, newest)
    this.#trim(fromMs)
    if (this.#hasRestored) this.#cutForRestored(newest)
    // A day later, the 33-bit clock comes by again.
    this.#cuts = this.#cuts.filter(({ at90k }) => difference33(at90k, newest.start90k) >= -MOST_BEHIND)
  }

  /** For a playlist that begins with this date. */
  tags(fromMs: number): readonly string[] {
    return [...this.#kept.values()]
      .filter(({ range }) => range.isCancelled !== true && lasts(range, fromMs))
      .toSorted((a, b) => a.range.startMs - b.range.startMs)
      .map(({ tag }) => tag)
  }

  /** What an index needs that has those of this version. */
  changedSince(version: number): readonly SpliceRange[] {
    return [...this.#kept.values()].filter((each) => each.version > version).map(({ range }) => range)
  }

  /** What an index needs that begins with this date. */
  lasting(fromMs: number): readonly SpliceRange[] {
    return [...this.#kept.values()].map(({ range }) => range).filter((range) => lasts(range, fromMs))
  }

  /** One of the last process, in any order; what it has got since comes again. */
  restore(range: SpliceRange): void {
    const known = this.#kept.get(range.id)
    const { sections, ...more } = range
    const whole = { ...more, ...known?.range, sections: { ...sections, ...known?.range.sections } }
    this.#kept.set(range.id, { range: whole, tag: renderRange(whole), version: known?.version ?? 0 })
    this.#hasRestored = true
    if (this.#kept.size > 2 * MAX_RANGES) this.#bound()
  }

  #add(signal: Signal): void {
    const { event, at90k, duration90k, isAutoReturn } = signal
    const isSame = (each: Cut): boolean => {
      return each.event === event && Math.abs(difference33(each.at90k, at90k)) <= SAME_TICKS
    }
    if (this.#waiting.some((each) => each.kind === signal.kind && isSame(each))) return
    this.#waiting.push(signal)
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift()
    this.#cutAt(event, at90k)
    if (isAutoReturn && duration90k !== undefined && duration90k <= MOST_AHEAD) {
      this.#cutAt(event, mod33(at90k + duration90k))
    }
  }

  #cutAt(event: string, at90k: number): void {
    const isKnown = this.#cuts.some((each) => {
      return each.event === event && Math.abs(difference33(each.at90k, at90k)) <= SAME_TICKS
    })
    if (isKnown) return
    this.#cuts.push({ event, at90k })
    if (this.#cuts.length > MAX_CUTS) this.#cuts.shift()
  }

  #cutForRestored({ start90k, dateMs }: DatedTime): void {
    this.#hasRestored = false
    for (const { range } of this.#kept.values()) {
      const { event, startMs, isAutoReturn, isCancelled } = range
      if (isCancelled === true) continue
      for (const ms of isAutoReturn === true ? [startMs, endOf(range)] : [startMs]) {
        const ticks = Math.round((ms - dateMs) * TICKS_PER_MS)
        if (ticks > 0 && ticks <= MOST_AHEAD) this.#cutAt(event, mod33(start90k + ticks))
      }
    }
  }

  /** What has begun stays. */
  #cancel(cancelled: string, latest90k: number): void {
    const isComing = (each: Cut): boolean => {
      return isOfEvent(each.event, cancelled) && difference33(each.at90k, latest90k) > 0
    }
    this.#waiting = this.#waiting.filter((signal) => !isComing(signal))
    const newest = this.#newest
    const nowMs = newest === undefined ? Infinity : dateOf(latest90k, newest)
    let isBegun = false
    for (const { range } of this.#kept.values()) {
      if (!isOfEvent(range.event, cancelled)) continue
      if (range.startMs > nowMs) this.#keep({ ...range, isCancelled: true })
      else isBegun ||= range.durationMs === undefined
    }
    if (!isBegun) this.#cuts = this.#cuts.filter((each) => !isComing(each))
  }

  #place({ kind, event, at90k, duration90k, isAutoReturn, section }: Signal, newest: DatedTime): void {
    const startMs = dateOf(at90k, newest)
    if (kind === 'in') return this.#placeEnd(event, startMs, section)
    const isSame = kind === 'out' ? isSameBreak : isSameSignal
    if (this.#ofEvent(event).some((range) => isSame(range, startMs))) return
    const plannedMs = duration90k === undefined ? undefined : Math.round(duration90k / TICKS_PER_MS)
    const sections = { [kind === 'out' ? 'SCTE35-OUT' : 'SCTE35-CMD']: section }
    this.#keep({
      ...{ id: this.#freeId(event, startMs), event, startMs, plannedMs, sections },
      ...(isAutoReturn && plannedMs !== undefined ? { isAutoReturn } : {}),
    })
  }

  #placeEnd(event: string, endMs: number, section: string): void {
    const ofEvent = this.#ofEvent(event)
    const open = latestOf(ofEvent, (range) => {
      const { startMs, durationMs } = range
      return isBreak(range) && durationMs === undefined && startMs < endMs && endMs < startMs + LONGEST_BREAK_MS
    })
    const ended = latestOf(ofEvent, (range) => {
      return isBreak(range) && range.durationMs !== undefined && Math.abs(endOf(range) - endMs) < MOVED_BREAK_MS
    })
    const isKnown = ofEvent.some(({ startMs, sections }) => {
      return sections['SCTE35-OUT'] === undefined && Math.abs(startMs - endMs) < MOVED_BREAK_MS
    })
    if (open !== undefined) this.#keep({ ...withSection(open, 'SCTE35-IN', section), durationMs: endMs - open.startMs })
    else if (ended !== undefined) {
      if (ended.sections['SCTE35-IN'] === undefined) this.#keep(withSection(ended, 'SCTE35-IN', section))
    } else if (!isKnown) {
      const id = this.#freeId(event, endMs)
      this.#keep({ id, event, startMs: endMs, sections: { 'SCTE35-IN': section } })
    }
  }

  /** Without those that are cancelled. */
  #ofEvent(event: string): readonly SpliceRange[] {
    const found: SpliceRange[] = []
    for (const { range } of this.#kept.values()) {
      if (range.event === event && range.isCancelled !== true) found.push(range)
    }
    return found
  }

  /** A break that ends without a message is over. */
  #endAlone(range: SpliceRange, { dateMs }: DatedTime): void {
    const { isAutoReturn, plannedMs, durationMs, startMs } = range
    if (isAutoReturn !== true || plannedMs === undefined || durationMs !== undefined) return
    if (startMs + plannedMs <= dateMs) this.#keep({ ...range, durationMs: plannedMs })
  }

  #keep(range: SpliceRange): void {
    this.#kept.set(range.id, { range, tag: renderRange(range), version: ++this.#version })
  }

  #freeId(event: string, startMs: number): string {
    const id = `splice-${event}-${startMs}`
    if (!this.#kept.has(id)) return id
    let number = 2
    while (this.#kept.has(`${id}-${number}`)) number++
    return `${id}-${number}`
  }

  #trim(fromMs: number): void {
    const endless: string[] = []
    for (const [id, { range }] of this.#kept) {
      const { startMs, plannedMs, durationMs } = range
      if (!lasts(range, fromMs)) this.#kept.delete(id)
      else if (startMs < fromMs && (durationMs ?? plannedMs) === undefined) endless.push(id)
    }
    for (const id of endless.slice(0, -MAX_ENDLESS)) this.#kept.delete(id)
    this.#bound()
  }

  /** The oldest are left out, listed or not. */
  #bound(): void {
    let bytes = 0
    for (const { tag } of this.#kept.values()) bytes += tag.length
    if (this.#kept.size <= MAX_RANGES && bytes <= MAX_BYTES) return
    const oldest = [...this.#kept.values()].toSorted((a, b) => a.range.startMs - b.range.startMs)
    for (const { range, tag } of oldest) {
      if (this.#kept.size <= MAX_RANGES && bytes <= MAX_BYTES) return
      this.#kept.delete(range.id)
      bytes -= tag.length
    }
  }
}

function dateOf(at90k: number, { start90k, dateMs }: DatedTime): number {
  return Math.floor(dateMs + difference33(at90k, start90k) / TICKS_PER_MS)
}

function withSection(range: SpliceRange, attribute: SpliceAttribute, section: string): SpliceRange {
  return { ...range, sections: { ...range.sections, [attribute]: section } }
}

function latestOf(ranges: readonly SpliceRange[], is: (range: SpliceRange) => boolean): SpliceRange | undefined {
  return ranges
    .filter(is)
    .toSorted((a, b) => a.startMs - b.startMs)
    .at(-1)
}

/** An out with the event of a known break, before that is over. */
function isSameBreak(range: SpliceRange, startMs: number): boolean {
  if (!isBreak(range)) return false
  const isNear = Math.abs(startMs - range.startMs) < SAME_MS
  return isNear || (startMs > range.startMs - MOVED_BREAK_MS && startMs < endOf(range))
}

function isSameSignal({ event, startMs, sections }: SpliceRange, atMs: number): boolean {
  const most = event === NO_EVENT ? SAME_MS : MOVED_SIGNAL_MS
  return sections['SCTE35-CMD'] !== undefined && Math.abs(startMs - atMs) < most
}
