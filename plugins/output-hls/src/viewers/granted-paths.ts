// Paths in the folder of a grant: `~grant/name`, below the folder of the output. Players that take no notice of it carry
// the grant in a cookie.
import { MULTIVARIANT } from '../serve/request-kind.js'

const MARK = '~'
const COOKIE = 'hls-grant'
const MOST_COOKIES = 16

export interface Located {
  /** The text of a grant whose folder the path is in; not checked. Undefined: it is in none. */
  readonly grant: string | undefined
  /** What follows the folder, or the grant; MULTIVARIANT for the path of the output. */
  readonly name: string
  /** The last part of the path of the output. */
  readonly fileName: string
}

/** `place`: the path of the output. `path`: in its folder. */
export function locate(path: string, place: string): Located {
  const folder = place.lastIndexOf('/') + 1
  const fileName = place.slice(folder)
  const below = path.slice(folder)
  const slash = below.indexOf('/')
  const hasGrant = below.startsWith(MARK) && slash > 0
  const name = hasGrant ? below.slice(slash + 1) : below
  return {
    grant: hasGrant ? below.slice(MARK.length, slash) : undefined,
    name: name === fileName ? MULTIVARIANT : name,
    fileName,
  }
}

/** The folder of a grant, relative to that of the output. */
export function grantFolder(text: string): string {
  return `${MARK}${text}/`
}

/**
 * The value of Set-Cookie. Without Path it is for the folder of the path as the client sees it (RFC 6265, 5.1.4). Pages
 * of other sites need SameSite=None, which browsers take over TLS alone.
 */
export function grantCookie(text: string, isSecure: boolean): string {
  return `${COOKIE}=${text}; HttpOnly; ${isSecure ? 'Secure; SameSite=None' : 'SameSite=Lax'}`
}

/** `header`: of the request. Grants of several folders may come at once. */
export function grantsOfCookies(header: string | undefined): readonly string[] {
  if (header === undefined) return []
  // HTTP/2 may send each in a header of its own (RFC 9113, 8.2.3), which then form a list.
  const pairs = header.split(/[;,]/, MOST_COOKIES).map((pair) => pair.trim())
  return pairs.flatMap((pair) => (pair.startsWith(`${COOKIE}=`) ? [pair.slice(COOKIE.length + 1)] : []))
}
