// Redirects of an upstream, RFC 9110 section 15.4: where each request of an attempt goes. Anything that may be secret
// is sent to the origin of the configured URL only, and never again once a redirect has left that origin.
import { cutText } from '@millrace/engine/plugin'
import { httpError } from './http-errors.js'
import { resolveHttpUrl, showUrl } from './http-url.js'
import type { HttpUrl, Login } from './http-url.js'
import { trimBlanks } from './trim-blanks.js'
import { renderBasic } from './upstream.js'
import type { Upstream } from './upstream.js'

/** Where redirects may lead; `public`: anywhere but from a public address to an internal one. */
export type RedirectPolicy = 'public' | 'same-origin' | 'any'

export interface RequestTarget extends Omit<HttpUrl, 'login'> {
  readonly headers: Readonly<Record<string, string>>
  /** What answers a challenge of type Digest. */
  readonly digestLogin: Login | undefined
  /** No redirect has left the origin of the upstream. */
  readonly isSameOrigin: boolean
  /** The redirects that led here. */
  readonly redirects: number
}

const MAX_REDIRECTS = 10

export function initialTarget({ url, target, publicHeaders, originHeaders, digestLogin }: Upstream): RequestTarget {
  const headers = { ...publicHeaders, ...originHeaders }
  return { url, target, headers, digestLogin, isSameOrigin: true, redirects: 0 }
}

export function isRedirect(status: number): boolean {
  return [300, 301, 302, 303, 307, 308].includes(status)
}

/**
 * Throws HTTP_REDIRECTS. `location` is the header of the response, untrusted, in Latin-1. Whether the target has been asked
 * before is not checked here.
 */
export function followRedirect(
  upstream: Upstream,
  from: RequestTarget,
  location: string | undefined,
  policy: RedirectPolicy,
): RequestTarget {
  const hasLocation = location !== undefined && trimBlanks(location) !== ''
  const to = hasLocation ? resolveHttpUrl(location, { ...from, login: undefined }) : undefined
  if (to === undefined) throw refuse('a redirect without a valid Location')
  const { url, target, login } = to
  checkTarget(upstream, from, url, policy)
  const isSameOrigin = from.isSameOrigin && url.origin === upstream.url.origin
  // Credentials in the Location are meant for the server that it names.
  const authorization = renderBasic(login)
  const headers = {
    ...upstream.publicHeaders,
    ...(isSameOrigin ? upstream.originHeaders : {}),
    ...(authorization === undefined ? {} : { authorization }),
  }
  const digestLogin = login ?? (isSameOrigin ? upstream.digestLogin : undefined)
  return { url, target, headers, digestLogin, isSameOrigin, redirects: from.redirects + 1 }
}

/** Throws HTTP_REDIRECTS. */
function checkTarget(upstream: Upstream, from: RequestTarget, url: URL, policy: RedirectPolicy): void {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw refuse(`a redirect to the scheme ${cutText(url.protocol, 20)}`)
  }
  if (from.redirects >= MAX_REDIRECTS) throw refuse(`more than ${MAX_REDIRECTS} redirects, at ${showUrl(url)}`)
  if (policy === 'same-origin' && url.origin !== upstream.url.origin) {
    throw refuse(`a redirect to another origin, ${showUrl(url)}, which \`redirects: same-origin\` does not allow`)
  }
}

function refuse(detail: string): Error {
  return httpError('HTTP_REDIRECTS', detail)
}
