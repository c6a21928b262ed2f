// What the server says about the channel, in the text of the page.
import type { StreamTrack } from './formats.js'

export interface PageSettings {
  readonly title: string
  /** Of the multivariant playlist, relative to the page. */
  readonly playlist: string
  /** What the page plays: the same, or the one of the long playlists. */
  readonly source: string
  /** Relative to the folder of the page's files. */
  readonly poster: string | null
  readonly logo: PageLogo | null
  /** Of the stream at the time when the page was sent; empty if there was none. */
  readonly tracks: readonly StreamTrack[]
  /** The same channel in other formats. */
  readonly links: readonly PageLink[]
}

interface PageLogo {
  readonly image: string
  readonly link: string | null
  readonly position: string
}

interface PageLink {
  readonly label: string
  /** Relative to the page. */
  readonly href: string
}

export function readSettings(page: Document): PageSettings {
  return JSON.parse(page.getElementById('settings')?.textContent ?? '{}') as PageSettings
}

/** The page again, as the server sends it now: the stream may have come, or changed. */
export async function reloadSettings(): Promise<PageSettings | undefined> {
  try {
    const response = await fetch(location.href, { cache: 'no-cache' })
    if (!response.ok) return undefined
    return readSettings(new DOMParser().parseFromString(await response.text(), 'text/html'))
  } catch {
    return undefined
  }
}

/** An absolute URL with the query of the page, which may hold the token that lets the viewer in. */
export function urlWithToken(relative: string): string {
  const url = new URL(relative, location.href)
  url.search = location.search
  return url.href
}
