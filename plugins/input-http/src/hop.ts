// Where a request of an attempt goes, and where a redirect leads it: RFC 9110 section 15.4. What may be secret is sent to
// the origin of the configured URL only, and never again once a redirect has left it.
import { httpError } from './http-errors.js'
import { readUserInfo, renderAuth, showUrl, withoutUserInfo } from './upstream.js'
import type { Upstream } from './upstream.js'

export interface Hop {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** No redirect has left the origin of the upstream. */
  readonly isHome: boolean
  /** Every URL that was asked on the way, this one included. */
  readonly asked: readonly string[]
}

const MAX_REDIRECTS = 10

export function firstHop({ url, openHeaders, ownHeaders }: Upstream): Hop {
  return { url, headers: { ...openHeaders, ...ownHeaders }, isHome: true, asked: [url.href] }
}

export function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status)
}

/** Throws HTTP_REDIRECTS. `location` is the header of the response, untrusted. */
export function nextHop(upstream: Upstream, hop: Hop, location: string | undefined): Hop {
  const target = location === undefined || location === '' ? null : parse(location, hop.url)
  if (target === null) throw refuse('a redirect without a valid Location')
  if (target.protocol !== 'http:' && target.protocol !== 'https:') {
    throw refuse(`a redirect to the scheme ${target.protocol.slice(0, 20)}`)
  }
  const url = withoutUserInfo(target)
  if (hop.url.protocol === 'https:' && url.protocol === 'http:') {
    throw refuse(`a redirect from https to ${showUrl(url)}`)
  }
  if (hop.asked.includes(url.href)) throw refuse(`redirects in a loop, at ${showUrl(url)}`)
  if (hop.asked.length > MAX_REDIRECTS) throw refuse(`more than ${MAX_REDIRECTS} redirects, at ${showUrl(url)}`)
  const isHome = hop.isHome && url.origin === upstream.url.origin
  // Credentials that stand in the Location are for whom it names.
  const authorization = renderAuth(readUserInfo(target))
  const headers = {
    ...upstream.openHeaders,
    ...(isHome ? upstream.ownHeaders : {}),
    ...(authorization === undefined ? {} : { authorization }),
  }
  return { url, headers, isHome, asked: [...hop.asked, url.href] }
}

function parse(location: string, base: URL): URL | null {
  return URL.canParse(location, base.href) ? new URL(location, base.href) : null
}

function refuse(detail: string): Error {
  return httpError('HTTP_REDIRECTS', detail)
}
