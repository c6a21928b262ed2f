// The segments behind those that the playlists of the window list: for `dvr`, for an event, and on the disk of `store`. It
// knows where each of them is, in memory or on the disk, and how long it can be asked for.
import type { KeptMedia, MediaFolder } from '@millrace/engine/plugin'
import type { Life } from '../playlist/life.js'
import { segmentUri } from '../playlist/render-playlist.js'
import { LongestListing } from '../playlist/longest-listing.js'
import type { Entry } from '../playlist/segment-list.js'
import { DiskWriter } from './disk-writer.js'
import { HeldMedia } from './held-media.js'
import { type Group, KeptGroups } from './kept-groups.js'
import type { HistoryHost } from './history-host.js'
import { IndexLines } from './index-lines.js'
import { type ListChange, LongList, type LongEntry, type LongLife } from './long-list.js'
import { LongPlaylists } from './long-playlists.js'
import { Losses } from './losses.js'
import { periodOf } from './period.js'
import { ListRestoration } from './list-restoration.js'
import { readPeriods } from './read-period.js'
import type { Restored } from './restored.js'
import { type LifeFrom, RestoredList } from './restored-list.js'
import type { SegmentRecord } from './segment-record.js'
import type { SegmentNeeds } from './segment-needs.js'
import { storedEntry, storedFile } from './stored-segments.js'

/** A segment of all renditions, and where its bytes are. */
interface KeptSegment {
  readonly entry: LongEntry
  readonly life: LongLife
  readonly files: readonly { readonly name: string; readonly media: HeldMedia }[]
}

const TICKS_PER_MS = 90
const MS_PER_SECOND = 1000
/** What the disk has not removed is tried again. */
const REMOVE_AGAIN_MS = 60_000
/** An event that lasts longer ends. */
const LONGEST_EVENT_TICKS = 24 * 3600 * 90_000

export class History {
  readonly playlists: LongPlaylists
  #list = new LongList()
  readonly #host: HistoryHost
  readonly #writer: DiskWriter
  readonly #lines: IndexLines
  readonly #needs: SegmentNeeds
  readonly #groups = new KeptGroups()
  readonly #losses = new Losses()
  readonly #longest = new LongestListing()
  /** In memory, by URI; those of the window are there too. */
  readonly #held = new Map<string, HeldMedia>()
  /** Of the segments on the disk, oldest first. */
  #inMemory: HeldMedia[] = []
  #lives: LifeFrom[] = []
  /** What the last process has left is being read. */
  #restoration: ListRestoration | undefined
  #restored: Promise<void> = Promise.resolve()
  /** No node has run it meanwhile: it goes on with the next one. */
  #isPaused = false
  #isFull = false

  constructor(host: HistoryHost, needs: SegmentNeeds) {
    this.#host = host
    this.#needs = needs
    this.#lines = new IndexLines((name) => host.initOf(name), host.ranges)
    this.playlists = this.#makePlaylists()
    this.#writer = new DiskWriter({
      get folder() {
        return host.store!
      },
      nowMs: () => host.nowMs(),
      prepare: () => this.#findPeriods(host.store!),
      onProblem: (problem) => host.onProblem(problem),
    })
  }

  get list(): LongList {
    return this.#list
  }

  /** There is something to keep beside the window. */
  get isActive(): boolean {
    const { store, settings, archive } = this.#host
    return store !== undefined || archive !== undefined || settings.dvrMs > 0 || settings.isEvent
  }

  /** An event has no room for another segment. */
  get isFull(): boolean {
    return this.#isFull || (this.#host.settings.isEvent && this.list.ticks >= LONGEST_EVENT_TICKS)
  }

  /** Older segments of the last process are still being read. */
  get isRestoring(): boolean {
    return this.#restoration !== undefined
  }

  /** Resolves when they are read, or no node runs it. Never rejects. */
  get restored(): Promise<void> {
    return this.#restored
  }

  /** Segments that wait for the disk. */
  get waiting(): number {
    return this.#writer.waiting
  }

  /** What is put into the playlists of the window: it can stay longer than they need it. */
  wrap(kept: KeptMedia): KeptMedia {
    return this.isActive ? new HeldMedia(kept) : kept
  }

  append(life: Life, entry: Entry, discontinuity: number): void {
    if (!this.isActive) return
    const { settings, renditions } = this.#host
    if (settings.isEvent && this.list.length > 0 && this.#lives.at(-1)?.id !== life.id) this.unlist()
    const media = new Map([...entry.media].map(([name, { kept, ...file }]) => [name, { ...file, bytes: kept.length }]))
    const long = { ...entry, media, discontinuity }
    this.#add(life, long, renditions)
    const files = [...entry.media].flatMap(([rendition, { kept }]) => {
      return kept instanceof HeldMedia ? [{ name: segmentUri(rendition, life.id, entry.name), media: kept }] : []
    })
    for (const { name, media: held } of files) this.#held.set(name, held)
    if (this.#host.store === undefined) {
      this.#keepInMemory(entry.sequence, files)
      this.#host.archive?.add(life, long, files)
    } else this.#write({ entry: long, life, files })
    this.#noteUnlisted()
  }

  /** Segments of the last process, before the first `append`: the newest now, and the older ones when they are read. */
  restore(restored: Restored): void {
    const newest = new RestoredList(() => this.#lengthTicks)
    for (const segment of restored.segments) newest.add(segment)
    this.#list = newest.list
    this.#lives.push(...newest.lives)
    this.#needs.restore(newest.needs)
    for (const period of restored.periods) this.#groups.add(period)
    if (restored.older.isEmpty) this.#finishRestoration(newest)
    else this.#restored = this.#restoreOlder(restored)
  }

  /** A restored segment as the playlists of the window have it. */
  entryOf(segment: SegmentRecord): Entry {
    return storedEntry(segment, this.#host.store!)
  }

  /** It is written with the next segment, for the next process. */
  noteMultivariant(text: string): void {
    this.#lines.multivariant = text
  }

  /** All of it leaves the long playlists. */
  unlist(): void {
    const change: ListChange = (list) => list.unlist()
    change(this.#list)
    this.#losses.forgetBefore(undefined)
    this.#restoration?.noteUnlisted(change)
    this.#noteUnlisted()
  }

  /** The life has ended. What an event has can be watched until another one begins. */
  end(life: Life): void {
    if (this.#host.store === undefined || !this.isActive) return
    const period = this.#groups.newest?.period
    if (period === undefined) return
    const lines = this.#lines.end(life.id)
    const sequence = life.list.nextSequence
    this.#writer.add({ sequence, period, files: [], lines, gap: lines, onStored: () => undefined })
  }

  /** Another event begins. */
  beginAnew(): void {
    this.unlist()
    this.#isFull = false
  }

  /** Gives back what nobody can ask for any more. Call it a few times a second. */
  expire(nowMs: number): void {
    if (this.#host.store !== undefined) this.#writer.tick()
    this.#restoration?.tick(nowMs)
    if (this.isRestoring) return
    // A reload has taken `dvr` away: nobody is told of these any more.
    if (!this.isActive && this.#list.length > 0) this.unlist()
    this.#noteUnlisted()
    for (let group = this.#groups.takeExpired(nowMs); group !== undefined; group = this.#groups.takeExpired(nowMs)) {
      this.#forget(group)
    }
  }

  /**
   * Memory is needed. `firstListed`: number of the first segment in the playlists of the window. False: nothing was
   * given up.
   */
  giveUp(firstListed: number): boolean {
    while (this.#inMemory.length > 0) if (this.#inMemory.shift()!.leaveMemory()) return true
    const group = this.#groups.oldest
    if (this.#host.store !== undefined) return this.#giveUpWaiting() || this.#host.archive?.giveUpWaiting() === true
    if (group === undefined || group.lastSequence >= firstListed) return this.#host.archive?.giveUpWaiting() === true
    if (this.#host.settings.isEvent && group.untilMs === undefined) {
      this.#isFull = true
      return false
    }
    this.list.removeThrough(group.lastSequence)
    this.#forget(this.#groups.takeOldest()!)
    return true
  }

  /** The playlists of the window have given up everything before this number: the memory is full. */
  removeBefore(sequence: number): void {
    if (this.#host.store !== undefined) return
    this.list.removeThrough(sequence - 1)
    while ((this.#groups.oldest?.lastSequence ?? Infinity) < sequence) this.#forget(this.#groups.takeOldest()!)
  }

  /** `uri`: what follows the folder in its path. */
  file(uri: string): KeptMedia | undefined {
    const held = this.#held.get(uri)
    if (held !== undefined) return held
    const { store } = this.#host
    return store && storedFile(uri, { table: this.list.table, lives: this.#lives, store })
  }

  /** Another node runs it: it hears of a disk that refuses segments, and what is left to read is read. */
  attach(): void {
    this.#writer.tellAgain()
    this.#goOnRestoring()
  }

  /** Nothing is written any more. */
  close(): void {
    this.#restoration = undefined
    this.#writer.close()
  }

  /** Resolves when all has been written, or the disk refuses it. Never rejects. */
  async settled(): Promise<void> {
    if (this.#host.store !== undefined) await this.#writer.settled()
  }

  #makePlaylists(): LongPlaylists {
    const [list, isIncomplete] = [() => this.#list, () => this.#restoration?.isUnlisted === false]
    return new LongPlaylists({
      get list() {
        return list()
      },
      get isIncomplete() {
        return isIncomplete()
      },
      ...{ history: this.#host, losses: this.#losses },
    })
  }

  #add(life: LongLife, entry: LongEntry, renditions: readonly string[]): void {
    if (this.#lives.at(-1)?.id !== life.id) this.#lives.push({ id: life.id, from: entry.sequence })
    const windowTicks = this.#lengthTicks
    const change: ListChange = (list) => {
      list.append(life, entry, renditions)
      if (windowTicks !== undefined) list.trim(windowTicks, life)
    }
    const first = this.#list.firstSequence ?? entry.sequence
    this.#longest.note(this.#list.ticks + entry.ticks, first, entry.sequence)
    change(this.#list)
    this.#restoration?.noteAdded(change, entry.ticks)
    this.#needs.add(entry)
    if (this.#host.store === undefined) return
    this.#losses.add(entry.sequence, life, change)
    this.#groups.addSegment(periodOf(entry.dateMs), entry.sequence)
    if (this.#restoration?.isOutlived !== true) return
    this.#finishRestoration(undefined)
    this.#host.onRestored()
  }

  async #restoreOlder(restored: Restored): Promise<void> {
    const host = this.#host
    const restoration: ListRestoration = new ListRestoration(restored, {
      nowMs: () => host.nowMs(),
      lengthTicks: () => this.#lengthTicks,
      isWanted: () => this.#restoration === restoration && host.isInUse(),
      onInit: (bytes) => host.onInit(bytes),
      onRange: (range) => host.ranges.restore(range),
      onUnreadable: (error) => host.onUnreadable(error),
    })
    this.#restoration = restoration
    await this.#runRestoration(restoration)
  }

  async #runRestoration(restoration: ListRestoration): Promise<void> {
    const whole = await restoration.run()
    if (this.#restoration !== restoration) return
    if (whole === undefined) {
      this.#isPaused = true
      if (this.#host.isInUse()) this.#goOnRestoring()
      return
    }
    restoration.catchUp()
    this.#finishRestoration(whole)
    this.#host.onRestored()
  }

  #goOnRestoring(): void {
    if (!this.#isPaused || this.#restoration === undefined) return
    this.#isPaused = false
    this.#restored = this.#runRestoration(this.#restoration)
  }

  /** `whole`: undefined if what is there without it is as long as it may be. */
  #finishRestoration(whole: RestoredList | undefined): void {
    this.#restoration = undefined
    if (whole !== undefined) {
      this.#list = whole.list
      this.#losses.restore(whole.floor, whole.before)
      const known = new Set(whole.lives.map(({ id }) => id))
      this.#lives = [...whole.lives, ...this.#lives.filter(({ id }) => !known.has(id))]
      this.#needs.restore(whole.needs)
    }
    this.#groups.noteLast(whole?.lastOf ?? new Map(), this.#untilMs())
    this.#noteUnlisted()
  }

  /** Of the long playlists; undefined: an event keeps everything. */
  get #lengthTicks(): number | undefined {
    const { isEvent, dvrMs, windowMs } = this.#host.settings
    return isEvent ? undefined : Math.max(dvrMs, windowMs) * TICKS_PER_MS
  }

  /** What other processes have left is removed too, when nobody can ask for it any more. */
  async #findPeriods(store: MediaFolder): Promise<void> {
    const found = await readPeriods(store)
    // Playlists that have ended are kept for twice their length.
    this.#groups.addFound(found, this.#untilMs() + this.#host.settings.windowMs)
  }

  #keepInMemory(sequence: number, files: KeptSegment['files']): void {
    const group = this.#groups.add(undefined)
    group.lastSequence = sequence
    for (const { name, media } of files) group.held.set(name, media.hold())
  }

  #write(stored: KeptSegment): void {
    const { entry, life, files } = stored
    const period = periodOf(entry.dateMs)
    const held = files.map((file) => ({ ...file, media: file.media.hold() }))
    const onStored = (): void => {
      this.#losses.noteStored(entry.sequence)
      for (const { name, media } of files) {
        this.#held.delete(name)
        if (media.isInMemory) this.#inMemory.push(media)
      }
      this.#host.archive?.add(life, entry, files)
      this.#inMemory = this.#inMemory.filter(({ isInMemory }) => isInMemory)
    }
    const lines = this.#lines.segment(period, life, entry, this.#losses.floor)
    this.#writer.add({ sequence: entry.sequence, period, files: held, ...lines, onStored })
  }

  /** The oldest segment that waits for the disk is lost: long playlists under other URIs have a gap for it. */
  #giveUpWaiting(): boolean {
    if (this.#host.settings.isEvent) {
      this.#isFull = this.#writer.waiting > 0
      return false
    }
    const job = this.#writer.loseOldest()
    if (job === undefined) return false
    for (const { name } of job.files) this.#held.delete(name)
    const change: ListChange = (list) => list.makeGap(job.sequence)
    change(this.#list)
    this.#losses.lose(job.sequence)
    this.#restoration?.noteChanged(change)
    this.#host.onLost()
    return true
  }

  #noteUnlisted(): void {
    if (this.isRestoring) return
    this.#losses.forgetBefore(this.list.firstSequence)
    this.#groups.noteUnlisted(this.list.firstSequence ?? Infinity, this.#untilMs())
  }

  /** RFC 8216, 6.2.2: the duration of the longest playlist that listed it, and its own. */
  #untilMs(): number {
    const { settings } = this.#host
    const listed = this.#longest.ticksOf((this.list.firstSequence ?? 0) - 1, this.list.ticks)
    const listMs = Math.max(settings.dvrMs, settings.windowMs, listed / TICKS_PER_MS)
    return this.#host.nowMs() + listMs + 60 * MS_PER_SECOND
  }

  #forget({ period, lastSequence, held }: Group): void {
    for (const [name, media] of held) {
      this.#held.delete(name)
      media.release()
    }
    this.list.forgetThrough(lastSequence)
    this.#needs.removeThrough(lastSequence)
    while (this.#lives.length > 1 && this.#lives[1]!.from <= lastSequence + 1) this.#lives.shift()
    if (period === undefined) return
    this.#host.store?.remove(period).catch(() => this.#groups.addFound([period], this.#host.nowMs() + REMOVE_AGAIN_MS))
  }
}
