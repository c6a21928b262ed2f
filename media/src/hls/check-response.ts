// What the responses say that bring playlists and segments.
import type { Finding } from './finding.js'

/** Names in lower case, as `Headers` of fetch answers them. */
export interface ResponseFacts {
  readonly url: string
  readonly status: number
  header(name: string): string | undefined
}

export interface PlaylistResponse extends ResponseFacts {
  /** The request accepted gzip. */
  readonly acceptedGzip: boolean
  readonly isUtf8: boolean
  /** Of a live media playlist. */
  readonly liveTargetSeconds: number | undefined
  readonly textLength: number
}

const APPLE_TYPE = 'application/vnd.apple.mpegurl'
const TYPES = [APPLE_TYPE, 'audio/mpegurl', 'audio/x-mpegurl', 'application/x-mpegurl']
/** A text that fits into one datagram is not worth zipping. */
const MIN_ZIPPED_LENGTH = 1000
const CACHED_TARGETS = 0.5

export function checkPlaylistResponse(response: PlaylistResponse): readonly Finding[] {
  const { isUtf8, liveTargetSeconds: target } = response
  const ageSeconds = maxAgeOf(response.header('cache-control') ?? '')
  const isStale = target !== undefined && ageSeconds !== undefined && ageSeconds > CACHED_TARGETS * target
  return [
    ...checkType(response),
    ...(isUtf8 ? [] : [{ rule: 'text-encoding', seen: 'bytes that are no UTF-8' } as const]),
    ...checkCoding(response),
    ...(isStale
      ? [{ rule: 'cached-too-long', seen: `max-age=${ageSeconds} at a target of ${target} s` } as const]
      : []),
  ]
}

function checkType({ url, header }: PlaylistResponse): readonly Finding[] {
  const type = (header('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const isNamed = /\.m3u8?$/i.test(pathOf(url))
  const seen = type === '' ? 'no Content-Type' : type
  if (!isNamed && !TYPES.includes(type)) return [{ rule: 'content-type', seen }]
  return type === APPLE_TYPE ? [] : [{ rule: 'content-type-apple', seen }]
}

function checkCoding({ header, acceptedGzip, textLength }: PlaylistResponse): readonly Finding[] {
  const isZipped = (header('content-encoding') ?? 'identity') !== 'identity'
  if (!acceptedGzip || isZipped || textLength < MIN_ZIPPED_LENGTH) return []
  return [{ rule: 'not-zipped', seen: `${textLength} characters without Content-Encoding` }]
}

export function checkSegmentResponse(response: ResponseFacts): readonly Finding[] {
  const { status } = response
  if (status < 200 || status > 299) return [{ rule: 'segment-not-served', seen: `status ${status}` }]
  if (response.header('content-length') !== undefined) return []
  return [{ rule: 'segment-no-length', seen: 'no Content-Length' }]
}

export function checkTls(url: string): readonly Finding[] {
  return url.startsWith('http:') ? [{ rule: 'no-tls', seen: 'http' }] : []
}

function pathOf(url: string): string {
  return url.split(/[?#]/, 1)[0] ?? url
}

/** Seconds for which a cache may answer without asking; undefined if it may not, or nothing is said. */
function maxAgeOf(cacheControl: string): number | undefined {
  if (/\bno-(store|cache)\b/i.test(cacheControl)) return undefined
  const found = /\b(?:s-maxage|max-age)\s*=\s*"?(\d{1,10})/i.exec(cacheControl)
  return found === null ? undefined : Number(found[1])
}
