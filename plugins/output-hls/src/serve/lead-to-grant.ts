// How a viewer that has just been admitted gets to the folder of its grant: by a redirect, and for players that take no
// notice of it, by a cookie.
import { keptQuery } from '../viewers/credential-query.js'
import { grantCookie } from '../viewers/granted-paths.js'
import type { Exchange } from './exchange.js'
import type { HandlerParts } from './request-kind.js'

/** For the path of the output. False: it is to be answered. */
export function leadToGrant(
  { grant, toGrant, fileName, response, visit }: Exchange,
  { settings }: Pick<HandlerParts, 'settings'>,
): boolean {
  if (grant === undefined || toGrant === '') return false
  response.setHeader('Set-Cookie', grantCookie(grant.text, visit.who.protocol === 'https'))
  if (!settings.redirects) return false
  const query = keptQuery(visit.query)
  // Relative: a proxy may have put another folder in front.
  const target = toGrant + encodeURIComponent(fileName)
  const headers = { 'Cache-Control': 'no-store', 'Content-Length': 0 }
  response.writeHead(302, { Location: query === '' ? target : `${target}?${query}`, ...headers }).end()
  return true
}
