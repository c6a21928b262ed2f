// One life of an output's playlists: as long as it lasts, target duration and URIs stay the same. It ends with
// EXT-X-ENDLIST, for good.
import type { LongKind } from '../history/long-uris.js'
import { PlaylistText } from '../serve/playlist-text.js'
import { iframePlaylistUri, renderIframePlaylist } from './render-iframe-playlist.js'
import { type MediaPlaylist, playlistUri, renderMediaPlaylist, segmentUri } from './render-playlist.js'
import {
  LEAST_TARGETS,
  SegmentList,
  type AddedEntry,
  type Entry,
  type Numbers,
  type SegmentMedia,
} from './segment-list.js'
import type { SpliceRanges } from './splice-ranges.js'

/** More than any target duration, so that the number of a life tells it too. */
export const MAX_TARGET_SECONDS = 3600
const LIVES_STEP = 4096
const TICKS_PER_SECOND = 90_000
const TICKS_PER_MS = 90

export interface LifeParts {
  /** How many have ended before it. */
  readonly number: number
  readonly targetSeconds: number
  readonly from: Numbers
  readonly files: Map<string, SegmentMedia>
  /** Tells the texts of this process from those of others. */
  readonly token: string
  /** Tells the URIs of this output from those of others. */
  readonly mark: string
  readonly ranges: Pick<SpliceRanges, 'tags'>
}

interface Listing {
  readonly uri: string
  /** The playlist has media for the entry. */
  has(entry: Entry): boolean
}

export class Life {
  /**
   * In all its URIs. The same after a restart, even if the state folder is lost, as long as no life has ended: players go
   * on with the URIs that they have.
   */
  readonly id: string
  readonly targetSeconds: number
  readonly list: SegmentList
  /** So far, every segment can be decoded without those before it. */
  areIndependent = true
  /** Monotonic time until which its files are kept; undefined while it lasts. */
  endedUntilMs: number | undefined
  readonly #token: string
  readonly #ranges: Pick<SpliceRanges, 'tags'>
  readonly #texts = new Map<string, PlaylistText>()
  /** Sequence numbers with which the playlists that have been asked for begin, by their URIs. */
  readonly #heads = new Map<string, number>()
  /** Of a life that has ended, whatever comes behind it. */
  #lastTags: readonly string[] | undefined
  #version = 0

  /** `number`: how many have ended before it. */
  static idOf({ number, targetSeconds, mark }: Pick<LifeParts, 'number' | 'targetSeconds' | 'mark'>): string {
    return `${(number * LIVES_STEP + targetSeconds).toString(36)}.${mark}`
  }

  constructor({ number, targetSeconds, from, files, token, mark, ranges }: LifeParts) {
    this.id = Life.idOf({ number, targetSeconds, mark })
    this.targetSeconds = targetSeconds
    this.list = new SegmentList(from, files, (rendition, name) => segmentUri(rendition, this.id, name))
    this.#token = token
    this.#ranges = ranges
  }

  get targetTicks(): number {
    return this.targetSeconds * TICKS_PER_SECOND
  }

  append(entry: AddedEntry, window: number, nowMs: number): void {
    for (const { isIndependent } of entry.media.values()) if (!isIndependent) this.areIndependent = false
    this.list.append(entry, nowMs)
    this.list.trim({ window, target: this.targetTicks }, nowMs)
    this.changed()
  }

  /** The next text is another one. */
  changed(): void {
    this.#version++
    this.#texts.clear()
  }

  /** No segment follows. What it has can be downloaded for as long again as its playlist is. */
  end(nowMs: number): void {
    if (this.endedUntilMs !== undefined) return
    this.endedUntilMs = nowMs + (2 * this.list.ticks) / TICKS_PER_MS + 2000 * this.targetSeconds
    const last = this.list.entries.at(-1)
    this.#lastTags = this.#tags(last === undefined ? 0 : last.dateMs + last.ticks / TICKS_PER_MS)
    this.changed()
  }

  /** `uri`: what follows the folder in its path. `current`: names of what is published now. */
  playlist(uri: string, current: readonly string[]): PlaylistText | undefined {
    const renditions = this.endedUntilMs === undefined ? current : this.listed
    const media = renditions.find((name) => playlistUri(name, this.id) === uri)
    if (media !== undefined) return this.text(media)
    const iframes = renditions.find((name) => iframePlaylistUri(name, this.id) === uri)
    return iframes === undefined ? undefined : this.iframeText(iframes)
  }

  /** Names of what it lists. */
  get listed(): readonly string[] {
    return [...new Set(this.list.entries.flatMap(({ media }) => [...media.keys()]))]
  }

  /** Built once per version, and the same for everybody. Undefined before the rendition's first segment. */
  text(rendition: string): PlaylistText | undefined {
    return this.#text(this.#listing('media', rendition), (from) =>
      renderMediaPlaylist({
        ...{ ...from, rendition, areIndependent: this.areIndependent },
        rangeTags: this.#lastTags ?? this.#tags(),
      }),
    )
  }

  /** The same ones in all its playlists, also in those that begin later. */
  #tags(untilMs?: number): readonly string[] {
    return this.#ranges.tags(this.list.entries[0]?.dateMs ?? 0, untilMs)
  }

  /** Undefined before the rendition's first key frame that can be shown alone. */
  iframeText(rendition: string): PlaylistText | undefined {
    return this.#text(this.#listing('iframes', rendition), (from) => renderIframePlaylist({ ...from, rendition }))
  }

  /** The rendition's playlist of this kind has a text, and that begins with no gap. */
  beginsWithMedia(kind: LongKind, rendition: string): boolean {
    const listing = this.#listing(kind, rendition)
    const first = this.#firstOf(listing)
    return first !== undefined && listing.has(this.list.entries[first]!)
  }

  #listing(kind: LongKind, rendition: string): Listing {
    if (kind === 'media') return { uri: playlistUri(rendition, this.id), has: ({ media }) => media.has(rendition) }
    const has: Listing['has'] = ({ media }) => media.get(rendition)?.iframe !== undefined
    return { uri: iframePlaylistUri(rendition, this.id), has }
  }

  #text(
    listing: Listing,
    render: (from: Omit<MediaPlaylist, 'rendition' | 'areIndependent' | 'rangeTags'>) => string,
  ): PlaylistText | undefined {
    const { uri } = listing
    const known = this.#texts.get(uri)
    if (known !== undefined) return known
    const { entries, discontinuitySequence } = this.list
    const first = this.#firstOf(listing)
    if (first === undefined) return undefined
    this.#heads.set(uri, entries[first]!.sequence)
    const tags = entries.slice(0, first).filter(({ isNew }) => isNew).length
    const text = render({
      ...{ life: this.id, targetSeconds: this.targetSeconds, entries: entries.slice(first) },
      ...{ discontinuitySequence: discontinuitySequence + tags, hasEnded: this.endedUntilMs !== undefined },
    })
    const made = new PlaylistText(text, `${this.#token}-${uri}-${this.#version}`)
    this.#texts.set(uri, made)
    return made
  }

  /**
   * Index of the first entry in a playlist: leading gaps are left out, unless that makes it shorter
   * than a live playlist may become.
   */
  #firstOf({ uri, has }: Listing): number | undefined {
    const { entries } = this.list
    const from = this.#heads.get(uri)
    let first = from === undefined ? 0 : Math.max(0, from - (entries[0]?.sequence ?? 0))
    let ticks = entries.slice(first).reduce((sum, each) => sum + each.ticks, 0)
    for (; first < entries.length && !has(entries[first]!); first++) {
      ticks -= entries[first]!.ticks
      if (from !== undefined && ticks < LEAST_TARGETS * this.targetTicks) break
    }
    return first < entries.length ? first : undefined
  }
}
