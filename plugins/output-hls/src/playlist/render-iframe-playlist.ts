// The text of an I-frame playlist: the key frames of a rendition's segments, as byte ranges (RFC 8216, 4.3.3.6). It has an
// entry for each segment, a gap where a segment has no key frame: so its numbers, times and discontinuities are those of
// the media playlist. PAT and PMT are a file of their own, in clear: EXT-X-MAP stands in front of EXT-X-KEY.
import { DateTags } from './date-tags.js'
import { KeyTags } from './key-tags.js'
import type { SegmentKey } from './keys.js'
import {
  durationTag,
  type EntryContext,
  headTags,
  type ListedEntry,
  type MediaPlaylist,
  segmentUri,
} from './render-playlist.js'
import type { Iframe, SegmentMedia } from './segment-list.js'

export function renderIframePlaylist(playlist: Omit<MediaPlaylist, 'areIndependent' | 'rangeTags'>): string {
  const { rendition, life, entries, hasEnded } = playlist
  const lines = [...headTags({ ...playlist, areIndependent: true }), '#EXT-X-I-FRAMES-ONLY']
  const tags = new IframeTags()
  const dates = new DateTags()
  for (const entry of entries) {
    const media = entry.media.get(rendition)
    lines.push(...iframeLines({ ...entry, media }, { rendition, life, dates, tags }))
  }
  if (hasEnded) lines.push('#EXT-X-ENDLIST')
  return `${lines.join('\n')}\n`
}

/** The tags of one playlist that apply until the next one of their kind. */
export class IframeTags {
  readonly #keys: KeyTags
  #init: string | undefined

  constructor(keys = new KeyTags()) {
    this.#keys = keys
  }

  /** The lines in front of a key frame. */
  before({ init }: Iframe, key: SegmentKey | undefined): readonly string[] {
    const map = init === this.#init ? [] : [...this.#keys.before(undefined), `#EXT-X-MAP:URI="${init}"`]
    this.#init = init
    return [...map, ...this.#keys.before(key)]
  }
}

/** What the playlist says of the key frame of one segment. */
export function iframeLines(
  entry: ListedEntry<Pick<SegmentMedia, 'key' | 'iframe'>>,
  { rendition, life, dates, tags }: Omit<EntryContext, 'keys'> & { readonly tags: IframeTags },
): readonly string[] {
  const { iframe, key } = entry.media ?? {}
  const duration = durationTag(entry)
  return [
    ...(entry.isNew ? ['#EXT-X-DISCONTINUITY'] : []),
    ...dates.before(entry),
    ...(iframe === undefined
      ? ['#EXT-X-GAP', duration]
      : [...tags.before(iframe, key), duration, `#EXT-X-BYTERANGE:${iframe.length}@${iframe.offset}`]),
    segmentUri(rendition, life, entry.name),
  ]
}

export function iframePlaylistUri(rendition: string, life: string): string {
  return `${rendition}-${life}-iframes.m3u8`
}
