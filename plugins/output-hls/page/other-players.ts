// Links to the channel for other players.
import { findElement } from './find-element.js'
import { type PageSettings, urlWithToken } from './page-settings.js'

export function addLinks({ title, playlist, links }: PageSettings): void {
  const nav = findElement('links', HTMLElement)
  const hls = { label: 'HLS', href: urlWithToken(playlist) }
  const others = links.map(({ label, href }) => ({ label, href: urlWithToken(href) }))
  for (const { label, href } of [hls, ...others]) nav.append(makeLink(label, href))
  // A transport stream starts sooner in VLC than segments do.
  nav.append(vlcLink(title, (others[0] ?? hls).href))
}

function makeLink(label: string, href: string): HTMLAnchorElement {
  const link = document.createElement('a')
  link.textContent = label
  link.href = href
  return link
}

/** Phones know the scheme `vlc:`; on a desk, VLC opens files with a list of addresses. */
function vlcLink(title: string, url: string): HTMLAnchorElement {
  if (/android|iphone|ipad/i.test(navigator.userAgent)) return makeLink('Open in VLC', `vlc://${url}`)
  const list = new Blob([`#EXTM3U\n#EXTINF:-1,${title}\n${url}\n`], { type: 'audio/x-mpegurl' })
  const link = makeLink('Open in VLC', URL.createObjectURL(list))
  link.download = `${title.replaceAll(/[^\p{L}\p{N} _-]/gu, '_')}.m3u`
  return link
}
