// Requests for playlists: a viewer's session begins with them. Before the first segment is complete, they wait for it.
import type { Session } from '@millrace/engine/plugin'
import { type Exchange, respondText } from './exchange.js'
import { leadToGrant } from './lead-to-grant.js'
import { PlaylistText, type TextVersion } from './playlist-text.js'
import { type HandlerParts, isEntrance, MULTIVARIANT, type RequestKind } from './request-kind.js'
import { leadInto, leadMediaOut } from '../playlist/rewrite-uris.js'
import { sendPlaylist } from './send-playlist.js'

const SUFFIX = '.m3u8'
/** `cdn`: how long a shared cache may keep a playlist, as a share of the target duration. */
const CDN_SHARE = 0.5
const REVALIDATE = 'no-cache'

export const playlists: RequestKind = {
  has: (name) => name.endsWith(SUFFIX),
  answer(exchange, name, parts) {
    const { presentation } = parts
    const find = (): TextVersion | undefined =>
      name === MULTIVARIANT ? presentation.multivariant() : presentation.playlist(name)
    if (isEntrance(name)) {
      if (name !== MULTIVARIANT && !presentation.expects(name)) return respondText(exchange, 404, 'no such playlist')
      const session = parts.viewers.begin(exchange)
      if (session === undefined || leadToGrant(exchange, parts)) return undefined
      const text = (): TextVersion | undefined => multivariantFor(exchange, find())
      return sendWhenReady(exchange, parts, { session, find: text, isComing: () => true })
    }
    const media = (): TextVersion | undefined => mediaFor(exchange, parts, find())
    if (find() === undefined && !presentation.expects(name)) return respondText(exchange, 404, 'no such playlist')
    const session = parts.viewers.begin(exchange)
    const isComing = (): boolean => presentation.expects(name)
    return session === undefined ? undefined : sendWhenReady(exchange, parts, { session, find: media, isComing })
  },
}

/** Where no redirect leads into the folder of the grant, the URIs do. */
function multivariantFor({ grant, toGrant }: Exchange, text: TextVersion | undefined): TextVersion | undefined {
  if (grant === undefined || toGrant === '' || text === undefined) return text
  return new PlaylistText(leadInto(text.text, toGrant), `${text.tag}-${grant.id}`)
}

/** With `cdn`, media lies beside the folders of grants, where its URIs are the same for everybody. */
function mediaFor({ toFolder }: Exchange, { settings }: HandlerParts, text: TextVersion | undefined) {
  return settings.isCdn && toFolder !== '' ? text?.rewritten(leadMediaOut) : text
}

interface Wanted {
  readonly session: Session
  find(): TextVersion | undefined
  /** It is not there, but may come. */
  isComing(): boolean
}

/** Sends the playlist that `find` finds, at once or when it is there. */
function sendWhenReady(exchange: Exchange, parts: HandlerParts, { session, find, isComing }: Wanted): void {
  const text = find()
  if (text !== undefined) return send(exchange, parts, { text, session })
  const busy = session.busy()
  const wait = { leave: (): void => undefined }
  const onClose = (): void => {
    wait.leave()
    busy[Symbol.dispose]()
  }
  exchange.response.once('close', onClose)
  // It may go on at once.
  wait.leave = parts.waiting.wait(parts.settings.waitForMs, {
    address: exchange.visit.address,
    isReady: () => find() !== undefined || !isComing(),
    go: () => {
      exchange.response.off('close', onClose)
      busy[Symbol.dispose]()
      afterWait(exchange, parts, { text: find(), session })
    },
  })
}

function afterWait(
  exchange: Exchange,
  parts: HandlerParts,
  { text, session }: { readonly text: TextVersion | undefined; readonly session: Session },
): void {
  if (exchange.response.destroyed || exchange.response.writableEnded) return
  if (text !== undefined) return send(exchange, parts, { text, session })
  const { offlineStatus } = parts.settings
  session.end('offline', offlineStatus)
  respondText(exchange, offlineStatus, parts.whyOffline())
}

function send(
  exchange: Exchange,
  parts: HandlerParts,
  { text, session }: { readonly text: TextVersion; readonly session: Session },
): void {
  void sendPlaylist(exchange, { text, session, caching: cachingOf(exchange, parts) })
}

/** A shared cache may keep only what the URI alone leads to. */
function cachingOf({ grant, toGrant }: Exchange, { settings, presentation }: HandlerParts): string {
  if (!settings.isCdn) return REVALIDATE
  if (settings.hasAuth && (grant === undefined || toGrant !== '')) return `private, ${REVALIDATE}`
  const seconds = Math.floor((presentation.life?.targetSeconds ?? 0) * CDN_SHARE)
  return seconds > 0 ? `public, max-age=${seconds}` : REVALIDATE
}
