// Redirects of an upstream, RFC 9110 section 15.4: where each request of an attempt goes. Anything that may be secret
// is sent to the origin of the configured URL only, and never again once a redirect has left that origin.
import { httpError } from './http-errors.js'
import { readUserInfo, renderAuth, showUrl, withoutUserInfo } from './upstream.js'
import type { Upstream } from './upstream.js'

export interface RequestTarget {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** No redirect has left the origin of the upstream. */
  readonly isSameOrigin: boolean
  /** Every URL requested in this attempt, including this one. */
  readonly visited: readonly string[]
}

const MAX_REDIRECTS = 10

export function initialTarget({ url, publicHeaders, originHeaders }: Upstream): RequestTarget {
  return { url, headers: { ...publicHeaders, ...originHeaders }, isSameOrigin: true, visited: [url.href] }
}

export function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status)
}

/** Throws HTTP_REDIRECTS. `location` is the header of the response, untrusted. */
export function followRedirect(
  upstream: Upstream,
  { url: from, isSameOrigin: wasSameOrigin, visited }: RequestTarget,
  location: string | undefined,
): RequestTarget {
  const to = location === undefined || location === '' ? null : parse(location, from)
  if (to === null) throw refuse('a redirect without a valid Location')
  if (to.protocol !== 'http:' && to.protocol !== 'https:') {
    throw refuse(`a redirect to the scheme ${to.protocol.slice(0, 20)}`)
  }
  const url = withoutUserInfo(to)
  if (from.protocol === 'https:' && url.protocol === 'http:') {
    throw refuse(`a redirect from https to ${showUrl(url)}`)
  }
  if (visited.includes(url.href)) throw refuse(`a redirect loop at ${showUrl(url)}`)
  if (visited.length > MAX_REDIRECTS) throw refuse(`more than ${MAX_REDIRECTS} redirects, at ${showUrl(url)}`)
  const isSameOrigin = wasSameOrigin && url.origin === upstream.url.origin
  // Credentials in the Location are meant for the server that it names.
  const authorization = renderAuth(readUserInfo(to))
  const headers = {
    ...upstream.publicHeaders,
    ...(isSameOrigin ? upstream.originHeaders : {}),
    ...(authorization === undefined ? {} : { authorization }),
  }
  return { url, headers, isSameOrigin, visited: [...visited, url.href] }
}

function parse(location: string, base: URL): URL | null {
  return URL.canParse(location, base.href) ? new URL(location, base.href) : null
}

function refuse(detail: string): Error {
  return httpError('HTTP_REDIRECTS', detail)
}
