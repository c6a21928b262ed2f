// The answers to requests for the page and its files.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { matchesTag, prefersGzip } from '../content-negotiation.js'
import type { PlaylistText } from '../playlist-text.js'
import { headerText, varyWith } from '../send-playlist.js'
import type { PageFile } from './page-files.js'

const A_YEAR = 31_536_000
/** Of a file that somebody opens by itself: an image in SVG could have scripts. */
const FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

/** Resolves when it is on its way. */
export async function sendPageText(
  request: IncomingMessage,
  response: ServerResponse,
  { text, policy }: { readonly text: PlaylistText; readonly policy: string },
): Promise<void> {
  const isZipped = prefersGzip(headerText(request.headers['accept-encoding']))
  send(request, response, {
    type: 'text/html; charset=utf-8',
    tag: `"${text.tag}${isZipped ? '-gzip' : ''}"`,
    cache: 'no-cache',
    body: isZipped ? await text.zip() : text.plain,
    isZipped,
    // The address of the page can have a token, which no other site may see.
    more: { 'Content-Security-Policy': policy, 'Referrer-Policy': 'no-referrer' },
  })
}

/** `tag`: no other file ever has it. Resolves when it is on its way. */
export async function sendPageFile(
  request: IncomingMessage,
  response: ServerResponse,
  { file, tag }: { readonly file: PageFile; readonly tag: string },
): Promise<void> {
  const zipped = prefersGzip(headerText(request.headers['accept-encoding'])) ? await file.zipped : undefined
  send(request, response, {
    type: file.type,
    tag: `"${tag}${zipped === undefined ? '' : '-gzip'}"`,
    cache: `public, max-age=${A_YEAR}, immutable`,
    body: zipped ?? file.bytes,
    isZipped: zipped !== undefined,
    more: file.type === 'image/svg+xml' ? { 'Content-Security-Policy': FILE_POLICY } : {},
  })
}

interface Sent {
  readonly type: string
  /** With its quotes. */
  readonly tag: string
  readonly cache: string
  readonly body: Buffer
  readonly isZipped: boolean
  readonly more: Readonly<Record<string, string>>
}

function send(request: IncomingMessage, response: ServerResponse, sent: Sent): void {
  const { type, tag, cache, body, isZipped, more } = sent
  const headers = { ETag: tag, 'Cache-Control': cache, Vary: varyWith(response, 'Accept-Encoding'), ...more }
  if (matchesTag(headerText(request.headers['if-none-match']), tag)) {
    response.writeHead(304, headers).end()
    return
  }
  response.writeHead(200, {
    ...headers,
    'Content-Type': type,
    'Content-Length': body.length,
    'X-Content-Type-Options': 'nosniff',
    ...(isZipped ? { 'Content-Encoding': 'gzip' } : {}),
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}
