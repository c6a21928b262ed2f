// Names of the playlists that list everything, and not only the window.
import { iframePlaylistUri } from '../playlist/render-iframe-playlist.js'
import { playlistUri } from '../playlist/render-playlist.js'

/** The multivariant playlist of the long playlists. */
export const DVR = 'dvr.m3u8'
export const LONG_KINDS = ['media', 'iframes'] as const
export type LongKind = (typeof LONG_KINDS)[number]

/** `floor`: of `Losses`. */
export function longUri(kind: LongKind, rendition: string, life: string, floor = 0): string {
  return windowUri(kind, rendition, life).replace(/\.m3u8$/, floor === 0 ? `-${DVR}` : `-${floor}-${DVR}`)
}

/** Of any long playlist: its URI while nothing is lost, and the floor that it names. */
export function splitLongUri(uri: string): { readonly base: string; readonly floor: number } {
  const [named, floor = '0'] = /-(\d{1,15})-dvr\.m3u8$/.exec(uri) ?? []
  return { base: named === undefined ? uri : `${uri.slice(0, -named.length)}-${DVR}`, floor: Number(floor) }
}

/** Of the playlist of the window. */
export function windowUri(kind: LongKind, rendition: string, life: string): string {
  return kind === 'media' ? playlistUri(rendition, life) : iframePlaylistUri(rendition, life)
}
