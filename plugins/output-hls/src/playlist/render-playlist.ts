// The texts of media playlists, RFC 8216 and its successor draft-pantos-hls-rfc8216bis. One EXT-X-VERSION for all playlists of an
// output: 7, that of RFC 8216, which services of CEA-708 need (section 8 of the draft). They may appear at any time, and
// the version of a playlist cannot change.
import { DateTags } from './date-tags.js'
import { KeyTags } from './key-tags.js'
import type { Entry, SegmentMedia } from './segment-list.js'

export const PLAYLIST_VERSION = 7
const TICKS_PER_SECOND = 90_000

export interface MediaPlaylist {
  readonly rendition: string
  readonly life: string
  readonly targetSeconds: number
  readonly entries: readonly Entry[]
  /** Discontinuity sequence of the first of the entries. */
  readonly discontinuitySequence: number
  readonly areIndependent: boolean
  /** EXT-X-DATERANGE. */
  readonly rangeTags: readonly string[]
  readonly hasEnded: boolean
}

export function renderMediaPlaylist(playlist: MediaPlaylist): string {
  const { rendition, life, entries, hasEnded } = playlist
  const lines = [...headTags(playlist), ...playlist.rangeTags]
  const keys = new KeyTags()
  const dates = new DateTags()
  for (const entry of entries) {
    const media = entry.media.get(rendition)
    lines.push(...entryLines({ ...entry, media }, { rendition, life, dates, keys }))
  }
  if (hasEnded) lines.push('#EXT-X-ENDLIST')
  return `${lines.join('\n')}\n`
}

/** What stands in front of the first segment of any media playlist. */
export function headTags({
  targetSeconds,
  entries,
  discontinuitySequence,
  areIndependent,
}: Omit<MediaPlaylist, 'rendition' | 'rangeTags'>): readonly string[] {
  return [
    ...['#EXTM3U', `#EXT-X-VERSION:${PLAYLIST_VERSION}`, `#EXT-X-TARGETDURATION:${targetSeconds}`],
    `#EXT-X-MEDIA-SEQUENCE:${entries[0]?.sequence ?? 0}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${discontinuitySequence}`,
    ...(areIndependent ? ['#EXT-X-INDEPENDENT-SEGMENTS'] : []),
  ]
}

export function durationTag({ ticks }: Pick<Entry, 'ticks'>): string {
  return `#EXTINF:${seconds(ticks)},`
}

/** A segment in the playlist of one rendition. */
export interface ListedEntry<Media> extends Omit<Entry, 'media'> {
  /** Undefined: a gap. */
  readonly media: Media | undefined
}

export interface EntryContext {
  readonly rendition: string
  readonly life: string
  /** Of this playlist, as are the keys. */
  readonly dates: DateTags
  readonly keys: KeyTags
}

/** What a playlist says of one segment. */
export function entryLines(
  entry: ListedEntry<Pick<SegmentMedia, 'key'>>,
  { rendition, life, dates, keys }: EntryContext,
): readonly string[] {
  const { media } = entry
  return [
    ...(entry.isNew ? ['#EXT-X-DISCONTINUITY'] : []),
    ...dates.before(entry),
    ...(media === undefined ? ['#EXT-X-GAP'] : keys.before(media.key)),
    ...[durationTag(entry), segmentUri(rendition, life, entry.name)],
  ]
}

export function playlistUri(rendition: string, life: string): string {
  return `${rendition}-${life}.m3u8`
}

export function segmentUri(rendition: string, life: string, name: string): string {
  return `${rendition}-${life}-${name}.ts`
}

/** Exact to the tick: 1/90000 s is 0.0000111. */
function seconds(ticks: number): string {
  return (ticks / TICKS_PER_SECOND).toFixed(6).replace(/0{1,5}$/, '')
}
