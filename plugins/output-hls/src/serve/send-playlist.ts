// The answer to a request for a playlist: zipped where that is wanted, 304 where the client has this version.
import type { ServerResponse } from 'node:http'
import type { Session } from '@millrace/engine/plugin'
import { matchesTag, prefersGzip } from './content-negotiation.js'
import type { HttpExchange } from './exchange.js'
import type { TextVersion } from './playlist-text.js'

/** RFC 8216, section 4. */
const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl'

export interface SentPlaylist {
  readonly text: TextVersion
  /** The value of Cache-Control. */
  readonly caching: string
  /** Counts the bytes of the body. */
  readonly session: Pick<Session, 'sent'>
}

/** At once, or when a long text has been zipped. Never throws or rejects. */
export function sendPlaylist(
  { request, response }: HttpExchange,
  { text, caching, session }: SentPlaylist,
): void | Promise<void> {
  const isZipped = prefersGzip(headerText(request.headers['accept-encoding']))
  const tag = `"${text.tag}${isZipped ? '-gzip' : ''}"`
  const headers = { ETag: tag, 'Cache-Control': caching, Vary: varyWith(response, 'Accept-Encoding') }
  if (matchesTag(headerText(request.headers['if-none-match']), tag)) {
    response.writeHead(304, headers).end()
    return
  }
  const sendBody = (body: Buffer): void => {
    if (response.destroyed) return
    response.writeHead(200, {
      ...headers,
      'Content-Type': PLAYLIST_TYPE,
      'Content-Length': body.length,
      ...(isZipped ? { 'Content-Encoding': 'gzip' } : {}),
    })
    if (request.method === 'HEAD') return void response.end()
    response.end(body)
    session.sent(body.length)
  }
  const body = isZipped ? text.zip() : text.plain
  if (!(body instanceof Promise)) return sendBody(body)
  // Without memory for it, the connection ends: the player asks again.
  return body.then(sendBody).catch(() => void response.destroy())
}

export function headerText(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.join(', ')
}

/** What the engine has set is kept. */
export function varyWith(response: ServerResponse, name: string): string {
  const before = response.getHeader('Vary')
  return before === undefined ? name : `${String(before)}, ${name}`
}
