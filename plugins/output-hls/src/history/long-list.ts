// The long playlists of an output: everything back to the length of `dvr`, or to the beginning of an event. They go on from
// one life of the playlists to the next, as long as the target duration allows it.
import { DateTags } from '../playlist/date-tags.js'
import { KeyTags } from '../playlist/key-tags.js'
import { iframeLines, IframeTags } from '../playlist/render-iframe-playlist.js'
import { entryLines, PLAYLIST_VERSION } from '../playlist/render-playlist.js'
import type { SpliceRanges } from '../playlist/splice-ranges.js'
import type { Entry, SegmentMedia } from '../playlist/segment-list.js'
import { PlaylistText, type TextVersion } from '../serve/playlist-text.js'
import { ZippedText } from '../serve/zipped-text.js'
import { LongTrack } from './long-track.js'
import { longUri, type LongKind } from './long-uris.js'
import { SegmentTable } from './segment-table.js'

/** A segment as the list takes it: from the publisher, or from the index of the last process. */
export interface LongEntry extends Omit<Entry, 'media'> {
  /** Number of its discontinuity, its own tag included. */
  readonly discontinuity: number
  /** By rendition: everything that playlists say of it. */
  readonly media: ReadonlyMap<string, LongMedia>
}

interface LongMedia extends Omit<SegmentMedia, 'kept'> {
  readonly bytes: number
}

export interface LongLife {
  readonly id: string
  readonly targetSeconds: number
}

export type ListChange = (list: LongList) => void

export interface LongVersion {
  readonly kind: LongKind
  readonly life: LongLife
  readonly hasEnded: boolean
  readonly isEvent: boolean
  readonly ranges?: Pick<SpliceRanges, 'tags'>
}

const TICKS_PER_SECOND = 90_000
const TICKS_PER_MS = 90
/** Rows that are removed in one call, so that a much shorter list does not hold up the rest. */
const MOST_REMOVED = 256
/** Texts of the newest version. */
const MOST_TEXTS = 64
const START_TARGETS = 3
const LEAST_TARGETS = 3

/** The two playlists of a rendition. */
interface Tracks {
  readonly media: LongTrack
  readonly keys: KeyTags
  readonly dates: DateTags
  readonly iframes: LongTrack
  readonly iframeTags: IframeTags
  readonly iframeDates: DateTags
}

export class LongList {
  /** Also of segments that are not listed any more, but can be asked for. */
  readonly table = new SegmentTable()
  readonly #tracks = new Map<string, Tracks>()
  /** Rows of the table that are not listed. */
  #unlisted = 0
  /** Of the listed rows. */
  #ticks = 0
  #version = 0
  #longestSeconds = 0
  #areIndependent = true
  readonly #texts = new Map<string, TextVersion>()

  get ticks(): number {
    return this.#ticks
  }

  /** Those of the newest segment. */
  get renditions(): readonly string[] {
    return [...this.#tracks.keys()]
  }

  /** Listed segments. */
  get length(): number {
    return this.table.length - this.#unlisted
  }

  /** Sequence number of the first one; undefined if there is none. */
  get firstSequence(): number | undefined {
    return this.length === 0 ? undefined : this.table.sequenceAt(this.#unlisted)
  }

  /** Unix time of the first one; Infinity if there is none. */
  get firstDateMs(): number {
    return this.length === 0 ? Infinity : this.table.dateMsAt(this.#unlisted)
  }

  get memoryBytes(): number {
    const texts = [...this.#tracks.values()].flatMap(({ media, iframes }) => [media.text, iframes.text])
    return texts.reduce((sum, { memoryBytes }) => sum + memoryBytes, this.table.memoryBytes)
  }

  append(life: LongLife, entry: LongEntry, renditions: readonly string[]): void {
    const { media } = entry
    const seconds = Math.round(entry.ticks / TICKS_PER_SECOND)
    const last = this.table.length === 0 ? undefined : this.table.sequenceAt(this.table.length - 1)
    const isNext = last === undefined || last + 1 === entry.sequence
    // A playlist has one target duration, and numbers without holes.
    if (!isNext || Math.max(seconds, this.#longestSeconds) > life.targetSeconds) this.unlist()
    this.#longestSeconds = Math.max(seconds, this.#longestSeconds)
    for (const { isIndependent } of media.values()) this.#areIndependent &&= isIndependent
    this.table.append(entry)
    this.#ticks += entry.ticks
    for (const name of this.#tracks.keys()) if (!renditions.includes(name)) this.#tracks.delete(name)
    for (const rendition of renditions) this.#appendTo(rendition, life, entry)
    this.#version++
  }

  /** Removes from its head what the window has no room for; at least three target durations stay. */
  trim(windowTicks: number, { targetSeconds }: LongLife): void {
    const least = Math.max(windowTicks, LEAST_TARGETS * targetSeconds * TICKS_PER_SECOND)
    for (let count = 0; count < MOST_REMOVED && this.length > 1; count++) {
      if (this.#ticks - this.table.ticksAt(this.#unlisted) < least) break
      this.#unlistFirst()
    }
    this.#removeUnlisted()
  }

  /** Everything up to this segment leaves the list. */
  removeThrough(sequence: number): void {
    while (this.length > 0 && this.table.sequenceAt(this.#unlisted) <= sequence) this.#unlistFirst()
    this.#removeUnlisted(Infinity)
  }

  /** The files of this segment are not there any more. */
  makeGap(sequence: number): void {
    const index = this.table.findSequence(sequence)
    if (index < 0) return
    this.table.makeGap(index)
    if (index < this.#unlisted) return
    // No playlist begins with a gap.
    if (index === this.#unlisted) return this.removeThrough(sequence)
    for (const { media, iframes } of this.#tracks.values()) {
      media.makeGap(sequence)
      iframes.makeGap(sequence)
    }
    this.#version++
  }

  /** All of it leaves the list; the files can still be asked for. */
  unlist(): void {
    this.#unlisted = this.table.length
    this.#ticks = 0
    this.#longestSeconds = 0
    this.#areIndependent = true
    this.#tracks.clear()
    this.#version++
  }

  /** Segments up to this one cannot be asked for any more. */
  forgetThrough(sequence: number): void {
    while (this.#unlisted > 0 && this.table.sequenceAt(0) <= sequence) {
      this.table.removeFirst()
      this.#unlisted--
    }
  }

  /** Undefined before the rendition has a segment. `tag`: for this version, and no other text. */
  text(rendition: string, version: LongVersion, token: string): TextVersion | undefined {
    const track = this.#tracks.get(rendition)?.[version.kind]
    const index = track === undefined ? -1 : this.table.findSequence(track.sequence)
    const head = index < 0 ? undefined : track?.head(this.table.dateMsAt(index))
    if (track === undefined || head === undefined) return undefined
    const uri = longUri(version.kind, rendition, version.life.id)
    const tag = `${token}-${uri}-${this.#version}${version.hasEnded ? '-end' : ''}`
    const known = this.#texts.get(uri)
    if (known?.tag === tag) return known
    const made = this.#render(track, { head: this.#headOf(version, head), tail: tailOf(version), tag })
    if (this.#texts.size >= MOST_TEXTS) this.#texts.clear()
    this.#texts.set(uri, made)
    return made
  }

  #headOf(
    { kind, life, isEvent, ranges, hasEnded }: LongVersion,
    { sequence, discontinuitySequence, lines }: HeadParts,
  ): string {
    const start = START_TARGETS * life.targetSeconds
    const all = [
      ...['#EXTM3U', `#EXT-X-VERSION:${PLAYLIST_VERSION}`],
      // Behind the version, or Apple's players refuse the playlist. An event is watched from where the player wants.
      ...(isEvent ? [] : [`#EXT-X-START:TIME-OFFSET=-${start}`]),
      ...(this.#areIndependent || kind === 'iframes' ? ['#EXT-X-INDEPENDENT-SEGMENTS'] : []),
      `#EXT-X-TARGETDURATION:${life.targetSeconds}`,
      `#EXT-X-MEDIA-SEQUENCE:${sequence}`,
      `#EXT-X-DISCONTINUITY-SEQUENCE:${discontinuitySequence}`,
      ...(isEvent ? ['#EXT-X-PLAYLIST-TYPE:EVENT'] : []),
      ...(kind === 'iframes'
        ? ['#EXT-X-I-FRAMES-ONLY']
        : (ranges?.tags(this.firstDateMs, hasEnded ? this.#endMs : undefined) ?? [])),
    ]
    return `${all.join('\n')}\n${lines}`
  }

  /** Unix time at which the last one ends. */
  get #endMs(): number {
    const last = this.table.length - 1
    return this.table.dateMsAt(last) + this.table.ticksAt(last) / TICKS_PER_MS
  }

  #render({ text }: LongTrack, { head, tail, tag }: { head: string; tail: string; tag: string }): TextVersion {
    const version = this.#version
    const plain = text.render(head, tail)
    // The next segment changes the blocks that are already zipped.
    const zip = (): Buffer | undefined => (this.#version === version ? text.zip(plain, head, tail) : undefined)
    return new LongVersionText(plain, tag, zip)
  }

  #appendTo(rendition: string, { id: life }: LongLife, entry: LongEntry): void {
    const { media: track, keys, dates, iframes, iframeTags, iframeDates } = this.#tracksOf(rendition)
    const { sequence, name, ticks, isNew, dateMs, discontinuity } = entry
    const media = entry.media.get(rendition)
    const listed = { sequence, name, ticks, isNew, dateMs, discontinuity, media }
    track.append(listed, media !== undefined, textOf(entryLines(listed, { rendition, life, keys, dates })))
    const lines = iframeLines(listed, { rendition, life, dates: iframeDates, tags: iframeTags })
    iframes.append(listed, media?.iframe !== undefined, textOf(lines))
  }

  #tracksOf(rendition: string): Tracks {
    const known = this.#tracks.get(rendition)
    if (known !== undefined) return known
    const ofMedia = { media: new LongTrack(), keys: new KeyTags(), dates: new DateTags() }
    const ofIframes = { iframes: new LongTrack(), iframeTags: new IframeTags(), iframeDates: new DateTags() }
    const made = { ...ofMedia, ...ofIframes }
    this.#tracks.set(rendition, made)
    return made
  }

  #unlistFirst(): void {
    this.#ticks -= this.table.ticksAt(this.#unlisted)
    this.#unlisted++
    this.#version++
  }

  #removeUnlisted(most = MOST_REMOVED): void {
    const first = this.firstSequence ?? Infinity
    for (const { media, iframes } of this.#tracks.values()) {
      media.removeBefore(first, most)
      iframes.removeBefore(first, most)
    }
  }
}

interface HeadParts {
  readonly sequence: number
  readonly discontinuitySequence: number
  readonly lines: string
}

function textOf(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`
}

function tailOf({ hasEnded }: LongVersion): string {
  return hasEnded ? '#EXT-X-ENDLIST\n' : ''
}

/** Zipped when somebody takes it so. */
class LongVersionText implements TextVersion {
  readonly plain: Buffer
  readonly tag: string
  #zipped: Buffer | undefined
  #zippedWhole: ZippedText | undefined
  #rewritten: TextVersion | undefined
  readonly #zip: () => Buffer | undefined

  /** `zip`: from what is already zipped; undefined if that is not there any more. */
  constructor(plain: Buffer, tag: string, zip: () => Buffer | undefined) {
    this.plain = plain
    this.tag = tag
    this.#zip = zip
  }

  zip(): Buffer | Promise<Buffer> {
    if (this.#zippedWhole === undefined) this.#zipped ??= this.#zip()
    if (this.#zipped !== undefined) return this.#zipped
    this.#zippedWhole ??= new ZippedText(this.plain)
    return this.#zippedWhole.get()
  }

  get text(): string {
    return this.plain.toString()
  }

  rewritten(rewrite: (text: string) => string): TextVersion {
    return (this.#rewritten ??= new PlaylistText(rewrite(this.text), `${this.tag}-rewritten`))
  }
}
