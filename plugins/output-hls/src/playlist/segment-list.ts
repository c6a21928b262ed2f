// The list of segments of one life of an output, shared by all its renditions: sequence numbers, discontinuities, gaps,
// dates, and how long what has left the list can still be downloaded. Numbers never go back.
import type { KeptMedia } from '@millrace/engine/plugin'
import type { SegmentKey } from './keys.js'
import { LongestListing } from './longest-listing.js'

export interface SegmentMedia {
  readonly kept: KeptMedia
  /** It can be decoded without the segments before it. */
  readonly isIndependent: boolean
  /** It is encrypted. */
  readonly key?: SegmentKey | undefined
  /** Its key frame; undefined if that cannot be shown alone. */
  readonly iframe?: Iframe | undefined
}

/** A range of the segment's bytes. */
export interface Iframe {
  readonly offset: number
  readonly length: number
  /** Name of the file with PAT and PMT. */
  readonly init: string
}

export interface Entry {
  readonly sequence: number
  /** What tells its file from others. */
  readonly name: string
  readonly ticks: number
  /** A decoder starts anew. */
  readonly isNew: boolean
  /** Unix time of its first picture, milliseconds. */
  readonly dateMs: number
  /** By rendition. A rendition without media has a gap. */
  readonly media: ReadonlyMap<string, SegmentMedia>
}

/** By default it has the next number. With a later one, nothing before it is listed any more. */
export type AddedEntry = Omit<Entry, 'sequence'> & { readonly sequence?: number | undefined }

export interface Numbers {
  readonly media: number
  readonly discontinuity: number
}

export interface ListRules {
  /** Length of the list, ticks. */
  readonly window: number
  /** The target duration, ticks. */
  readonly target: number
}

interface Removed {
  readonly entry: Entry
  /** Monotonic. */
  readonly untilMs: number
}

/** RFC 8216, 6.2.2: a live playlist is not shortened below three target durations. */
export const LEAST_TARGETS = 3
const TICKS_PER_MS = 90

export class SegmentList {
  readonly #entries: Entry[] = []
  readonly #removed: Removed[] = []
  readonly #files: Map<string, SegmentMedia>
  readonly #fileOf: (rendition: string, name: string) => string
  #next: number
  /** Of the first entry, before its own tag. */
  #discontinuity: number
  #ticks = 0
  readonly #longest = new LongestListing()
  /** Tags in the list. */
  #tags = 0
  #hasFilled = false

  /** `files`: by what `fileOf` returns, those that can be downloaded; shared with other lists. */
  constructor(from: Numbers, files: Map<string, SegmentMedia>, fileOf: (rendition: string, name: string) => string) {
    this.#files = files
    this.#fileOf = fileOf
    this.#next = from.media
    this.#discontinuity = from.discontinuity
  }

  get entries(): readonly Entry[] {
    return this.#entries
  }

  get ticks(): number {
    return this.#ticks
  }

  /** It has been as long as it may become since it began, with everything that was published in that time. */
  get hasFilled(): boolean {
    return this.#hasFilled
  }

  get nextSequence(): number {
    return this.#next
  }

  /** EXT-X-DISCONTINUITY-SEQUENCE of a playlist that begins with the first entry. */
  get discontinuitySequence(): number {
    return this.#discontinuity
  }

  /** The first numbers that have never been used. */
  get unused(): Numbers {
    return { media: this.#next, discontinuity: this.#discontinuity + this.#tags + 1 }
  }

  /** At the end of the list. */
  append(entry: AddedEntry, nowMs: number): void {
    const added = { ...entry, sequence: entry.sequence ?? this.#next }
    if (added.sequence !== this.#next) this.#beginAnew(nowMs)
    this.#next = added.sequence + 1
    this.#entries.push(added)
    this.#ticks += added.ticks
    this.#longest.note(this.#ticks, this.#entries[0]!.sequence, added.sequence)
    if (added.isNew) this.#tags++
    for (const [rendition, media] of added.media) this.#files.set(this.#fileOf(rendition, added.name), media)
  }

  /**
   * Removes from its head what the window has no room for. A segment leaves together with the gaps behind it: no playlist
   * begins with a gap.
   */
  trim({ window, target }: ListRules, nowMs: number): void {
    const least = Math.max(window, LEAST_TARGETS * target)
    for (;;) {
      const next = this.#entries.findIndex(({ media }, index) => index > 0 && media.size > 0)
      if (next < 0) return
      const leaving = this.#entries.slice(0, next).reduce((sum, { ticks }) => sum + ticks, 0)
      if (this.#ticks - leaving < least) return
      for (let count = 0; count < next; count++) this.#removeFirst(nowMs)
      this.#hasFilled = true
    }
  }

  /** With a gap of this length at its end, the list would still have media after it has been trimmed. */
  hasRoomForGap(ticks: number, { window, target }: ListRules): boolean {
    const last = this.#entries.findLastIndex(({ media }) => media.size > 0)
    const gaps = this.#entries.slice(last + 1).reduce((sum, each) => sum + each.ticks, 0)
    return last >= 0 && gaps + ticks < Math.max(window, LEAST_TARGETS * target)
  }

  /** Gives back the memory of what nobody can ask for any more. */
  expire(nowMs: number): void {
    while (this.#removed.length > 0 && this.#removed[0]!.untilMs <= nowMs) this.#forget(this.#removed.shift()!.entry)
  }

  /** Gives back the memory of the oldest segment, listed or not. False: there is none. */
  giveUpOldest(nowMs: number): boolean {
    if (this.#removed.length === 0 && this.#entries.length > 1) {
      this.#removeFirst(nowMs)
      this.#hasFilled = true
    }
    const oldest = this.#removed.shift()
    if (oldest !== undefined) this.#forget(oldest.entry)
    return oldest !== undefined
  }

  /** Gives back all its memory. */
  clear(): void {
    for (const { entry } of this.#removed.splice(0)) this.#forget(entry)
    for (const entry of this.#entries.splice(0)) this.#forget(entry)
    this.#ticks = 0
  }

  #beginAnew(nowMs: number): void {
    while (this.#entries.length > 0) this.#removeFirst(nowMs)
    this.#hasFilled = false
  }

  #removeFirst(nowMs: number): void {
    // RFC 8216, 6.2.2: its own duration and that of the longest playlist that listed it.
    const entry = this.#entries.shift()!
    const untilMs = nowMs + (entry.ticks + this.#longest.ticksOf(entry.sequence, this.#ticks)) / TICKS_PER_MS
    this.#ticks -= entry.ticks
    if (entry.isNew) {
      this.#discontinuity++
      this.#tags--
    }
    this.#removed.push({ entry, untilMs })
  }

  #forget(entry: Entry): void {
    for (const [rendition, { kept }] of entry.media) {
      this.#files.delete(this.#fileOf(rendition, entry.name))
      kept.release()
    }
  }
}
