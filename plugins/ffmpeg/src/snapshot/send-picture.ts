// Answers a request for the picture: RFC 9110 section 13 (conditions), RFC 9111 section 5.2.2 (Cache-Control).
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Picture } from './picture-maker.js'

const RETRY_AFTER_SECONDS = '2'
const TYPES = { jpeg: 'image/jpeg', webp: 'image/webp' } as const

export interface PictureAnswer {
  readonly picture: Picture | undefined
  /** Why there is no picture. */
  readonly lack: string
  /** How long caches may keep it. */
  readonly maxAgeSeconds: number
  /** Only for those who were admitted. */
  readonly isPrivate: boolean
}

/** Returns the bytes of the picture that were sent. */
export function sendPicture(
  request: Pick<IncomingMessage, 'method' | 'headers'>,
  response: ServerResponse,
  { picture, lack, maxAgeSeconds, isPrivate }: PictureAnswer,
): number {
  if (picture === undefined) {
    const text = `There is no picture yet: ${lack}.\n`
    response.writeHead(503, {
      'content-type': 'text/plain; charset=utf-8',
      'content-length': Buffer.byteLength(text),
      'retry-after': RETRY_AFTER_SECONDS,
      'cache-control': 'no-store',
    })
    response.end(request.method === 'HEAD' ? undefined : text)
    return 0
  }
  const shared = {
    etag: picture.etag,
    'last-modified': new Date(picture.atMs).toUTCString(),
    'cache-control': `${isPrivate ? 'private' : 'public'}, max-age=${maxAgeSeconds}`,
  }
  if (hasMatch(request.headers['if-none-match'], picture.etag)) {
    response.writeHead(304, shared)
    response.end()
    return 0
  }
  response.writeHead(200, {
    ...shared,
    'content-type': TYPES[picture.format],
    'content-length': picture.bytes.length,
    'x-content-type-options': 'nosniff',
  })
  if (request.method === 'HEAD') {
    response.end()
    return 0
  }
  response.end(picture.bytes)
  return picture.bytes.length
}

/** A list of tags, weak ones too: they are compared without the mark (section 8.8.3.2). */
function hasMatch(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  const tags = header.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  return tags.includes(etag) || tags.includes('*')
}
