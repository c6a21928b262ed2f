// The answer to a request for a segment: whole or a range, from the memory in which it is kept. A segment never changes.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { KeptMedia, Session } from '@millrace/engine/plugin'
import { parseRange } from './byte-range.js'
import { matchesTag } from './content-negotiation.js'
import { headerText } from './send-playlist.js'

const SEGMENT_TYPE = 'video/mp2t'
const A_YEAR = 31_536_000

export type SentMedia = Pick<KeptMedia, 'length' | 'sendTo'>

export interface SentSegment {
  readonly kept: SentMedia
  /** Without quotes; no other segment ever has it. */
  readonly tag: string
  /** Only this viewer may keep a copy. */
  readonly isPrivate: boolean
  readonly session: Session
}

/** Resolves when it is on its way, or the client has gone. */
export async function sendSegment(
  request: IncomingMessage,
  response: ServerResponse,
  { kept, tag: name, isPrivate, session }: SentSegment,
): Promise<void> {
  const tag = `"${name}"`
  const cache = `${isPrivate ? 'private' : 'public'}, max-age=${A_YEAR}, immutable`
  const headers = { 'Accept-Ranges': 'bytes', ETag: tag, 'Cache-Control': cache }
  if (matchesTag(headerText(request.headers['if-none-match']), tag)) {
    response.writeHead(304, headers).end()
    return
  }
  const { length } = kept
  const range = rangeOf(request, tag, length)
  if (range === 'unsatisfiable') {
    response.writeHead(416, { 'Content-Range': `bytes */${length}`, 'Content-Length': 0, 'Cache-Control': 'no-store' })
    response.end()
    return
  }
  const { from, to } = range ?? { from: 0, to: length }
  const onStart = (): void => {
    response.writeHead(range === undefined ? 200 : 206, {
      ...headers,
      'Content-Type': SEGMENT_TYPE,
      'Content-Length': to - from,
      ...(range === undefined ? {} : { 'Content-Range': `bytes ${from}-${to - 1}/${length}` }),
    })
  }
  if (request.method === 'HEAD') {
    onStart()
    response.end()
    return
  }
  if (await kept.sendTo(response, { session, from, to, onStart, ends: true })) {
    if (!response.writableEnded) response.end()
  } else if (response.headersSent) response.destroy()
  else if (!response.destroyed) respondMissing(response)
}

/** Its file has vanished from the disk, or cannot be read. */
function respondMissing(response: ServerResponse): void {
  response.writeHead(404, { 'Content-Length': 0, 'Cache-Control': 'no-store' })
  response.end()
}

/** RFC 9110: Range means something for GET alone (14.2), and with If-Range only for that version (13.1.5). */
function rangeOf(request: IncomingMessage, tag: string, length: number): ReturnType<typeof parseRange> {
  const condition = headerText(request.headers['if-range'])
  if (request.method !== 'GET' || (condition !== undefined && condition.trim() !== tag)) return undefined
  return parseRange(headerText(request.headers.range), length)
}
