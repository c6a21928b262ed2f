// Names of what the archive serves, in the folder of the output. They say all that is needed to find it, so nothing has to
// be remembered.
import type { LongKind } from '../history/long-uris.js'
import type { AskedTime } from './time-query.js'

const PLAYLIST = /^([A-Za-z0-9][A-Za-z0-9._-]{0,63})-archive-(\d{1,14})-(\d{1,9})(-iframes)?\.m3u8$/
const SEGMENT = /^archive-(\d{8}T\d{4})-([A-Za-z0-9][A-Za-z0-9._-]{0,110}\.ts)$/
const KEY = /^archive-(\d{8}T\d{4})-([0-9a-f]{16})\.key$/
/** A media playlist in a multivariant one: its rendition, and what tells its life. */
const LISTED = /([A-Za-z0-9][A-Za-z0-9._-]*?)-[0-9a-z]+\.[0-9a-z]+(-iframes)?\.m3u8/g

export interface ArchivedPlaylist extends AskedTime {
  readonly rendition: string
  readonly kind: LongKind
}

export function parsePlaylistName(name: string): ArchivedPlaylist | undefined {
  const [, rendition, start, duration, iframes] = PLAYLIST.exec(name) ?? []
  if (rendition === undefined) return undefined
  const kind = iframes === undefined ? 'media' : 'iframes'
  return { rendition, startMs: Number(start), durationMs: Number(duration), kind }
}

/** `fileName`: of the segment in the folder of its period. */
export function archivedUri(period: string, fileName: string): string {
  return `archive-${period}-${fileName}`
}

/** Where the file is in the archive. */
export function parseSegmentName(name: string): string | undefined {
  const [, period, fileName] = SEGMENT.exec(name) ?? []
  return period === undefined ? undefined : `${period}/${fileName}`
}

export interface ArchivedKey {
  /** Of a segment that needs it. */
  readonly period: string
  readonly id: string
}

export function archivedKeyUri({ period, id }: ArchivedKey): string {
  return `archive-${period}-${id}.key`
}

export function parseKeyName(name: string): ArchivedKey | undefined {
  const [, period, id] = KEY.exec(name) ?? []
  return period === undefined || id === undefined ? undefined : { period, id }
}

/** The multivariant playlist of that time, from one of the live ones. */
export function leadToArchive(multivariant: string, { startMs, durationMs }: AskedTime): string {
  return multivariant.replaceAll(LISTED, (_, rendition: string, iframes: string | undefined) => {
    return `${rendition}-archive-${startMs}-${durationMs}${iframes ?? ''}.m3u8`
  })
}
