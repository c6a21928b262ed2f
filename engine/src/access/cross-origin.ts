// Which web pages may read what a node serves (Fetch standard, section 3.2): the headers of a response, and the answer to
// a preflight, which never has credentials.
import type { ServerResponse } from 'node:http'
import { preflightHeaders } from '../listen/preflight-headers.js'
import { headerOf } from '../listen/raw-headers.js'

const ANY = '*'
/** Beside those that every page can read. */
const EXPOSED = 'Content-Range, ETag'

/**
 * Sets the headers for the page that asks, also for refusals. `origins`: those that are allowed; with `*` all of them,
 * without credentials. False: pages of this origin may not read it.
 */
export function allowOrigin(
  response: ServerResponse,
  origins: readonly string[],
  requestHeaders: readonly string[],
): boolean {
  if (origins.length === 0) return false
  const origin = headerOf(requestHeaders, 'origin')
  const allowed = origins.includes(ANY) ? ANY : origins.find((each) => each === origin)
  if (!origins.includes(ANY)) response.setHeader('Vary', 'Origin')
  if (allowed === undefined) return false
  response.setHeader('Access-Control-Allow-Origin', allowed)
  response.setHeader('Access-Control-Expose-Headers', EXPOSED)
  if (allowed !== ANY) response.setHeader('Access-Control-Allow-Credentials', 'true')
  return true
}

/** `methods`: that the path takes; by default GET and HEAD. */
export function answerPreflight(
  response: ServerResponse,
  requestHeaders: readonly string[],
  methods?: readonly string[],
): void {
  const asked = headerOf(requestHeaders, 'access-control-request-headers')
  const allowed = methods?.filter((method) => method !== 'OPTIONS')
  response.writeHead(204, preflightHeaders(asked, allowed)).end()
}
