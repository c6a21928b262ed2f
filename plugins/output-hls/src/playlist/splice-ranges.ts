// Splices as date ranges: the out and the in of a break are one range; other signals are ranges of their own. Messages that
// are repeated, or moved a little, are one: attributes are added, never changed. Playlists change with the next segment.
import { difference33, mod33 } from '@millrace/media/mpegts'
import type { HeardSplice } from '../segment/splice-listener.js'
import {
  endOf,
  isBreak,
  isOpen,
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
  /** The latest time that its message was heard with. */
  readonly heardMs: number
}

/** Where segments end. */
interface Cut {
  readonly event: string
  readonly at90k: number
}

const TICKS_PER_MS = 90
/** Heard since the last segment; events that have been cancelled since. */
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
  /** By event: the time of the stream when it was cancelled. */
  readonly #cancelled = new Map<string, number>()
  #cuts: Cut[] = []
  /** By ID. */
  readonly #kept = new Map<string, Kept>()
  /** Those that playlists have until the next segment, by their dates. */
  #shown: readonly Kept[] = []
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
    for (const [event, latest90k] of this.#cancelled) this.#markCancelled(event, dateOf(latest90k, newest))
    this.#cancelled.clear()
    for (const signal of this.#waiting.splice(0)) this.#place(signal, newest)
    for (const { range } of this.#kept.values()) this.#endAlone(range, newest)
    this.#trim(fromMs)
    this.show()
    if (this.#hasRestored) this.#cutForRestored(newest)
    // A day later, the 33-bit clock comes by again.
    this.#cuts = this.#cuts.filter(({ at90k }) => difference33(at90k, newest.start90k) >= -MOST_BEHIND)
  }

  /** Playlists have what has been restored. All their texts are others from then on. */
  show(): void {
    this.#shown = byDate(this.#kept.values()).filter(({ range }) => range.isCancelled !== true)
  }

  /**
   * For a playlist that begins with this date, and has ended with the other one. The same until the next segment: texts of
   * one version are built one after the other.
   */
  tags(fromMs: number, untilMs = Infinity): readonly string[] {
    return this.#shown.filter(({ range }) => range.startMs < untilMs && lasts(range, fromMs)).map(({ tag }) => tag)
  }

  /** What an index needs that has those of this version. */
  changedSince(version: number): readonly SpliceRange[] {
    return [...this.#kept.values()].filter((each) => each.version > version).map(({ range }) => range)
  }

  /** What an index needs that begins with this date. */
  lasting(fromMs: number): readonly SpliceRange[] {
    return [...this.#kept.values()].map(({ range }) => range).filter((range) => lasts(range, fromMs))
  }

  /** One of the last process, in any order: a newer state of the same range stays. Playlists have it from `show` on. */
  restore(range: SpliceRange): void {
    const known = this.#kept.get(range.id)
    const { sections, ...more } = range
    const whole = { ...more, ...known?.range, sections: { ...sections, ...known?.range.sections } }
    const { version, heardMs } = known ?? { version: 0, heardMs: range.startMs }
    this.#kept.set(range.id, { range: whole, tag: renderRange(whole), version, heardMs })
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
    if (this.#isMoved(signal)) return
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
    if (this.#cuts.length <= MAX_CUTS) return
    // The nearest ones stay.
    const last = this.#cuts.reduce((a, b) => (difference33(b.at90k, a.at90k) > 0 ? b : a))
    this.#cuts.splice(this.#cuts.indexOf(last), 1)
  }

  /** Its range is known, with another time. */
  #isMoved({ kind, event, at90k }: Signal): boolean {
    const newest = this.#newest
    const isAnew = [...this.#cancelled.keys()].some((cancelled) => isOfEvent(event, cancelled))
    if (newest === undefined || isAnew) return false
    const atMs = dateOf(at90k, newest)
    if (kind === 'in') {
      const { open, ended } = this.#breakOf(event, atMs)
      return open === undefined && ended !== undefined && Math.abs(endOf(ended) - atMs) >= SAME_MS
    }
    const known = this.#sameAs(kind, event, atMs)
    return known !== undefined && Math.abs(known.range.startMs - atMs) >= SAME_MS
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

  /** What has begun stays, and a break that ends by itself ends with a segment. */
  #cancel(cancelled: string, latest90k: number): void {
    const isComing = (each: Cut): boolean => {
      return isOfEvent(each.event, cancelled) && difference33(each.at90k, latest90k) > 0
    }
    this.#waiting = this.#waiting.filter((signal) => !isComing(signal))
    if (!this.#cancelled.has(cancelled)) this.#cancelled.set(cancelled, latest90k)
    if (this.#cancelled.size > MAX_WAITING) this.#cancelled.delete([...this.#cancelled.keys()][0]!)
    if (!this.#isEnding(cancelled, latest90k)) this.#cuts = this.#cuts.filter((each) => !isComing(each))
  }

  /** It has begun, and will end by itself. */
  #isEnding(cancelled: string, latest90k: number): boolean {
    const newest = this.#newest
    const nowMs = newest === undefined ? Infinity : dateOf(latest90k, newest)
    if (this.#waiting.some(({ event, isAutoReturn }) => isAutoReturn && isOfEvent(event, cancelled))) return true
    return [...this.#kept.values()].some(({ range }) => {
      const { event, startMs, durationMs, isAutoReturn, isCancelled } = range
      if (!isOfEvent(event, cancelled) || startMs > nowMs) return false
      return isAutoReturn === true && isCancelled !== true && durationMs === undefined
    })
  }

  #markCancelled(cancelled: string, nowMs: number): void {
    for (const { range } of this.#kept.values()) {
      if (range.isCancelled === true || !isOfEvent(range.event, cancelled)) continue
      if (range.startMs > nowMs) this.#keep({ ...range, isCancelled: true })
    }
  }

  #place({ kind, event, at90k, duration90k, isAutoReturn, section }: Signal, newest: DatedTime): void {
    const startMs = dateOf(at90k, newest)
    if (kind === 'in') return this.#placeEnd(event, startMs, section)
    const known = this.#sameAs(kind, event, startMs)
    if (known !== undefined) {
      if (startMs > known.heardMs) this.#kept.set(known.range.id, { ...known, heardMs: startMs })
      return
    }
    const plannedMs = duration90k === undefined ? undefined : Math.round(duration90k / TICKS_PER_MS)
    const sections = { [kind === 'out' ? 'SCTE35-OUT' : 'SCTE35-CMD']: section }
    this.#keep({
      ...{ id: this.#freeId(event, startMs), event, startMs, plannedMs, sections },
      ...(isAutoReturn && plannedMs !== undefined ? { isAutoReturn } : {}),
    })
  }

  #placeEnd(event: string, endMs: number, section: string): void {
    const { open, ended } = this.#breakOf(event, endMs)
    const isKnown = this.#ofEvent(event).some(({ range: { startMs, sections } }) => {
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

  /** The break that an in at that time ends, or that has ended then. */
  #breakOf(event: string, endMs: number): { readonly open?: SpliceRange; readonly ended?: SpliceRange } {
    const breaks = byDate(this.#ofEvent(event))
      .map(({ range }) => range)
      .filter(isBreak)
    const open = breaks.findLast(({ startMs, durationMs }) => {
      return durationMs === undefined && startMs < endMs && endMs < startMs + LONGEST_BREAK_MS
    })
    const ended = breaks.findLast((range) => {
      return range.durationMs !== undefined && Math.abs(endOf(range) - endMs) < MOVED_BREAK_MS
    })
    return { ...(open && { open }), ...(ended && { ended }) }
  }

  #sameAs(kind: 'out' | 'cmd', event: string, startMs: number): Kept | undefined {
    const isSame = kind === 'out' ? isSameBreak : isSameSignal
    return this.#ofEvent(event).find((kept) => isSame(kept, startMs))
  }

  /** Without those that are cancelled. */
  #ofEvent(event: string): readonly Kept[] {
    const found: Kept[] = []
    for (const kept of this.#kept.values()) {
      if (kept.range.event === event && kept.range.isCancelled !== true) found.push(kept)
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
    const heardMs = this.#kept.get(range.id)?.heardMs ?? range.startMs
    this.#kept.set(range.id, { range, tag: renderRange(range), version: ++this.#version, heardMs })
  }

  #freeId(event: string, startMs: number): string {
    const id = `splice-${event}-${startMs}`
    if (!this.#kept.has(id)) return id
    let number = 2
    while (this.#kept.has(`${id}-${number}`)) number++
    return `${id}-${number}`
  }

  #trim(fromMs: number): void {
    const endless: Kept[] = []
    for (const kept of this.#kept.values()) {
      const { range } = kept
      if (!lasts(range, fromMs)) this.#kept.delete(range.id)
      else if (isOpen(range) && range.startMs + (range.plannedMs ?? 0) < fromMs) endless.push(kept)
    }
    for (const { range } of byDate(endless).slice(0, -MAX_ENDLESS)) this.#kept.delete(range.id)
    this.#bound()
  }

  /** The oldest are left out, listed or not. */
  #bound(): void {
    let bytes = 0
    for (const { tag } of this.#kept.values()) bytes += tag.length
    if (this.#kept.size <= MAX_RANGES && bytes <= MAX_BYTES) return
    for (const { range, tag } of byDate(this.#kept.values())) {
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

/** Oldest first. */
function byDate(all: Iterable<Kept>): readonly Kept[] {
  return [...all].toSorted((a, b) => a.range.startMs - b.range.startMs)
}

/** An out with the event of a known break, before that is over. Where nothing tells its end, its in may be lost. */
function isSameBreak({ range, heardMs }: Kept, startMs: number): boolean {
  if (!isBreak(range)) return false
  const isNear = Math.abs(startMs - range.startMs) < SAME_MS
  const isEndless = (range.durationMs ?? range.plannedMs) === undefined
  const untilMs = isEndless ? heardMs + MOVED_BREAK_MS : endOf(range)
  return isNear || (startMs > range.startMs - MOVED_BREAK_MS && startMs < untilMs)
}

function isSameSignal({ range: { event, startMs, sections } }: Kept, atMs: number): boolean {
  const most = event === NO_EVENT ? SAME_MS : MOVED_SIGNAL_MS
  return sections['SCTE35-CMD'] !== undefined && Math.abs(startMs - atMs) < most
}
