// URLs of an upstream. The path and the query of a URL are bytes, in whatever charset the server uses: they are asked for
// as they stand, and only what a request line cannot hold is percent-encoded, byte by byte. So RFC 3986 section 5.2 is
// applied to the bytes here; the class URL, which takes text to be UTF-8 and rewrites it, reads the host alone.
import { Buffer } from 'node:buffer'
import { cutText } from '@millrace/engine/plugin'
import { trimBlanks } from './trim-blanks.js'

export interface HttpUrl {
  /** For scheme, host, port and display: without user, password and fragment. */
  readonly url: URL
  /** Path and query, as in the request line. */
  readonly target: string
  /** Of `user:password@host`. */
  readonly login: Login | undefined
}

export interface Login {
  readonly username: string
  readonly password: string
}

// RFC 3986 appendix B.
const REFERENCE = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(\?[^#]*)?(?:#.*)?$/s
const MAX_NAME_LENGTH = 200

/** A URL of the options; undefined if it is none of http or https. */
export function readHttpUrl(text: string): HttpUrl | undefined {
  return resolveHttpUrl(Buffer.from(text, 'utf8').toString('latin1'))
}

/**
 * The URL that a reference means, relative to the URL of the response that holds it; undefined if it is none. `reference`
 * is Latin-1: each character is one byte. A scheme other than http and https is kept in `url`.
 */
export function resolveHttpUrl(reference: string, base?: HttpUrl): HttpUrl | undefined {
  const [, named, authority, path = '', query] = REFERENCE.exec(trimBlanks(reference)) ?? []
  const scheme = (named ?? base?.url.protocol.slice(0, -1) ?? '').toLowerCase()
  if (scheme !== 'http' && scheme !== 'https') return base === undefined ? undefined : foreign(scheme)
  if (authority !== undefined) return build(scheme, authority, targetOf(path, query))
  if (base?.url.protocol !== `${scheme}:`) return undefined
  return build(scheme, base.url.host, relativeTarget(base.target, path, query))
}

/** RFC 3986 section 5.2.2, for a reference without an authority. */
function relativeTarget(base: string, path: string, query: string | undefined): string {
  const at = base.indexOf('?')
  const basePath = at < 0 ? base : base.slice(0, at)
  if (path === '') return targetOf(basePath, query ?? base.slice(basePath.length))
  const folder = path.startsWith('/') ? '' : basePath.slice(0, basePath.lastIndexOf('/') + 1)
  return targetOf(`${folder}${path}`, query)
}

function targetOf(path: string, query = ''): string {
  return `${encode(withoutDots(path))}${encode(query)}`
}

/** A URL that is safe to show: without user, password, and the query, which may hold a token. */
export function showUrl(url: URL): string {
  const query = url.search === '' ? '' : '?...'
  return `${cutText(`${url.protocol}//${url.host}${url.pathname}`, MAX_NAME_LENGTH)}${query}`
}

function build(scheme: string, authority: string, target: string): HttpUrl | undefined {
  const host = `${scheme}://${Buffer.from(authority, 'latin1').toString('utf8')}`
  if (authority === '' || !URL.canParse(`${host}/`)) return undefined
  const { username, password, origin } = new URL(`${host}/`)
  const url = URL.canParse(`${origin}${target}`) ? new URL(`${origin}${target}`) : new URL(origin)
  const login =
    username === '' && password === '' ? undefined : { username: decode(username), password: decode(password) }
  // RFC 7617 section 2. A header with a line end in it would be two.
  if (/\p{Cc}/u.test(`${login?.username ?? ''}${login?.password ?? ''}`)) return undefined
  return { url, target, login }
}

function foreign(scheme: string): HttpUrl | undefined {
  const text = `${scheme}:x`
  return URL.canParse(text) ? { url: new URL(text), target: '', login: undefined } : undefined
}

/** RFC 3986 section 5.2.4. */
function withoutDots(path: string): string {
  const kept: string[] = []
  const segments = path.split('/')
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1
    if (segment === '..') {
      if (kept.length > 1) kept.pop()
    } else if (segment !== '.') kept.push(segment)
    if (isLast && (segment === '.' || segment === '..')) kept.push('')
  }
  const joined = kept.join('/')
  return joined.startsWith('/') ? joined : `/${joined}`
}

/** Everything that a request line cannot hold. */
function encode(bytes: string): string {
  return bytes.replaceAll(/[^!-~]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
