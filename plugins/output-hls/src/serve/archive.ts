// Requests for the archive: `?start=...` on the path of the output, the playlists that its answer names, and their segments.
import type { Archive } from '../archive/archive.js'
import type { Asking } from '../archive/archived-playlists.js'
import { parsePlaylistName, parseSegmentName } from '../archive/archive-names.js'
import { asksForTime, parseTimeQuery } from '../archive/time-query.js'
import { leadInto, leadMediaOut } from '../playlist/rewrite-uris.js'
import { type Exchange, respondText } from './exchange.js'
import { leadToGrant } from './lead-to-grant.js'
import { PlaylistText, type TextVersion } from './playlist-text.js'
import { type HandlerParts, MULTIVARIANT, type RequestKind } from './request-kind.js'
import { sendPlaylist } from './send-playlist.js'
import { sendSegment } from './send-segment.js'

const NOTHING = 'the archive has nothing of that time'

export const archiveByTime: RequestKind = {
  has: (name, query) => name === MULTIVARIANT && asksForTime(query),
  answer(exchange, _name, parts) {
    const { presentation, viewers } = parts
    const { archive } = presentation
    // The live stream is not what was asked for.
    if (archive === undefined) return respondText(exchange, 404, 'there is no archive')
    const asked = parseTimeQuery(exchange.visit.query, presentation.wallMs, archive.keepMs)
    if ('refused' in asked) return respondText(exchange, asked.status, asked.refused)
    const session = viewers.begin(exchange)
    if (session === undefined || leadToGrant(exchange, parts)) return undefined
    const text = presentation.archived.multivariant(archive, asked, askingOf(exchange, parts))
    return send(exchange, text, (found) => {
      const { toGrant, grant } = exchange
      const led = toGrant === '' ? found : new PlaylistText(leadInto(found.text, toGrant), `${found.tag}-${grant?.id}`)
      return sendPlaylist(exchange, { text: led, session, caching: 'no-cache' })
    })
  },
}

export const archivedPlaylists: RequestKind = {
  has: (name) => parsePlaylistName(name) !== undefined,
  answer(exchange, name, parts) {
    const { presentation, viewers, settings } = parts
    const { archive } = presentation
    if (archive === undefined) return respondText(exchange, 404, 'no such playlist')
    const session = viewers.begin(exchange)
    if (session === undefined) return undefined
    const text = presentation.archived.media(archive, name, askingOf(exchange, parts))
    return send(exchange, text, (found) => {
      const isLed = settings.isCdn && exchange.toFolder !== ''
      const led = isLed ? found.rewritten(leadMediaOut) : found
      return sendPlaylist(exchange, { text: led, session, caching: 'no-cache' })
    })
  },
}

export const archivedSegments: RequestKind = {
  has: (name) => parseSegmentName(name) !== undefined,
  isOpen: ({ isCdn }) => isCdn,
  async answer(exchange, name, parts) {
    const { presentation, viewers, settings } = parts
    const { hasAuth, isCdn } = settings
    const { archive } = presentation
    const kept = archive && (await find(archive, parseSegmentName(name)!))
    if (exchange.response.destroyed) return
    if (kept === undefined) return respondText(exchange, 404, 'no such segment')
    const session = isCdn ? viewers.sessionOf(exchange) : viewers.follow(exchange)
    if (session === undefined) return
    const { request, response } = exchange
    await sendSegment(request, response, { kept, tag: name, isPrivate: hasAuth && !isCdn, session })
  },
}

function askingOf({ visit }: Exchange, { presentation }: HandlerParts): Asking {
  return { address: visit.address, nowMs: presentation.nowMs }
}

async function find(archive: Archive, path: string): ReturnType<Archive['media']> {
  try {
    return await archive.media(path)
  } catch {
    return undefined
  }
}

async function send(
  exchange: Exchange,
  reading: Promise<TextVersion | undefined> | 'busy',
  answer: (text: TextVersion) => void | Promise<void>,
): Promise<void> {
  if (reading === 'busy') return respondText(exchange, 503, 'too many times of the archive are asked for')
  const text = await reading.catch(() => 'unreadable' as const)
  if (exchange.response.destroyed) return
  if (text === 'unreadable') return respondText(exchange, 503, 'the archive cannot be read')
  if (text === undefined) return respondText(exchange, 404, NOTHING)
  await answer(text)
}
