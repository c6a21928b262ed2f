// Cookies of one attempt, RFC 6265, narrowed: a cookie is sent to the origin that set it alone (scheme, host and port), so
// that a redirect never carries one to another server. Values are Latin-1 and sent back byte for byte.
import { trimBlanks } from './trim-blanks.js'

interface Cookie {
  readonly name: string
  readonly value: string
  readonly path: string
}

interface Attributes {
  readonly domain: string | undefined
  readonly path: string | undefined
  readonly isSecure: boolean
  readonly isExpired: boolean
}

const MAX_COOKIES = 64
const MAX_COOKIE_LENGTH = 4096
/** Of the cookies that servers have set. */
const MAX_HEADER_LENGTH = 8192

export class CookieJar {
  readonly #byOrigin = new Map<string, Map<string, Cookie>>()
  #count = 0

  /** Takes a Set-Cookie value of a response to a request for `target` at `url`; ignores what it may not set. */
  take(text: string, { url, target }: { readonly url: URL; readonly target: string }, nowWallMs: number): void {
    if (text.length > MAX_COOKIE_LENGTH) return
    const [pair = '', ...rest] = text.split(';')
    const equals = pair.indexOf('=')
    const name = trimBlanks(pair.slice(0, Math.max(equals, 0)))
    const attributes = readAttributes(rest, nowWallMs)
    if (name === '' || !isOfHost(attributes.domain, url.hostname)) return
    if (attributes.isSecure && url.protocol !== 'https:') return
    const path = attributes.path?.startsWith('/') === true ? attributes.path : defaultPath(pathOf(target))
    const own = this.#byOrigin.get(url.origin) ?? new Map<string, Cookie>()
    const key = `${name} ${path}`
    if (own.delete(key)) this.#count--
    if (attributes.isExpired || this.#count >= MAX_COOKIES) return
    own.set(key, { name, value: trimBlanks(pair.slice(equals + 1)), path })
    this.#count++
    this.#byOrigin.set(url.origin, own)
  }

  /** The value of the Cookie header of a request, behind the one that is configured; undefined if there is none. */
  header(
    { url, target }: { readonly url: URL; readonly target: string },
    configured: string | undefined,
  ): string | undefined {
    const path = pathOf(target)
    const own = [...(this.#byOrigin.get(url.origin)?.values() ?? [])].filter((cookie) => isBelow(path, cookie.path))
    // RFC 6265 section 5.4: longer paths first.
    own.sort((a, b) => b.path.length - a.path.length)
    const names = new Set(own.map(({ name }) => name))
    const kept = (configured ?? '')
      .split(';')
      .map(trimBlanks)
      .filter((pair) => pair !== '' && !names.has(pair.slice(0, Math.max(pair.indexOf('='), 0))))
    let length = 0
    const fitting = own.filter(({ name, value }) => (length += name.length + value.length + 3) <= MAX_HEADER_LENGTH)
    const pairs = [...kept, ...fitting.map(({ name, value }) => `${name}=${value}`)]
    return pairs.length === 0 ? undefined : pairs.join('; ')
  }
}

function readAttributes(parts: readonly string[], nowWallMs: number): Attributes {
  const given = new Map<string, string>()
  for (const part of parts) {
    const equals = part.indexOf('=')
    const name = trimBlanks(equals < 0 ? part : part.slice(0, equals)).toLowerCase()
    given.set(name, equals < 0 ? '' : trimBlanks(part.slice(equals + 1)))
  }
  const maxAge = given.get('max-age')
  const expires = Date.parse(given.get('expires') ?? '')
  const domain = given.get('domain')?.toLowerCase().replace(/^\./, '')
  return {
    domain: domain === '' ? undefined : domain,
    path: given.get('path'),
    isSecure: given.has('secure'),
    // Max-Age has precedence.
    isExpired: maxAge !== undefined && /^-?\d+$/.test(maxAge) ? Number(maxAge) <= 0 : expires <= nowWallMs,
  }
}

/** RFC 6265 section 5.1.3. */
function isOfHost(domain: string | undefined, host: string): boolean {
  return domain === undefined || host === domain || host.endsWith(`.${domain}`)
}

/** RFC 6265 section 5.1.4. */
function defaultPath(path: string): string {
  const end = path.lastIndexOf('/')
  return end <= 0 ? '/' : path.slice(0, end)
}

function isBelow(path: string, folder: string): boolean {
  if (!path.startsWith(folder)) return false
  return path.length === folder.length || folder.endsWith('/') || path[folder.length] === '/'
}

function pathOf(target: string): string {
  const end = target.indexOf('?')
  return end < 0 ? target : target.slice(0, end)
}
