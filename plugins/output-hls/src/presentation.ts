// What an output shows: its renditions, the lives of its playlists, and their segments. It outlives the node: a reload
// hands it to the next one. Chunks and the time go in, texts and files come out.
import type { AnyChunk } from '@millrace/engine/plugin'
import type { Archive } from './archive/archive.js'
import type { ArchivedKey } from './archive/archive-names.js'
import { ArchivedKeys } from './archive/archived-keys.js'
import { ArchivedPlaylists } from './archive/archived-playlists.js'
import { CutPlanner } from './playlist/cut-planner.js'
import type { SavedKeys } from './playlist/keys.js'
import { DVR, longUri, splitLongUri } from './history/long-uris.js'
import type { Life } from './playlist/life.js'
import type { CutRules } from './playlist/planned-segment.js'
import { playlistUri } from './playlist/render-playlist.js'
import type { SegmentMedia } from './playlist/segment-list.js'
import type { StartNumbers } from './playlist/start-numbers.js'
import { Lives } from './presentation/lives.js'
import { watchOutage } from './presentation/outage-watch.js'
import type { PresentationHost } from './presentation/presentation-host.js'
import { PresentationState, type PresentationCounters } from './presentation/presentation-state.js'
import { Publisher } from './presentation/publisher.js'
import { cutRules } from './presentation/target-duration.js'
import { isOfRendition } from './audio-rendition.js'
import { Rendition } from './rendition.js'
import type { Restored } from './history/restored.js'
import type { TextVersion } from './serve/playlist-text.js'

/** Of all renditions, an unfinished segment may take this share of the memory. */
const UNFINISHED_SHARE = 0.5
/** And have so many places to cut: 100 s of 200 pictures a second. */
const MOST_UNITS = 20_000
/** A segment that has been downloaded is not played later than that. */
const KEYS_FOR_WINDOWS = 2

export class Presentation {
  readonly #state: PresentationState
  readonly #lives: Lives
  readonly #publisher: Publisher
  readonly archived = new ArchivedPlaylists()
  readonly #archivedKeys = new ArchivedKeys()
  readonly #startMs: number
  #planner: CutPlanner | undefined
  #isFree = true

  constructor(host: PresentationHost, numbers: StartNumbers, savedKeys: SavedKeys | undefined, restored?: Restored) {
    this.#startMs = host.nowMs()
    this.#state = new PresentationState(host, savedKeys)
    this.#lives = new Lives(this.#state, numbers)
    this.#publisher = new Publisher(this.#state, this.#lives)
    this.#state.onRestored = () => this.#onRestored()
    if (restored !== undefined) this.#restore(restored)
  }

  get life(): Life | undefined {
    return this.#lives.life
  }

  get archive(): Archive | undefined {
    return this.#state.archive
  }

  /** Monotonic. */
  get nowMs(): number {
    return this.#state.host.nowMs()
  }

  /** The Unix time, milliseconds. */
  get wallMs(): number {
    const { host } = this.#state
    return host.wallMs(host.nowMs())
  }

  get renditions(): readonly Rendition[] {
    return this.#state.renditions
  }

  get counters(): Readonly<PresentationCounters> {
    return this.#state.counters
  }

  get memoryBytes(): number {
    return this.#publisher.memoryBytes
  }

  get longestGopSeconds(): number {
    return this.#publisher.longestGopSeconds
  }

  get losses(): number {
    return this.renditions.reduce((sum, { collector }) => sum + collector.losses, 0)
  }

  /**
   * With `slicing: aligned`: the playlists are not yet as long as those of an origin that has run on, so their first
   * number is a later one.
   */
  get isShort(): boolean {
    return this.#lives.slots !== undefined && this.life?.list.hasFilled !== true
  }

  /** Older segments of the last process are being read: long playlists and their files wait for that. */
  get isRestoring(): boolean {
    return this.#state.history.isRestoring
  }

  /** Resolves when they are read, or no node runs it. Never rejects. */
  get restored(): Promise<void> {
    return this.#state.history.restored
  }

  /** No node runs it. */
  get isFree(): boolean {
    return this.#isFree
  }

  /** From now on this node runs it, with these renditions; those of `isNew` read another stream than before. */
  attach(host: PresentationHost, names: readonly string[], isNew: (name: string) => boolean): void {
    const { store, settings } = this.#state.host
    // What is elsewhere, or of another type, has playlists of its own.
    if (store?.path !== host.store?.path || settings.isEvent !== host.settings.isEvent) this.#beginAnew()
    this.#state.host = host
    this.#publisher.goOnEncrypting()
    this.#isFree = false
    this.#state.releasedMs = undefined
    this.#state.followArchive()
    this.#state.history.attach()
    this.archive?.tellAgain()
    const { targetDuration } = host.settings
    if (this.life !== undefined && targetDuration !== undefined && targetDuration !== this.life.targetSeconds) {
      this.endLife()
    }
    this.#followSlicing()
    const before = this.renditions
    const areSame = before.length === names.length && names.every((name, index) => before[index]?.name === name)
    if (!areSame) this.#setRenditions(names)
    if (before.length === 0) return
    for (const { name, collector } of this.renditions) if (isNew(name)) collector.expectNew()
  }

  push(index: number, chunk: AnyChunk): void {
    const rendition = this.renditions[index]
    if (rendition === undefined) return
    const { host, splices } = this.#state
    const nowMs = host.nowMs()
    rendition.collector.push(chunk, nowMs)
    if (!splices.push(rendition, chunk, this.renditions)) this.#state.warn('splice', { rendition: rendition.name })
    this.#planner?.advance(nowMs)
    this.#boundUnfinished(host.settings.memoryBytes * UNFINISHED_SHARE)
  }

  /** Call it a few times a second. */
  tick(): void {
    const nowMs = this.#state.host.nowMs()
    this.#followSlicing()
    this.archive?.tick()
    const planner = this.#planner
    planner?.advance(nowMs)
    const { life } = this
    const { isFull } = this.#state.history
    if (life === undefined || planner === undefined) this.#lives.expire(nowMs)
    else if (isFull || !watchOutage(this.#state, this.#publisher, { life, planner })) {
      planner.finish(nowMs)
      // The last segment: it is listed first, without holding up the rest.
      if (!this.#publisher.isEncrypting) this.endLife()
    }
    this.#lives.expire(nowMs)
  }

  /** The streams have ended. What is left is published; the playlists stay open, since the stream may come back. */
  finish(): void {
    this.#planner?.finish(this.#state.host.nowMs())
  }

  /** This node has stopped. If it has run it, the next one can. */
  release(host: PresentationHost): void {
    if (!this.isRunBy(host)) return
    this.#isFree = true
    this.#state.releasedMs = host.nowMs()
  }

  /** This node runs it, or was the last to do so. */
  isRunBy(host: PresentationHost): boolean {
    return this.#state.host === host
  }

  /** The playlists end; what comes after them has other URIs. */
  endLife(): void {
    this.#publisher.settle()
    if (!this.#lives.end()) return
    // An event that is over can be watched until another begins.
    if (!this.#state.host.settings.isEvent) this.#publisher.multivariant.clear()
    this.#state.forgetWarnings()
    this.#planner?.restart()
  }

  /** Numbers for a process that goes on with them. */
  saveNumbers(): void {
    this.#state.host.save(this.#lives.numbers.exact)
  }

  /** Resolves when all that has come is listed: the last segment may still have to be encrypted. Never rejects. */
  async listed(): Promise<void> {
    await this.#publisher.settled()
  }

  /** Resolves when everything is on the disk, or the disk refuses it. Never rejects. */
  async settled(): Promise<void> {
    await this.listed()
    await this.#state.history.settled()
    await this.#state.archive?.settled()
  }

  /** Undefined before the first segment is complete. */
  multivariant(): TextVersion | undefined {
    return this.#publisher.multivariant.text
  }

  /** `name`: what follows the folder in its path. */
  playlist(name: string): TextVersion | undefined {
    if (name === DVR) return this.#publisher.multivariant.dvrText
    return this.#lives.playlist(name)
  }

  /** Where a rendition lists more than the window. Undefined: nowhere. */
  longUri(kind: 'media' | 'iframes', rendition: string): string | undefined {
    const { life } = this
    return life && this.#state.history.playlists.uri(kind, rendition, life.id)
  }

  file(name: string): SegmentMedia | undefined {
    return this.#lives.file(name)
  }

  /** The bytes of a key that a segment needs. `id`: as playlists name it. */
  key(id: string): Uint8Array | undefined {
    const { host, keys } = this.#state
    // As long as players may still hold segments of the process before.
    const hasRestarted = host.nowMs() - this.#startMs < KEYS_FOR_WINDOWS * host.settings.windowMs
    return keys.find(id, hasRestarted)
  }

  /** The bytes of a key that a segment of the archive needs. `busy`: too many ask. Rejects as the disk does. */
  archivedKey(asked: ArchivedKey, address: string): Promise<Uint8Array | undefined> | 'busy' {
    const { archive } = this
    const found = archive === undefined ? Promise.resolve(false) : this.#archivedKeys.has(archive, asked, address)
    if (found === 'busy') return found
    return found.then((isNeeded) => (isNeeded ? this.#state.keys.aes(asked.id).key : undefined))
  }

  /** PAT and PMT, the initialisation section of I-frame playlists. */
  init(name: string): Uint8Array | undefined {
    return this.#state.inits.get(name) ?? this.archive?.init(name)
  }

  /** A playlist of this name may come: the first segment is not complete. */
  expects(name: string): boolean {
    const { life } = this
    const { names, host } = this.#state
    if (name === DVR || name.endsWith(`-${DVR}`)) {
      if (host.settings.dvrMs === 0 || host.settings.isEvent) return false
      if (name === DVR) return true
    }
    // Before the node is connected, any may come.
    if (names.length === 0) return true
    if (life !== undefined && this.#state.history.playlists.isComing(name, life.id)) return true
    return names.some((each) =>
      life === undefined
        ? isOfRendition(name, each)
        : name === playlistUri(each, life.id) || splitLongUri(name).base === longUri('media', each, life.id),
    )
  }

  #beginAnew(): void {
    this.endLife()
    this.#publisher.multivariant.clear()
    this.#state.beginHistory()
  }

  /** What the last process listed is listed again. */
  #restore(restored: Restored): void {
    for (const bytes of restored.inits) this.#state.inits.restore(bytes)
    for (const range of restored.ranges) this.#state.splices.ranges.restore(range)
    this.#state.splices.ranges.show()
    this.#state.history.restore(restored)
    const { multivariant, newest: used } = restored
    const last = this.#lives.restore(restored)
    if (last === undefined && used !== undefined) {
      this.#lives.numbers.skip({ media: used.sequence, discontinuity: used.discontinuity })
    }
    if (last !== undefined) this.#publisher.goOnFrom(last)
    const isOver = this.#state.host.settings.isEvent && this.#state.history.list.length > 0
    if (multivariant !== undefined && (last !== undefined || isOver))
      this.#publisher.multivariant.restore(multivariant, last?.life)
  }

  #onRestored(): void {
    this.#state.splices.ranges.show()
    this.#lives.life?.changed()
    this.#lives.onRestored()
    this.#state.host.onPublished()
  }

  /** The rendition that holds the most begins anew. */
  #boundUnfinished(limitBytes: number): void {
    let [bytes, most] = [0, 0]
    for (const { collector } of this.renditions) {
      bytes += collector.bufferedBytes
      most = Math.max(most, collector.bufferedBytes)
    }
    const crowded = this.renditions.find(({ collector }) => collector.units.length > MOST_UNITS)
    if (bytes <= limitBytes && crowded === undefined) return
    this.#state.counters.withoutMemory++
    this.#state.warn('memory', { bytes })
    const fullest = crowded ?? this.renditions.find(({ collector }) => collector.bufferedBytes === most)
    fullest?.collector.requirePoint()
    fullest?.collector.drop(fullest.collector.end)
    fullest?.skip()
    this.#planner?.restart()
  }

  /** With other numbers, other playlists. */
  #followSlicing(): void {
    if (this.#lives.hasSlicing) return
    this.endLife()
    this.#lives.setSlicing()
    this.#planner?.restart()
  }

  #setRenditions(names: readonly string[]): void {
    // It is one of the renditions before.
    this.#publisher.settle()
    const before = this.renditions
    this.#state.renditions = names.map((name) => before.find((each) => each.name === name) ?? new Rendition(name))
    const lives = this.#lives
    for (const rendition of this.renditions) rendition.restoreAudio(lives.life?.listed ?? [])
    const rules = (): CutRules => cutRules(this.#state.host.settings, lives.numbers, this)
    this.#planner = new CutPlanner(
      this.renditions.map(({ collector }) => collector),
      {
        get rules() {
          return rules()
        },
        get slots() {
          return lives.slots
        },
        spliceAfter: (start90k) => this.#state.splices.ranges.ticksAfter(start90k),
        wallMs: (monotonicMs) => this.#state.host.wallMs(monotonicMs),
        segment: (planned) => this.#publisher.segment(planned),
        leftOut: () => {
          for (const each of this.renditions.flatMap((rendition) => [rendition, ...rendition.furtherAudio])) each.skip()
        },
        gap: (ticks, slot) => this.#publisher.gap(ticks, slot),
      },
      true,
    )
  }
}
